/**
 * Replies to bytes and back: how a server answers, and how a client reads that. Pure, like the codec of messages.
 *
 * @module
 */

import { readU64, writeU64 } from "../base/bytes.ts";
import { INVALID, NEED_MORE } from "../codec.ts";
import { isWireErrorCode, TrackerError } from "../errors.ts";
import { type Dialect, DONE, ERROR, LONG_LENGTH_SIZE, MAX_COMPACT_LENGTH } from "../protocol.ts";
import { badReply } from "./bad_reply.ts";

/** First byte of a TLS alert record, with which a server that speaks TLS answers a client that does not. */
const TLS_ALERT = 21;

/** Second byte of every TLS record. */
const TLS_VERSION = 3;

/** Most bytes that {@linkcode encodeMapLength} writes. */
export const MAP_LENGTH_SIZE: number = LONG_LENGTH_SIZE;

/**
 * Writes the length in front of a flattened map, the reply to a Get: one byte on a compact or unsettled connection if
 * the length fits, else eight.
 *
 * @param target The buffer to write to, with at least {@linkcode MAP_LENGTH_SIZE} bytes of room
 * @param at Offset to start at
 * @param length The length of the map, in bytes
 * @param dialect The dialect of the connection that asked
 * @returns The offset after the length
 */
export function encodeMapLength(
  target: Uint8Array,
  at: number,
  length: number,
  dialect: Dialect | "unsettled",
): number {
  if (length > MAX_COMPACT_LENGTH || dialect === "wide" || dialect === "java") return writeU64(target, at, length);
  target[at] = length;
  return at + 1;
}

/** Longest text of an error reply, in bytes: the most its one length byte can hold. */
const MAX_ERROR_TEXT = 255;

/**
 * Encodes an error reply, the same in every dialect: `0`, a length byte, and `CODE: reason` in UTF-8, cut between
 * characters when it is longer than 255 bytes.
 *
 * @param error The error to report to the client
 * @returns The reply's bytes
 */
export function encodeError(error: TrackerError): Uint8Array {
  const reply = new Uint8Array(2 + MAX_ERROR_TEXT);
  const { written } = new TextEncoder().encodeInto(`${error.code}: ${error.message}`, reply.subarray(2));
  reply[0] = ERROR;
  reply[1] = written;
  return reply.slice(0, 2 + written);
}

/** {@linkcode ReplyParser.next} found the `1` that answers an Open, Close, Ping or Watch. */
export const REPLY_DONE = 1;

/** {@linkcode ReplyParser.next} found the reply to a Get: the payload is the map. */
export const REPLY_MAP = 2;

/** {@linkcode ReplyParser.next} found an error reply: `error` has the server's code and reason. */
export const REPLY_ERROR = 3;

/** {@linkcode ReplyParser.next} found the reply to a Hello: the payload is its JSON. */
export const REPLY_HELLO = 4;

/** {@linkcode ReplyParser.next} found the reply to a List: the payload is its records. */
export const REPLY_LIST = 5;

/** {@linkcode ReplyParser.next} found a frame on a connection that watches: the payload is its events. */
export const REPLY_FRAME = 6;

/** {@linkcode ReplyParser.next} found the reply to a Stats: the payload is its JSON. */
export const REPLY_STATS = 7;

/** {@linkcode ReplyParser.next} found the reply to a Put, Drop or Kick: the payload is its JSON. */
export const REPLY_JSON = 8;

/** Result of {@linkcode ReplyParser.next}. */
export type ReplyToken =
  | typeof REPLY_DONE
  | typeof REPLY_MAP
  | typeof REPLY_ERROR
  | typeof REPLY_HELLO
  | typeof REPLY_LIST
  | typeof REPLY_FRAME
  | typeof REPLY_STATS
  | typeof REPLY_JSON
  | typeof NEED_MORE
  | typeof INVALID;

/**
 * The reply that a client waits for: to an Open, Close, Ping or Watch (`done`), to a Get, Hello, List or Fetch (`list`), or
 * Stats, to a Put, Drop or Kick (`json`), the frames after a Watch, among which a Close may be answered, or none at all.
 */
