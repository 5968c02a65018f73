/**
 * What may be in a release, and nothing else: no test, no tool, no page.
 *
 * @module
 */

/** The name of the one file that is embedded: all of the program's modules, bundled. */
export const BUNDLE = "tracker.js";

/** Where a file of the standard library is in deno's cache, however that is reached from here. */
const CACHED_STD = /^(?:.*\/)?npm\/[^/]+\/deno-std\/(\d+\.\d+\.\d+)\/(.+\.js)$/;

/** What a bundle may be made of, when the cache's own paths have been replaced. */
const ALLOWED: readonly RegExp[] = [
  /^main\.ts$/,
  /^lib\/(?:[a-z_]+\/)*[a-z_]+\.ts$/,
  // The version is read from it.
  /^deno\.json$/,
  /^npm:deno-std@\d+\.\d+\.\d+\/(?:bytes|cli|streams|text)\/[a-z_]+\.js$/,
];

/** The line with which the bundler begins each module. */
const MODULE_LINE = /^\/\/ (\S+\.(?:[cm]?[jt]sx?|json))$/gm;

/**
 * Replaces paths of the machine that built a bundle: they are nobody's business, and would make every machine build
 * another program.
 *
 * @param bundle The bundle
 * @returns The same, with `npm:` specifiers for what lies in deno's cache
 */
export function neutralize(bundle: string): string {
  return bundle.replace(MODULE_LINE, (line, path: string) => {
    const [, version, module] = CACHED_STD.exec(path) ?? [];
    return version === undefined ? line : `// npm:deno-std@${version}/${module}`;
  });
}

/**
 * Looks for modules in a bundle that do not belong into a release.
 *
 * @param bundle The bundle, neutralized
 * @returns Their names; empty when all is well
 */
export function strangersIn(bundle: string): string[] {
  const modules = Array.from(bundle.matchAll(MODULE_LINE), ([, path = ""]) => path);
  // Without that line nothing is known of what the bundle is made of.
  if (!modules.includes("main.ts")) return ["a bundle that does not name its modules"];
  return modules.filter((path) => !ALLOWED.some((allowed) => allowed.test(path)));
}

/**
 * Reads which files deno says it has embedded.
 *
 * @param report What `deno compile` wrote
 * @returns The files, without their directories
 */
export function embeddedFiles(report: string): string[] {
  const [, tree = ""] = /Embedded Files\n+([^]*?)\n\n/.exec(report) ?? [];
  // A directory's line goes on with ┬; the first line is the program itself.
  return Array.from(tree.matchAll(/[├└]── (.+?)(?: \([^()]*\))?$/gm), ([, path = ""]) => path);
}
