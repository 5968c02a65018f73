/**
 * The vocabulary of the Tracker protocol: message types, dialects and limits, without logic. PROTOCOL.md has the rules
 * that give these numbers their meaning; `codec.ts` and `wire/` apply them to bytes.
 *
 * @module
 */

/** First byte of every message in the compact and wide dialects (42, `*`). */
export const MAGIC = 42;

/** First byte of every message in the java dialect (66, 0x42). */
export const JAVA_MAGIC = 66;

/** Second byte of every message in the java dialect. */
export const JAVA_VERSION = 1;

/** Opens the client: payload a state, reply {@linkcode DONE}. */
export const OPEN = 0;

/** Closes the client and its connection: no payload, reply {@linkcode DONE}. */
export const CLOSE = 1;

/** Replaces the client's state: payload a state, no reply. */
export const UPDATE = 2;

/** Asks for the flattened map: no payload, reply a length and the map. */
export const GET = 3;

/** Enables the extensions: payload a JSON object, reply {@linkcode DONE}, a length and a JSON object. */
export const HELLO = 4;

/** Subscribes to changes: payload a JSON object, reply {@linkcode DONE}, then frames of events. */
export const WATCH = 5;

/** Asks for the clients as records: payload a JSON object, reply a length and the records. */
export const LIST = 6;

/** Asks for a sign of life: no payload, reply {@linkcode DONE}, or an event on a connection that watches. */
export const PING = 7;

/** Asks for the server's statistics: no payload, reply a length and a JSON object. */
export const STATS = 8;

/** Sets a name's state without a connection: payload a length, a JSON object and a state; reply {@linkcode DONE}, a length and JSON. */
export const PUT = 9;

/** Removes a name's entry: payload a JSON object, reply {@linkcode DONE}, a length and a JSON object. */
export const DROP = 10;

/** Ends a client: payload a JSON object, reply {@linkcode DONE}, a length and a JSON object. */
export const KICK = 11;

/** Asks for one client's record: payload a JSON object, reply a length and at most one record. */
export const FETCH = 12;

/** The one-byte reply to Open, Close and Ping; also begins the reply to Hello and Watch. */
export const DONE = 1;

/** First byte of an error reply; the second is the length of its text, never 0. */
export const ERROR = 0;

/** Type byte of a message. */
export type MessageType =
  | typeof OPEN
  | typeof CLOSE
  | typeof UPDATE
  | typeof GET
  | typeof HELLO
  | typeof WATCH
  | typeof LIST
  | typeof PING
  | typeof STATS
  | typeof PUT
  | typeof DROP
  | typeof KICK
  | typeof FETCH;

/** Names of the message types, indexed by type byte. */
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
  "Put",
  "Drop",
  "Kick",
  "Fetch",
];

/**
 * Framing of a connection's messages:
 *
 * | dialect | header | length |
 * |---|---|---|
 * | `compact` | `42 type` | 1 byte |
 * | `wide` | `42 type` | 8 bytes |
 * | `java` | `66 1 type` | 8 bytes |
 */
export type Dialect = "compact" | "wide" | "java";

/** Every dialect, in the order of PROTOCOL.md. */
export const DIALECTS: readonly Dialect[] = ["compact", "wide", "java"];

/** Default port. */
export const DEFAULT_PORT = 6789;

/** Default port for TLS. */
export const DEFAULT_TLS_PORT = 6790;

/** Default limit on the length of a state, in bytes (64 KiB). */
export const DEFAULT_MAX_STATE = 65_536;

/**
 * Highest limit on the length of a state that can be set, in bytes (1 GiB). It keeps every offset in a buffer a 31-bit
 * integer, which makes index arithmetic in the codec exact and fast.
 */
export const HIGHEST_MAX_STATE = 2 ** 30;

/** Longest payload of a compact message, in bytes: the most its one length byte can hold. */
export const MAX_COMPACT_LENGTH = 255;

/** Size of a length in the wide and java dialects and in every long reply, in bytes. */
export const LONG_LENGTH_SIZE = 8;

/**
 * How long a connection whose dialect depends on the next byte may stay silent before it counts as compact, in
 * milliseconds (PROTOCOL.md, "Telling the dialects apart").
 */
export const SETTLE_TIMEOUT = 500;

/** Longest JSON of a request, in bytes. */
export const MAX_REQUEST = 4_096;

/** What an incarnation looks like. */
export const INCARNATION_PATTERN: RegExp = /^[\x21-\x7e]{1,255}$/;

/** Edition of the protocol that this version speaks; a server says it in its greeting. */
export const EDITION = 2;

/** Longest identifier of a client opened by the server's own program, in bytes of UTF-8: the most two bytes can hold. */
export const MAX_IDENTIFIER = 65_535;

/** Form of a name. A name becomes an identifier, so it must not look like a numbered one. */
export const NAME_PATTERN: RegExp = /^(?!client\d+$)[A-Za-z0-9._:-]{1,128}$/;

/** Form of the instance by which a client is known to be the same on another connection. */
export const INSTANCE_PATTERN: RegExp = /^[A-Za-z0-9._:-]{1,64}$/;

/** Shortest and longest heartbeat that a client can promise, in seconds. */
export const HEARTBEAT_RANGE: readonly [least: number, most: number] = [1, 3_600];

/** Longest time that an entry may be without a connection, in seconds. */
export const LONGEST_GRACE = 86_400;

/** Shortest and longest time for which a Put sets an entry, in seconds. */
export const PUT_RANGE: readonly [least: number, most: number] = [1, LONGEST_GRACE];

/** A Put's own time is ignored when it is so far off the server's clock, in milliseconds: a Pi may have no clock yet. */
export const CLOCK_TOLERANCE = 60_000;

/** Longest reason of a Kick, in characters. */
export const MAX_REASON = 128;

/** Bytes of the length of a Put's JSON. */
export const JSON_LENGTH_SIZE = 2;

/** Heartbeats of silence after which a client is given up. */
export const HEARTBEAT_PATIENCE = 2.5;

/** Kinds of events in a frame, each with its byte on the wire. */
export const EVENT_KINDS = {
  present: 1,
  synced: 2,
  join: 3,
  update: 4,
  suspect: 5,
  resume: 6,
  leave: 7,
  pong: 8,
  set: 9,
  snapshot: 11,
} as const;

/** Name of an event's kind. */
export type EventKind = keyof typeof EVENT_KINDS;

/** Statuses of a client, indexed by the byte on the wire. */
export const STATUSES = ["live", "suspect", "detached"] as const;

/**
 * Status of a client: connected; waited for under its name after its connection has ended; or meant to be without a
 * connection, so that nobody is missing.
 */
export type Status = typeof STATUSES[number];

/** Causes of a leave, indexed by the byte on the wire. */
export const LEAVE_CAUSES = [
  "close",
  "disconnect",
  "timeout",
  "takeover",
  "shutdown",
  "error",
  "kicked",
  "node lost",
  "expired",
] as const;

/** Why a client left the map. */
export type LeaveCause = typeof LEAVE_CAUSES[number];
