/**
 * From the sources to a program: bundled, compiled and checked.
 *
 * Bundling first leaves out the unused parts of packages, and a program starts sooner with one module than with fifty.
 * README.md beside this file has the figures for this and every other choice made here.
 *
 * @module
 */

import { checkBase, missingBase } from "./base.ts";
import { BUNDLE, embeddedFiles, neutralize, strangersIn } from "./contents.ts";
import { failure, runDeno } from "./deno_command.ts";
import { PERMISSIONS } from "./permissions.ts";
import { lineUpFile } from "./page_size.ts";
import { ReleaseError } from "./release_error.ts";
import { systemOfFile, type Target } from "./targets.ts";
import { ROOT } from "./task.ts";

/** The command that compiles the bundle, which is complete: nothing else may be looked for. */
const COMPILE: readonly string[] = [
  "compile",
  ...["--no-check", "--no-config", "--no-lock", "--no-npm", "--no-remote"],
  // The cache would be a file of a known name in the directory for temporary files, where any user can put another one.
  "--no-code-cache",
  ...PERMISSIONS.map(({ flag }) => flag),
];

/**
 * Bundles the program.
 *
 * @param directory The directory for the bundle
 * @returns The path of the bundle
 * @throws {ReleaseError} when it cannot be bundled, or contains what does not belong in a release
 */
export async function bundle(directory: string): Promise<string> {
  const path = `${directory}/${BUNDLE}`;
  const main = new URL("main.ts", ROOT);
  const { success, output } = await runDeno(["bundle", "--frozen", "--output", path, main.href]);
  if (!success) throw failure("bundle", output);
  const text = neutralize(await Deno.readTextFile(path));
  const strangers = strangersIn(text);
  if (strangers.length !== 0) throw new ReleaseError(`Cannot release: the bundle contains ${strangers.join(", ")}`);
  await Deno.writeTextFile(path, text);
  // The time of the file goes into the program, and the same sources must give the same bytes.
  await Deno.utime(path, 0, 0);
  return path;
}

/**
 * Compiles a bundle.
 *
 * @param bundle The path of the bundle
 * @param target The target of the program
 * @param path The path of the program
 * @throws {ReleaseError} when it cannot be compiled, or the program is not as it must be
 */
export async function compile(bundle: string, target: Target, path: string): Promise<void> {
  await checkBase(target);
  const { triple } = target;
  const { success, output } = await runDeno([...COMPILE, "--target", triple, "--output", path, bundle]);
  if (!success) throw missingBase(output, triple) ?? failure(`compile for ${triple}`, output);
  try {
    checkEmbedded(output);
    await checkSystem(path, target);
    // Of these processors, only Arm has systems with larger pages.
    if (target.os === "linux" && target.arch === "aarch64") await lineUpFile(path);
  } catch (error) {
    // What must not be released must not be left in dist/ either.
    await Deno.remove(path);
    throw error;
  }
}

function checkEmbedded(report: string): void {
  const files = embeddedFiles(report);
  if (files.length === 1 && files[0] === BUNDLE) return;
  throw new ReleaseError(`Cannot release: not ${BUNDLE} alone is embedded, but ${files.join(", ") || "nothing"}`);
}

async function checkSystem(path: string, { os, arch }: Target): Promise<void> {
  const system = await systemOfFile(path);
  if (system !== `${os} ${arch}`) {
    throw new ReleaseError(`Cannot release: ${path} is for ${system ?? "no known system"}, not for ${os} ${arch}`);
  }
}
