/**
 * What the tasks of a release have in common: where things are, and how a failure is told.
 *
 * @module
 */

import { complain } from "../lib/cli/terminal/output.ts";
import { ReleaseError } from "./release_error.ts";

/** The project's top directory. */
export const ROOT: URL = new URL("../", import.meta.url);

/** Where the files of a release are built. */
export const DIST: URL = new URL("dist/", ROOT);

/**
 * Runs a task, says in one line what went wrong, and ends the process.
 *
 * @param name What the line begins with
 * @param task The task
 */
export async function runTask(name: string, task: () => Promise<void>): Promise<never> {
  try {
    await task();
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    complain(`${name}: ${error.message}`);
    Deno.exit(1);
  }
  Deno.exit(0);
}

/**
 * Runs a program to its end, with this process's input and output.
 *
 * @param program The program
 * @param args Its arguments
 * @throws {ReleaseError} when it is not there, or fails
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
 * Writes a command down, so that a shell would read it as it is.
 *
 * @param program The program
 * @param args Its arguments
 * @returns One line
 */
export function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}
