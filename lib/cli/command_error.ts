/**
 * Failures outside of Tracker, such as of a file or of standard output.
 *
 * @module
 */

import { messageOf } from "../errors.ts";

/** A failure that is neither a bug nor the server's. Its message says all there is to say. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  /**
   * Creates an error to throw.
   *
   * @param action What could not be done, such as "read standard input"
   * @param cause Why
   */
  constructor(action: string, cause: unknown) {
    super(`Cannot ${action}: ${messageOf(cause)}`, { cause });
  }
}
