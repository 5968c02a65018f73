/**
 * Which failures pass by themselves.
 *
 * @module
 */

import type { ErrorCode } from "./errors.ts";

/**
 * Whether another attempt can succeed where one has failed with a code. The compiler sees to it that every code has its
 * place here.
 */
const OUTLOOK: Readonly<Record<ErrorCode, "passes" | "stays">> = {
  BAD_MAGIC: "stays",
  BAD_VERSION: "stays",
  BAD_TYPE: "stays",
  // The same state would be refused again.
  STATE_TOO_LARGE: "stays",
  TOO_MANY_CLIENTS: "passes",
  TIMEOUT: "passes",
  BAD_HELLO: "stays",
  // Two clients of one name would take it from each other for ever: whoever loses it stays away.
  NAME_TAKEN: "stays",
  TAKEN_OVER: "stays",
  // Who shows the same token again gets the same answer.
  UNAUTHORIZED: "stays",
  // Others may shrink or leave.
  TOO_MUCH_STATE: "passes",
  SLOW_CONSUMER: "passes",
  SHUTTING_DOWN: "passes",
  // A code from the future: whoever sends it knows better than to be asked again and again.
  REFUSED: "stays",
  BAD_REPLY: "stays",
  REPLY_TOO_LARGE: "stays",
  CONNECTION_REFUSED: "passes",
  CONNECTION_FAILED: "passes",
  // The server may be about to be set up, and a machine that starts without a clock takes every certificate for one of
  // the future until it has heard the time.
  TLS_FAILED: "passes",
  BAD_CERTIFICATE: "passes",
  CONNECTION_CLOSED: "passes",
  BUFFER_FULL: "passes",
  ABORTED: "stays",
  ADDRESS_IN_USE: "stays",
  BAD_ADDRESS: "stays",
  PERMISSION_DENIED: "stays",
  BAD_ARGUMENT: "stays",
};

/**
 * Tells whether a failure passes by itself, so that it is worth trying again. It is what a client that reconnects goes
 * by: after any other failure it stays away for good.
 *
 * @param code The failure's code
 * @returns `true` for a connection that could not be made or broke, a silence, and a server that stops or is full
 *
 * @example What a client does not try again
 * ```ts
 * import { isTransient } from "@tracker/tracker";
 * import { assert } from "@std/assert";
 *
 * assert(isTransient("CONNECTION_FAILED"));
 * assert(isTransient("SHUTTING_DOWN"));
 * assert(!isTransient("TAKEN_OVER"));
 * ```
 */
export function isTransient(code: ErrorCode): boolean {
  return OUTLOOK[code] === "passes";
}
