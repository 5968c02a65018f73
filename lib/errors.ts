/**
 * The one error class of Tracker and its stable codes.
 *
 * @module
 */

/** Codes a server puts into an error reply, each with its meaning. After any of them it closes the connection. */
export const WIRE_ERRORS = {
  BAD_MAGIC: "a message does not begin with the connection's magic byte",
  BAD_VERSION: "a java message has a version other than 1",
  BAD_TYPE: "a message has a type that does not exist, or cannot be sent on this connection",
  STATE_TOO_LARGE: "a state is longer than the limit; refused from its length alone",
  TOO_MANY_CLIENTS: "the server already holds as many connections, or watchers, as it may",
  TIMEOUT: "a message was not completed in time, or nothing was heard for too long",
  BAD_HELLO: "a Hello is not a connection's first message, or the JSON of a Hello, Watch or List is not as it must be",
  NAME_TAKEN: "another connection has the name",
  TAKEN_OVER: "another connection has taken over the name",
  UNAUTHORIZED: "the client has shown no token that allows what it asks for",
  TOO_MUCH_STATE: "all states together would take more than the server allows",
  SLOW_CONSUMER: "a watcher reads more slowly than the map changes",
  SHUTTING_DOWN: "the server is being stopped",
} as const;

/** Codes that arise on the side of the program that uses the library, each with its meaning. */
export const LOCAL_ERRORS = {
  REFUSED: "the server refused with a code that this version does not know; the message has its text",
  BAD_REPLY: "the server sent bytes that are no reply of the protocol",
  REPLY_TOO_LARGE: "the server's map is longer than this client accepts",
  CONNECTION_REFUSED: "nothing listens at the server's address",
  CONNECTION_FAILED: "the connection could not be made, or broke",
  TLS_FAILED: "the two sides do not come to speak TLS with each other; perhaps only one of them wants to",
  BAD_CERTIFICATE: "a certificate or its key cannot be used, or the server's certificate cannot be trusted",
  CONNECTION_CLOSED: "the connection has ended, so the call cannot be answered",
  BUFFER_FULL: "the server reads slower than this client sends, and its buffer is full",
  ABORTED: "the caller's AbortSignal stopped the call",
  ADDRESS_IN_USE: "another program already listens on the port",
  BAD_ADDRESS: "the host is not an address of this machine, or cannot be resolved",
  PERMISSION_DENIED: "the system, or Deno's permissions, do not allow it",
  BAD_ARGUMENT: "an option or argument has a value that makes no sense",
} as const;

/** A code of an error reply on the wire. */
export type WireErrorCode = keyof typeof WIRE_ERRORS;

/** Any code a {@linkcode TrackerError} can have. */
export type ErrorCode = WireErrorCode | keyof typeof LOCAL_ERRORS;

/**
 * Every failure Tracker reports. `code` is stable and made for programs; `message` is made for people and may change.
 *
 * @example Tell a dead server from a slow one
 * ```ts
 * import { connect, TrackerError } from "@tracker/tracker";
 *
 * try {
 *   await connect({ port: 1, timeout: 1_000 });
 * } catch (error) {
 *   if (!(error instanceof TrackerError)) throw error;
 *   console.log(error.code); // CONNECTION_REFUSED
 * }
 * ```
 */
export class TrackerError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;

  /**
   * Makes an error to throw or to send.
   *
   * @param code What went wrong, for programs
   * @param message What went wrong, for people, in the form "Cannot …: why"
   * @param options `cause`: the error this one came from
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrackerError";
    this.code = code;
  }
}

/**
 * Tells whether a word is a code that may stand in an error reply.
 *
 * @param word The word to look at
 * @returns `true` when it is one of {@linkcode WIRE_ERRORS}
 */
export function isWireErrorCode(word: string): word is WireErrorCode {
  return Object.hasOwn(WIRE_ERRORS, word);
}
