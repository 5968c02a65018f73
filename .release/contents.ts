/**
 * What a release may contain: no test, no tool, no page.
 *
 * @module
 */

/** The name of the only embedded file: all of the program's modules, bundled. */
export const BUNDLE = "tracker.js";

/** The path of a file of the standard library in Deno's cache, wherever that is. */
const CACHED_STD = /^(?:.*\/)?npm\/[^/]+\/deno-std\/(\d+\.\d+\.\d+)\/(.+\.js)$/;

/** The modules that a bundle may contain, after the paths in the cache are replaced. */
const ALLOWED: readonly RegExp[] = [
  /^main\.ts$/,
  /^lib\/(?:[a-z_]+\/)*[a-z_]+\.ts$/,
  // It holds the version.
  /^deno\.json$/,
  /^npm:deno-std@\d+\.\d+\.\d+\/(?:bytes|cli|streams|text)\/[a-z_]+\.js$/,
];

/** The line before each module in a bundle. */
const MODULE_LINE = /^\/\/ (\S+\.(?:[cm]?[jt]sx?|json))$/gm;

/**
 * Replaces the paths of the machine that built a bundle: they are private, and would make each machine build another
 * program.
 *
 * @param bundle The bundle
 * @returns The bundle, with `npm:` specifiers for modules in Deno's cache
 */
export function neutralize(bundle: string): string {
  return bundle.replace(MODULE_LINE, (line, path: string) => {
    const [, version, module] = CACHED_STD.exec(path) ?? [];
    return version === undefined ? line : `// npm:deno-std@${version}/${module}`;
  });
}

/**
 * Finds the modules in a bundle that do not belong in a release.
 *
 * @param bundle The neutralized bundle
 * @returns Their names; empty if there are none
 */
export function strangersIn(bundle: string): string[] {
  const modules = Array.from(bundle.matchAll(MODULE_LINE), ([, path = ""]) => path);
  // Without that line, the contents of the bundle are unknown.
  if (!modules.includes("main.ts")) return ["a bundle that does not name its modules"];
  return modules.filter((path) => !ALLOWED.some((allowed) => allowed.test(path)));
}

/**
 * Finds the embedded files in Deno's report.
 *
 * @param report What `deno compile` wrote
 * @returns The names of the files, without their directories
 */
export function embeddedFiles(report: string): string[] {
  const [, tree = ""] = /Embedded Files\n+([^]*?)\n\n/.exec(report) ?? [];
  // The line of a directory continues with ┬; the first line is the program itself.
  return Array.from(tree.matchAll(/[├└]── (.+?)(?: \([^()]*\))?$/gm), ([, path = ""]) => path);
}
