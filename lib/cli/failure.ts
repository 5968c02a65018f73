/**
 * From whatever went wrong to one line that says what to do about it, and an exit code.
 *
 * @module
 */

import { messageOf, TrackerError } from "../errors.ts";
import { CommandError } from "./command_error.ts";
import { complain, OutputClosed } from "./terminal/output.ts";
import { UsageError } from "./flags/usage.ts";

/**
 * Tells the user what went wrong.
 *
 * @param error What was thrown
 * @param command The command that threw it, if it came to that
 * @returns The exit code
 */
export function reportFailure(error: unknown, command?: string): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof UsageError) {
    const stop = error.message.endsWith("?") ? "" : ".";
    complain(`tracker: ${error.message}${stop} Run 'tracker help${command === undefined ? "" : ` ${command}`}'`);
    return 2;
  }
  complain(`tracker: ${describe(error)}`);
  return 1;
}

/**
 * Puts a failure into words.
 *
 * @param error What was thrown
 * @returns One line, and what to do about it
 */
export function describe(error: unknown): string {
  if (error instanceof TrackerError) return error.message + advice(error);
  if (error instanceof CommandError) {
    return error.message + (error.cause instanceof TrackerError ? advice(error.cause) : "");
  }
  return `internal error: ${messageOf(error)}`;
}

function advice({ hint }: TrackerError): string {
  return hint === undefined ? "" : `. ${hint}`;
}
