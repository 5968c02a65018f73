/**
 * The one error class of Tracker, its stable codes, and all that is known of each code.
 *
 * @module
 */

import type { LeaveCause } from "./protocol.ts";

/** The limit a client ran into. */
export type LimitName =
  | "clients"
  | "perAddress"
  | "state"
  | "totalState"
  | "watchers"
  | "unsent"
  | "time"
  | "suspects"
  | "kicks"
  | "unauthorized";

/** What is behind an error, where what to do next depends on it and the code does not tell. */
export type ErrorReason =
  /** The token is known or may be, but does not allow writing. */
  | "write-denied"
  /** Deno itself was not given the permission to listen. */
  | "not-granted"
  /** The system does not let this user listen on the port. */
  | "forbidden-port"
  /** Nothing was reached at the server's address. */
  | "unreachable"
  /** The peer sent nothing at all, as one that waits for TLS does. */
  | "silent-peer"
  /** The peer speaks TLS, and this side does not. */
  | "peer-speaks-tls"
  /** The peer does not speak TLS, and this side does. */
  | "peer-speaks-plain"
  /** No trusted authority issued the peer's certificate. */
  | "unknown-issuer"
  /** The certificate or key is this program's own. */
  | "own-certificate";

/** What is known of an error code. */
export interface ErrorTraits {
  /** Whether a server may send it in an error reply. After any of them it closes the connection. */
  readonly wire: boolean;
  /** Whether another attempt can succeed where one has failed with this code. */
  readonly retry: boolean;
  /** What it means. */
  readonly meaning: string;
  /** Why a client leaves the map when its server sends it this code; only of codes on the wire. */
  readonly cause?: LeaveCause;
  /** The limit that it reports, unless the error itself names another. */
  readonly limit?: LimitName;
  /** What a user of the command line can do about it. */
  readonly hint?: string;
  /** The same where the error has a reason; it comes before `hint`. */
  readonly hints?: Readonly<Partial<Record<ErrorReason, string>>>;
}

const USE_TLS = "If it does, use --tls";

/** Every error code, in the order in which the documentation lists them. */
export const ERRORS = {
  BAD_MAGIC: {
    wire: true,
    retry: false,
    meaning: "a message does not begin with the connection's magic byte",
    cause: "error",
  },
  BAD_VERSION: {
    wire: true,
    retry: false,
    meaning: "a java message has a version other than 1",
    cause: "error",
  },
  BAD_TYPE: {
    wire: true,
    retry: false,
    meaning: "a message has a type that does not exist, or cannot be sent on this connection",
    cause: "error",
  },
  STATE_TOO_LARGE: {
    wire: true,
    // The same state would be refused again.
    retry: false,
    meaning: "a state is longer than the limit; refused from its length alone",
    cause: "error",
    limit: "state",
  },
  TOO_MANY_CLIENTS: {
    wire: true,
    retry: true,
    meaning: "the server already holds as many connections, or watchers, as it may",
    cause: "error",
    limit: "clients",
  },
  RATE_LIMITED: {
    wire: true,
    retry: true,
    meaning: "more connections came than the server can look at before they have shown a token",
    cause: "error",
    limit: "unauthorized",
    hint: "Try again: the server is being flooded with connections that show no token",
  },
  TIMEOUT: {
    wire: true,
    retry: true,
    meaning: "a message was not completed in time, or nothing was heard for too long",
    cause: "timeout",
    limit: "time",
    hints: { unreachable: "Say where the server is with --server HOST:PORT", "silent-peer": USE_TLS },
  },
  BAD_HELLO: {
    wire: true,
    retry: false,
    meaning: "a Hello is not a connection's first message, or a message's JSON is not as it must be",
    cause: "error",
  },
  NAME_TAKEN: {
    wire: true,
    // Two clients of one name would take it from each other without end: the one that loses it stays away.
    retry: false,
    meaning: "another connection has the name",
    cause: "error",
    hint: "Choose another name, or take it from there with --takeover",
  },
  SUPERSEDED: {
    wire: true,
    // Trying again is the business of the attempt that came before this one, and is connected by now.
    retry: false,
    meaning: "something later has been there already: another attempt of the client, or another Put",
    cause: "error",
  },
  KICKED: {
    wire: true,
    retry: false,
    meaning: "somebody with the right to do so has ended the client",
    cause: "kicked",
  },
  UNAVAILABLE: {
    wire: true,
    retry: true,
    meaning: "what the server needs in order to answer cannot be asked just now",
    cause: "error",
  },
  TAKEN_OVER: {
    wire: true,
    retry: false,
    meaning: "another connection has taken over the name",
    cause: "error",
  },
  UNAUTHORIZED: {
    wire: true,
    // The same token would get the same answer.
    retry: false,
    meaning: "the client has shown no token that allows what it asks for",
    cause: "error",
    hint: "Show one of the server's tokens: --token-file FILE, or TRACKER_TOKEN in the environment",
    hints: { "write-denied": "Show a token that may write: --token-file FILE" },
  },
  TOO_MUCH_STATE: {
    wire: true,
    retry: true,
    meaning: "all states together would take more than the server allows",
    cause: "error",
    limit: "totalState",
  },
  SLOW_CONSUMER: {
    wire: true,
    retry: true,
    meaning: "a watcher reads more slowly than the map changes",
    cause: "error",
    limit: "unsent",
  },
  SHUTTING_DOWN: {
    wire: true,
    retry: true,
    meaning: "the server is being stopped",
    cause: "shutdown",
  },
  REFUSED: {
    wire: false,
    // A server that sends a code of a later version knows better than to be asked again and again.
    retry: false,
    meaning: "the server refused with a code that this version does not know; the message has its text",
  },
  BAD_REPLY: {
    wire: false,
    retry: false,
    meaning: "the server sent bytes that are no reply of the protocol",
  },
  REPLY_TOO_LARGE: {
    wire: false,
    retry: false,
    meaning: "the server's map is longer than this client accepts",
  },
  CONNECTION_REFUSED: {
    wire: false,
    retry: true,
    meaning: "nothing listens at the server's address",
    hint: "Start one with: tracker serve",
  },
  CONNECTION_FAILED: {
    wire: false,
    retry: true,
    meaning: "the connection could not be made, or broke",
    hints: { unreachable: "Say where the server is with --server HOST:PORT", "silent-peer": USE_TLS },
  },
  TLS_FAILED: {
    wire: false,
    retry: true,
    meaning: "the two sides could not agree on TLS; perhaps only one of them speaks it",
    hints: {
      "peer-speaks-plain": "Leave out --tls and --ca, or name the port for TLS",
      "peer-speaks-tls": "Use --tls",
    },
  },
  BAD_CERTIFICATE: {
    wire: false,
    // A machine that starts without a clock takes every certificate for one of the future until it has heard the time.
    retry: true,
    meaning: "a certificate or its key cannot be used, or the server's certificate cannot be trusted",
    hints: {
      "own-certificate": "Look at the files of --tls-cert and --tls-key",
      "unknown-issuer": "Name a file with its authority's certificate: --ca FILE",
    },
  },
  CONNECTION_CLOSED: {
    wire: false,
    retry: true,
    meaning: "the connection has ended, so the call cannot be answered",
    hints: { "silent-peer": USE_TLS },
  },
  BUFFER_FULL: {
    wire: false,
    retry: true,
    meaning: "the server reads slower than this client sends, and its buffer is full",
  },
  ABORTED: {
    wire: false,
    retry: false,
    meaning: "the caller's AbortSignal stopped the call",
  },
  ADDRESS_IN_USE: {
    wire: false,
    retry: false,
    meaning: "another program already listens on the port",
    hint: "Choose another port with --port, or stop the other program",
  },
  BAD_ADDRESS: {
    wire: false,
    retry: false,
    meaning: "the host is not an address of this machine, or cannot be resolved",
    hint: "Give --host an address of this machine, such as 127.0.0.1",
  },
  PERMISSION_DENIED: {
    wire: false,
    retry: false,
    meaning: "the system, or Deno's permissions, do not allow it",
    hints: {
      "not-granted": "Run deno with -N: deno run -N main.ts serve",
      "forbidden-port": "Choose a port above 1023 with --port",
    },
  },
  BAD_ARGUMENT: {
    wire: false,
    retry: false,
    meaning: "an option or argument has a value that cannot be used",
  },
} as const satisfies Record<string, ErrorTraits>;

