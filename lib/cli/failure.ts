/**
 * Turns a failure into one line that says what to do about it, and an exit code.
 *
 * @module
 */

import { messageOf, TrackerError } from "../errors.ts";
import { CommandError } from "./command_error.ts";
import { wasUnread } from "./environment.ts";
import { UsageError } from "./flags/usage.ts";
import { complain, OutputClosed } from "./terminal/output.ts";

/** Every exit code, with its meaning: scripts go by them. */
export const EXIT_CODES = {
  done: { code: 0, meaning: "it was done; for `serve`, `open` and `watch`, they were told to stop" },
  failed: { code: 1, meaning: "it failed for any other reason" },
  misused: { code: 2, meaning: "the command line, or a variable in its place, is not valid" },
  taken: { code: 3, meaning: "another client has the name (`NAME_TAKEN`)" },
  denied: { code: 4, meaning: "the server does not allow it (`UNAUTHORIZED`)" },
  unreachable: { code: 5, meaning: "no server was reached" },
} as const;

/**
 * Tells the user what went wrong.
 *
 * @param error What was thrown
 * @param command The command that threw it, if one was running
 * @returns The exit code
 */
export function reportFailure(error: unknown, command?: string): number {
  if (error instanceof OutputClosed) return EXIT_CODES.done.code;
  if (error instanceof UsageError) {
    // A message with a suggestion ends with a question mark.
    const stop = error.suggestion === undefined ? "." : "";
    complain(`tracker: ${error.message}${stop} Run 'tracker help${command === undefined ? "" : ` ${command}`}'`);
    return EXIT_CODES.misused.code;
  }
  const code = exitCodeOf(error);
  complain(`tracker: ${describe(error)}${unreadHint(code)}`);
  return code;
}

function exitCodeOf(error: unknown): number {
  const cause = error instanceof CommandError ? error.cause : error;
  if (!(cause instanceof TrackerError)) return EXIT_CODES.failed.code;
  if (cause.code === "NAME_TAKEN") return EXIT_CODES.taken.code;
  if (cause.code === "UNAUTHORIZED") return EXIT_CODES.denied.code;
  // A command that has reached its server, and says what it could not do there, has failed for another reason.
  const isUnreached = cause.code === "CONNECTION_REFUSED" || cause.reason === "unreachable";
  return isUnreached && cause === error ? EXIT_CODES.unreachable.code : EXIT_CODES.failed.code;
}

/** Whether a variable is set that may not be read cannot be known either, so it is named where it may be the reason. */
function unreadHint(code: number): string {
  const name = BLAMED_VARIABLES[code];
  if (name === undefined || !wasUnread(name)) return "";
  return `. If ${name} is set, it was not read: run deno with -E=${name}`;
}

/** By exit code, the variable that would have made a difference. */
const BLAMED_VARIABLES: Readonly<Record<number, string>> = {
  [EXIT_CODES.denied.code]: "TRACKER_TOKEN",
  [EXIT_CODES.unreachable.code]: "TRACKER_SERVER",
};

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
