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

/** The one-byte reply to Open and Close. */
export const DONE = 1;

/** First byte of an error reply; the second is the length of its text, and is never 0. */
export const ERROR = 0;

/** The type byte of a message a client sends. */
export type MessageType = typeof OPEN | typeof CLOSE | typeof UPDATE | typeof GET;

/** The names of the message types, indexed by their type byte. */
export const MESSAGE_NAMES: readonly string[] = ["Open", "Close", "Update", "Get"];

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