export type Expected = "done" | "map" | "hello" | "list" | "stats" | "json" | "frame" | "nothing";

/** Default limit on the length of a map that a client accepts, in bytes (256 MiB). */
export const DEFAULT_MAX_MAP = 2 ** 28;

/** Longest greeting that a client accepts, in bytes. */
export const MAX_GREETING = 4_096;

/** Longest report that a client accepts, in bytes. */
export const MAX_REPORT = 65_536;

/** Options for {@linkcode ReplyParser}. */
export interface ReplyParserOptions {
  /**
   * Longest map, list or frame to accept, in bytes.
   *
   * @default {DEFAULT_MAX_MAP}
   */
  maxMap?: number;
}

/**
 * Parses a server's replies. Replies do not name what they answer, so the caller says what comes next; their form tells
 * the rest, in every dialect.
 *
 * @example The reply to a Get
 * ```ts
 * import { REPLY_MAP, ReplyParser } from "@tracker/tracker/wire";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array([15, ...new TextEncoder().encode("{a=b, c=d, e=f}")]);
 * const parser = new ReplyParser();
 * assertEquals(parser.next(bytes, 0, bytes.length, "map"), REPLY_MAP);
 * assertEquals(parser.payloadStart, 1);
 * assertEquals(parser.payloadEnd, 16);
 * ```
 */
export class ReplyParser {
  /** Offset after the last reply parsed. */
  position = 0;
  /** Offset of the first byte of the payload, or of the error's text. */
  payloadStart = 0;
  /** Offset after the last byte of the payload, or of the error's text. */
  payloadEnd = 0;
  /** After {@linkcode NEED_MORE}: how many bytes the reply needs in all, as far as is known yet. */
  needed = 0;
  /** After {@linkcode REPLY_ERROR}: the server's error. After {@linkcode INVALID}: what is wrong with its bytes. */
  error: TrackerError | null = null;

  readonly #maxMap: number;

  /**
   * Creates a parser for one connection.
   *
   * @param options The longest payload to accept
   */
  constructor(options: ReplyParserOptions = {}) {
    this.#maxMap = options.maxMap ?? DEFAULT_MAX_MAP;
  }

  /**
   * Parses one reply.
   *
   * @param buffer The caller's bytes
   * @param from Offset to start at: 0, or `position` after the last call
   * @param to Offset after the last byte
   * @param expected The reply to the oldest unanswered message
   * @returns What was found
   */
  next(buffer: Uint8Array, from: number, to: number, expected: Expected): ReplyToken {
    this.position = from;
    if (to === from) return this.#needMore(1);
    const first = buffer[from] ?? 0;
    // The map of a one-byte length begins with a brace, so a TLS alert is no reply, whatever is expected.
    if (first === TLS_ALERT || first === ERROR) {
      if (to - from < 2) return this.#needMore(2);
      const second = buffer[from + 1] ?? 0;
      if (first === TLS_ALERT && second === TLS_VERSION) return this.#failTls();
      if (first === ERROR && second !== 0) return this.#errorReply(buffer, from, to, second);
    }
    if (first === ERROR) {
      const form = LONG_REPLIES[expected];
      if (form !== undefined) return this.#longReply(form, buffer, from, from, to);
    } else if (expected === "map" && first >= SHORTEST_MAP) {
      return this.#map(buffer, from, from + 1, first, to);
    } else if (first === DONE && (expected === "hello" || expected === "json")) {
      return this.#longReply(expected === "hello" ? HELLO_REPLY : JSON_REPLY, buffer, from + 1, from, to);
    } else if (first === DONE && (expected === "done" || expected === "frame")) {
      return this.#payload(REPLY_DONE, from + 1, 0, from, to);
    }
    return this.#fail(badReply(`it begins with ${first}, which is no answer to ${QUESTION[expected]}`));
  }

