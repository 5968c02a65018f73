/**
 * Turns a failure into one line that says what to do about it, and an exit code.
 *
 * @module
 */

import { messageOf, TrackerError } from "../errors.ts";
import { CommandError } from "./command_error.ts";
import { UsageError } from "./flags/usage.ts";
import { complain, OutputClosed } from "./terminal/output.ts";

/**
 * Tells the user what went wrong.
 *
 * @param error What was thrown
 * @param command The command that threw it, if one was running
 * @returns The exit code
 */
export function reportFailure(error: unknown, command?: string): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof UsageError) {
    // A message with a suggestion ends with a question mark.
    const stop = error.suggestion === undefined ? "." : "";
    complain(`tracker: ${error.message}${stop} Run 'tracker help${command === undefined ? "" : ` ${command}`}'`);
    return 2;
  }
  complain(`tracker: ${describe(error)}`);
  return 1;
}

/**
 * Describes a failure.
 *
 * @param error What was thrown
 * @returns One line: what went wrong, and what to do about it
 */
export function describe(error: unknown): string {
  if (error instanceof TrackerError) return withHint(error.message, error);
  if (error instanceof CommandError) return withHint(error.message, error.cause);
  return `internal error: ${messageOf(error)}`;
}

function withHint(message: string, cause: unknown): string {
  const hint = cause instanceof TrackerError ? cause.hint : undefined;
  return hint === undefined ? message : `${message}. ${hint}`;
}
