/**
 * What can go wrong outside of Tracker.
 *
 * @module
 */

/**
 * Makes an error of whatever was thrown.
 *
 * @param thrown Anything
 * @returns The same if it is an error, otherwise one that says it
 */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A failure that is nobody's bug and not the server's: the message says it all. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  /**
   * Makes an error to throw.
   *
   * @param action What could not be done, such as "read standard input"
   * @param cause Why
   */
  constructor(action: string, cause: unknown) {
    super(`Cannot ${action}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