/** Any code a {@linkcode TrackerError} can have. */
export type ErrorCode = keyof typeof ERRORS;

/** A code of an error reply on the wire. */
export type WireErrorCode = { [Code in ErrorCode]: typeof ERRORS[Code]["wire"] extends true ? Code : never }[ErrorCode];

/** A code that arises only on the side of the program that uses the library. */
export type LocalErrorCode = Exclude<ErrorCode, WireErrorCode>;

/** Codes a server puts into an error reply, each with its meaning. After any of them it closes the connection. */
export const WIRE_ERRORS: Readonly<Record<WireErrorCode, string>> = meaningsWhere(true);

/** Codes that arise on the side of the program that uses the library, each with its meaning. */
export const LOCAL_ERRORS: Readonly<Record<LocalErrorCode, string>> = meaningsWhere(false);

function meaningsWhere<Code extends ErrorCode>(wire: boolean): Record<Code, string> {
  const rows = Object.entries(ERRORS).filter(([, traits]) => traits.wire === wire);
  return Object.fromEntries(rows.map(([code, { meaning }]) => [code, meaning])) as Record<Code, string>;
}

/** Options for {@linkcode TrackerError}. */
export interface TrackerErrorOptions extends ErrorOptions {
  /** What is behind it, where what to do next depends on that. */
  reason?: ErrorReason | undefined;
  /** The limit that was reached, where the code stands for several. */
  limit?: LimitName | undefined;
}

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
  /** What is behind it; `undefined` where the code says all there is to say. */
  readonly reason: ErrorReason | undefined;
  /** The limit that was reached; `undefined` where none was. */
  readonly limit: LimitName | undefined;

  /**
   * Creates an error to throw or to send.
   *
   * @param code What went wrong, for programs
   * @param message What went wrong, for people, in the form "Cannot …: why"
   * @param options `cause`: the error this one came from; `reason` and `limit`: see there
   */
  constructor(code: ErrorCode, message: string, options: TrackerErrorOptions = {}) {
    super(message, options);
    this.name = "TrackerError";
    this.code = code;
    this.reason = options.reason;
    this.limit = options.limit ?? traitsOf(code).limit;
  }

  /** What a user of the command line can do about it; `undefined` where that is not known. */
  get hint(): string | undefined {
    const { hint, hints } = traitsOf(this.code);
    return this.reason !== undefined && hints?.[this.reason] || hint;
  }
}

/** A row of the table, whose own type has only the members that it has. */
function traitsOf(code: ErrorCode): ErrorTraits {
  return ERRORS[code];
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
  return ERRORS[code].retry;
}

/**
 * Finds why a client leaves the map when its server ends it with an error.
 *
 * @param code The error's code
 * @returns The cause of the leave
 */
export function leaveCauseOf(code: ErrorCode): LeaveCause {
  return traitsOf(code).cause ?? "error";
}

/**
 * Puts whatever was thrown into words.
 *
 * @param thrown Anything
 * @returns The message of an error, or the text of anything else
 */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
