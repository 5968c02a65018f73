/**
 * The error for bytes from a server that are no reply of the protocol.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/**
 * Creates the error for a reply that cannot be parsed.
 *
 * @param why What is wrong with it
 * @returns A BAD_REPLY
 */
export function badReply(why: string): TrackerError {
  return new TrackerError("BAD_REPLY", `Cannot parse reply: ${why}`);
}
