/**
 * What the tasks of a release share: paths, and how they report failures.
 *
 * @module
 */

import { UsageError } from "../lib/cli/flags/usage.ts";
import { complain } from "../lib/cli/terminal/output.ts";
import { ReleaseError } from "./release_error.ts";

/** The project's top directory. */
export const ROOT: URL = new URL("../", import.meta.url);

/** The directory for the files of a release. */
export const DIST: URL = new URL("dist/", ROOT);

/**
 * Runs a task, reports its failure in one line, and ends the process: with exit code 2 if the command line is invalid, and
 * with 1 for any other failure.
 *
 * @param name The name of the task, with which the line begins
 * @param task The task
 */
export async function runTask(name: string, task: () => Promise<void>): Promise<never> {
  try {
    await task();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ReleaseError)) throw error;
    complain(`${name}: ${error.message}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
  Deno.exit(0);
}

/**
 * Runs a program to its end, with this process's input and output.
 *
 * @param program The program
 * @param args Its arguments
 * @throws {ReleaseError} when it is not installed, or fails
 */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  let status: Deno.CommandStatus;
  try {
    status = await new Deno.Command(program, { args: [...args] }).spawn().status;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ReleaseError(`Cannot run ${program}: it is not installed`, { cause });
  }
  if (!status.success) throw new ReleaseError(`Cannot go on: ${program} ended with exit code ${status.code}`);
}

/**
 * Formats a command so that a shell would run it as it is.
 *
 * @param program The program
 * @param args Its arguments
 * @returns One line
 */
export function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}