  /** Parses a reply with eight bytes of length, which begin at `at`. */
  #longReply(
    { token, name, least, most }: LongReply,
    buffer: Uint8Array,
    at: number,
    from: number,
    to: number,
  ): ReplyToken {
    const start = at + LONG_LENGTH_SIZE;
    if (to < start) return this.#needMore(start - from);
    const length = readU64(buffer, at);
    if (length < least || length > (most ?? Infinity)) {
      return this.#fail(badReply(`a ${name} of ${length} bytes does not exist`));
    }
    if (length > this.#maxMap) {
      const why = `${length} is above the limit of ${this.#maxMap}; raise maxMap to accept it`;
      return this.#fail(new TrackerError("REPLY_TOO_LARGE", `Cannot parse ${name} length: ${why}`));
    }
    if (token === REPLY_MAP) return this.#map(buffer, from, start, Number(length), to);
    return this.#payload(token, start, Number(length), from, to);
  }

  /** A map is in braces. Whatever is not comes from another kind of server, whose first byte was taken for a length. */
  #map(buffer: Uint8Array, from: number, start: number, length: number, to: number): ReplyToken {
    const last = start + length - 1;
    if (to > start && buffer[start] !== OPENING_BRACE || to > last && buffer[last] !== CLOSING_BRACE) {
      return this.#fail(badReply("it is no map; perhaps another kind of server listens there"));
    }
    return this.#payload(REPLY_MAP, start, length, from, to);
  }

  #payload(token: ReplyToken, start: number, length: number, from: number, to: number): ReplyToken {
    if (to < start + length) return this.#needMore(start + length - from);
    this.payloadStart = start;
    this.payloadEnd = this.position = start + length;
    return token;
  }

  #errorReply(buffer: Uint8Array, from: number, to: number, length: number): ReplyToken {
    const token = this.#payload(REPLY_ERROR, from + 2, length, from, to);
    if (token === REPLY_ERROR) {
      this.error = errorFromText(new TextDecoder().decode(buffer.subarray(this.payloadStart, this.payloadEnd)));
    }
    return token;
  }

  #needMore(needed: number): ReplyToken {
    this.needed = needed;
    return NEED_MORE;
  }

  #failTls(): ReplyToken {
    const why = "the server speaks TLS on this port, and this connection does not";
    return this.#fail(new TrackerError("TLS_FAILED", `Cannot parse reply: ${why}`, { reason: "peer-speaks-tls" }));
  }

  #fail(error: TrackerError): ReplyToken {
    this.error = error;
    return INVALID;
  }
}

/** Bytes of the shortest map, `{}`. It tells a one-byte length from an error and from a long length. */
const SHORTEST_MAP = 2;

const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

/** A kind of reply with eight bytes of length. */
interface LongReply {
  readonly token: ReplyToken;
  /** Its name in errors. */
  readonly name: string;
  /** Fewest bytes it can have. */
  readonly least: number;
  /** Most bytes it can have, if that does not depend on the map. */
  readonly most?: number;
}

const HELLO_REPLY: LongReply = { token: REPLY_HELLO, name: "greeting", least: 2, most: MAX_GREETING };

const JSON_REPLY: LongReply = { token: REPLY_JSON, name: "answer", least: 2, most: MAX_GREETING };

/** Replies whose first byte is that of their length. */
const LONG_REPLIES: Partial<Record<Expected, LongReply>> = {
  map: { token: REPLY_MAP, name: "map", least: SHORTEST_MAP },
  list: { token: REPLY_LIST, name: "list", least: LONG_LENGTH_SIZE },
  stats: { token: REPLY_STATS, name: "report", least: 2, most: MAX_REPORT },
  frame: { token: REPLY_FRAME, name: "frame", least: 1 },
};

/** The question that each kind of reply answers, for errors. */
const QUESTION: Readonly<Record<Expected, string>> = {
  done: "an Open or a Close",
  map: "a Get",
  hello: "a Hello",
  list: "a List or a Fetch",
  stats: "a Stats",
  json: "a Put, a Drop or a Kick",
  frame: "a Watch",
  nothing: "anything that was asked",
};

/** Turns the text of an error reply back into the error it came from. */
function errorFromText(text: string): TrackerError {
  const [, code = "", reason = ""] = /^([A-Z_]+): ?([^]*)$/.exec(text) ?? [];
  return isWireErrorCode(code) ? new TrackerError(code, reason) : new TrackerError("REFUSED", text);
}
