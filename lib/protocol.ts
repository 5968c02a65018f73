/**
 * The vocabulary of the Tracker protocol: constants, message types, dialects and limits. No logic lives here; the
 * rules that give these numbers their meaning are in PROTOCOL.md, and the only code that applies them to bytes is
 * `codec.ts`.
 *
 * @module
 */

/** First byte of every message in the compact and wide dialects (42, `*`). */
export const MAGIC = 42;

/** First byte of every message in the java dialect (66, 0x42). */
export const JAVA_MAGIC = 66;

/** Second byte of every message in the java dialect. */
export const JAVA_VERSION = 1;

/** Opens the client: payload is its state, reply is {@linkcode DONE}. */
export const OPEN = 0;

/** Closes the client: no payload, reply is {@linkcode DONE}, then the server closes the connection. */
export const CLOSE = 1;

/** Replaces the client's state: payload is the state, no reply. */
export const UPDATE = 2;

/** Asks for the flattened map: no payload, reply is a length and the map. */
export const GET = 3;

/** Greets: payload is a JSON object, reply is {@linkcode DONE}, a length and a JSON object. Opens the extensions. */
export const HELLO = 4;

/** Asks to be told of changes: payload is a JSON object, reply is {@linkcode DONE}, then frames of events. */
export const WATCH = 5;

/** Asks for the clients as records: payload is a JSON object, reply is a length and the records. */
export const LIST = 6;

/** Asks for a sign of life: no payload, reply is {@linkcode DONE}, or an event on a connection that watches. */
export const PING = 7;

/** Asks how the server is doing: no payload, reply is a length and a JSON object. */
export const STATS = 8;

/** The one-byte reply to Open, Close and Ping. */
export const DONE = 1;

/** First byte of an error reply; the second is the length of its text, and is never 0. */
export const ERROR = 0;

/** The type byte of a message a client sends. */
export type MessageType =
  | typeof OPEN
  | typeof CLOSE
  | typeof UPDATE
  | typeof GET
  | typeof HELLO
  | typeof WATCH
  | typeof LIST
  | typeof PING
  | typeof STATS;

/** The names of the message types, indexed by their type byte. */
export const MESSAGE_NAMES: readonly string[] = [
  "Open",
  "Close",
  "Update",
  "Get",
  "Hello",
  "Watch",
  "List",
  "Ping",
  "Stats",
];

/**
 * How a connection frames its messages:
 *
 * | dialect | header | length |
 * |---|---|---|
 * | `compact` | `42 type` | 1 byte |
 * | `wide` | `42 type` | 8 bytes |
 * | `java` | `66 1 type` | 8 bytes |
 */
export type Dialect = "compact" | "wide" | "java";

/** Every dialect, in the order the protocol page lists them. */
export const DIALECTS: readonly Dialect[] = ["compact", "wide", "java"];

/** The port a server listens on unless told otherwise. */
export const DEFAULT_PORT = 6789;

/** The port a server listens on with TLS unless told otherwise. */
export const DEFAULT_TLS_PORT = 6790;

/** Longest state a server takes unless told otherwise, in bytes. */
export const DEFAULT_MAX_STATE = 65_536;

/**
 * The highest limit on a state that can be asked for, in bytes (1 GiB). It keeps every offset in a buffer a 31-bit
 * integer, which is what makes index arithmetic in the codec exact and fast.
 */
export const HIGHEST_MAX_STATE = 2 ** 30;

/** Longest payload of a compact message, in bytes: what its one length byte can say. */
export const MAX_COMPACT_LENGTH = 255;

/**
 * How long a connection whose dialect hangs on the next byte may stay silent before it is taken for compact, in
 * milliseconds (PROTOCOL.md, "Telling the dialects apart").
 */
export const SETTLE_TIMEOUT = 500;

/** Longest JSON payload of a Hello, Watch or List, in bytes. */
export const MAX_REQUEST = 4_096;

/** Longest identifier a program can give a client of its own, in bytes of UTF-8: what its two length bytes can say. */
export const MAX_IDENTIFIER = 65_535;

/** What a name looks like: it becomes an identifier, so it must also not have the form of a numbered one. */
export const NAME_PATTERN: RegExp = /^(?!client\d+$)[A-Za-z0-9._:-]{1,128}$/;

/** Least and most a client can promise as its heartbeat, in seconds. */
export const HEARTBEAT_RANGE: readonly [least: number, most: number] = [1, 3_600];

/** A client that has promised a heartbeat is given up after this many times that of silence. */
export const HEARTBEAT_PATIENCE = 2.5;

/** Longest a named client's entry may outlive its connection, in seconds. */
export const LONGEST_GRACE = 86_400;

/** What happened to a client, as a frame's event says it; each number is the byte on the wire. */
export const EVENT_KINDS = {
  present: 1,
  synced: 2,
  join: 3,
  update: 4,
  suspect: 5,
  resume: 6,
  leave: 7,
  pong: 8,
} as const;

/** The name of an event's kind. */
export type EventKind = keyof typeof EVENT_KINDS;

/** Whether a client's connection lasts, or has ended and its name is kept for it. Indexed by the byte on the wire. */
export const STATUSES = ["live", "suspect"] as const;

/** Whether a client's connection lasts, or has ended and its name is kept for it. */
export type Status = typeof STATUSES[number];

/** Why a client left the map. Indexed by the byte on the wire. */
export const LEAVE_CAUSES = [
  "close",
  "disconnect",
  "timeout",
  "takeover",
  "shutdown",
  "error",
  "kicked",
  "node lost",
] as const;

/** Why a client left the map. */
export type LeaveCause = typeof LEAVE_CAUSES[number];
