/**
 * Bytes to messages and back: the only place that knows the wire.
 *
 * Pure: it does no I/O, starts no timer and keeps no bytes. Parsers walk a buffer the caller owns and answer with a
 * small number (a {@linkcode Token}) and with offsets into that buffer, left in fields of the parser. That is what
 * lets a server take in tens of millions of messages a second: parsing one makes no object, no view and no string.
 *
 * There are two ways through the message parser. One message is read byte by byte, which needs nothing but the buffer.
 * An Update with more bytes behind it is taken for the first of a run, which is what a busy connection sends, and
 * walked with a `DataView` made for the run: the engine compiles each of its calls to one load and a byte swap.
 *
 * @module
 */

import { isWireErrorCode, TrackerError, type WireErrorCode } from "./errors.ts";
import {
  CLOSE,
  DEFAULT_MAX_STATE,
  type Dialect,
  DONE,
  ERROR,
  GET,
  HELLO,
  JAVA_MAGIC,
  JAVA_VERSION,
  LIST,
  MAGIC,
  MAX_COMPACT_LENGTH,
  MAX_REQUEST,
  MESSAGE_NAMES,
  type MessageType,
  OPEN,
  PING,
  STATS,
  UPDATE,
  WATCH,
} from "./protocol.ts";

/** The bytes seen so far do not complete a message or reply: call again with more. */
export const NEED_MORE: -1 = -1;

/**
 * The bytes seen so far are either a complete compact message with an empty state or the beginning of a wide one. The
 * next byte decides; if none comes, {@linkcode MessageParser.settle} does.
 */
export const AMBIGUOUS: -2 = -2;

/** The bytes break the protocol: the parser's `error` says how, and it will not parse any further. */
export const INVALID: -3 = -3;

/** What {@linkcode MessageParser.next} found: a message's type, or one of the three reasons why there is none. */
export type Token = MessageType | typeof NEED_MORE | typeof AMBIGUOUS | typeof INVALID;

/** Bytes of the length field in the wide and java dialects. */
const LONG_LENGTH = 8;

/** First byte of a record of TLS with a handshake, which is how a client begins that speaks it. */
const TLS_HANDSHAKE = 22;

/** First byte of a record of TLS with an alert, which is how a server answers a client that does not speak it. */
const TLS_ALERT = 21;

/** Second byte of every record of TLS. */
const TLS_VERSION = 3;

/** The header of a 42 Update as one 16-bit integer. */
const UPDATE_HEADER = MAGIC << 8 | UPDATE;

/** The end of a java Update's header (version and type) as one 16-bit integer. */
const JAVA_UPDATE_HEADER = JAVA_VERSION << 8 | UPDATE;

/**
 * What is known of a connection's dialect. Those that are not settled, or may still begin with a Hello, come first: the
 * parser compares by order. `SilentWide` is wide by the server's will, `Extended` is wide by way of a Hello.
 */
const Mode = { Silent: 0, SilentWide: 1, Unsettled: 2, Compact: 3, Wide: 4, Java: 5, Extended: 6 } as const;
type Mode = typeof Mode[keyof typeof Mode];

const MODE_OF_DIALECT = { auto: Mode.Silent, compact: Mode.Compact, wide: Mode.SilentWide, java: Mode.Java } as const;
const DIALECT_OF_MODE = ["unsettled", "wide", "unsettled", "compact", "wide", "java", "wide"] as const;

/** A byte that is known to be there: the callers have compared the offset with the end. */
function byteAt(buffer: Uint8Array, offset: number): number {
  return buffer[offset] ?? 0;
}

/** The lower half of an 8-byte length. */
function lowerHalf(buffer: Uint8Array, offset: number): number {
  const upper16 = byteAt(buffer, offset + 4) << 8 | byteAt(buffer, offset + 5);
  const lower16 = byteAt(buffer, offset + 6) << 8 | byteAt(buffer, offset + 7);
  // Multiplied, since a shift by 16 could set the sign.
  return upper16 * 65_536 + lower16;
}

/** Whether anything is set in the upper half of an 8-byte length, which then is at least 2^32. */
function hasUpperHalf(buffer: Uint8Array, offset: number): boolean {
  const upper = byteAt(buffer, offset) | byteAt(buffer, offset + 1) | byteAt(buffer, offset + 2);
  return (upper | byteAt(buffer, offset + 3)) !== 0;
}

/** All 64 bits of a length, exactly: for the cold paths. */
function exactLength(buffer: Uint8Array, offset: number): bigint {
  return new DataView(buffer.buffer, buffer.byteOffset).getBigUint64(offset);
}

/** What a {@linkcode MessageParser} can be told. */
export interface MessageParserOptions {
  /** The dialect to insist on; `"auto"`, the default, tells it from the first bytes. */
  dialect?: Dialect | "auto";
  /** Longest state accepted, in bytes. Default {@linkcode DEFAULT_MAX_STATE}. */
  maxState?: number;
}

/**
 * Parses what one connection's client sends, in whichever dialect it speaks.
 *
 * A run of Updates that lies whole in the buffer is answered with one {@linkcode UPDATE} token: `count` says how many
 * there were, and the state is the last one's, since each replaces the one before it.
 *
 * @example Two messages in one buffer
 * ```ts
 * import { GET, MessageParser, OPEN } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array([42, 0, 3, 97, 98, 99, 42, 3]);
 * const parser = new MessageParser();
 *
 * assertEquals(parser.next(bytes, 0, bytes.length), OPEN);
 * assertEquals(bytes.slice(parser.stateStart, parser.stateEnd), new Uint8Array([97, 98, 99]));
 * assertEquals(parser.next(bytes, parser.position, bytes.length), GET);
 * assertEquals(parser.dialect, "compact");
 * ```
 */
export class MessageParser {
  /** Offset of the first byte that is not part of a parsed message. */
  position = 0;
  /** Offset of the first byte of the state, or of the JSON, of the message just parsed. */
  stateStart = 0;
  /** Offset after the last byte of the state, or of the JSON, of the message just parsed. */
  stateEnd = 0;
  /** How many messages the token stands for: more than 1 only for a run of Updates. */
  count = 0;
  /** After {@linkcode NEED_MORE}: how many bytes the message needs in all, as far as can be told by now. */
  needed = 0;
  /** After {@linkcode INVALID}: what is wrong. */
  error: TrackerError | null = null;

  #mode: Mode;
  #enveloped = true;
  readonly #maxState: number;

  /**
   * Makes a parser for one connection.
   *
   * @param options The dialect to insist on and the longest state to accept
   */
  constructor(options: MessageParserOptions = {}) {
    this.#mode = MODE_OF_DIALECT[options.dialect ?? "auto"];
    this.#maxState = options.maxState ?? DEFAULT_MAX_STATE;
  }

  /** The connection's dialect, or `"unsettled"` as long as no length was seen. */
  get dialect(): Dialect | "unsettled" {
    return DIALECT_OF_MODE[this.#mode];
  }

  /** Whether the connection began with a Hello. */
  get extended(): boolean {
    return this.#mode === Mode.Extended;
  }

  /**
   * Parses one message, or one run of Updates.
   *
   * @param buffer The caller's bytes
   * @param from Where to begin: 0, or `position` after the last call
   * @param to Where the bytes end
   * @returns The message's type, or why there is none yet
   */
  next(buffer: Uint8Array, from: number, to: number): Token {
    this.position = from;
    if (this.error !== null) return INVALID;
    if (this.#mode <= Mode.Unsettled) {
      const token = this.#settleBy(buffer, from, to);
      if (this.#mode <= Mode.Unsettled || token !== NEED_MORE) return token;
    }
    return this.#mode === Mode.Compact ? this.#nextCompact(buffer, from, to) : this.#nextLong(buffer, from, to);
  }

  /**
   * Decides an {@linkcode AMBIGUOUS} message: nothing follows it, so it is compact with an empty state. Call it when
   * the stream has ended or {@linkcode SETTLE_TIMEOUT} has passed, then call {@linkcode next} again.
   */
  settle(): void {
    if (this.#mode === Mode.Unsettled) this.#mode = Mode.Compact;
  }

  /** Handles messages for as long as no length was seen; sets the mode when one is. */
  #settleBy(buffer: Uint8Array, from: number, to: number): Token {
    const available = to - from;
    if (available < 1) return this.#needMore(2);
    const magic = byteAt(buffer, from);
    if (magic === JAVA_MAGIC && this.#mode === Mode.Silent) {
      this.#mode = Mode.Java;
      return NEED_MORE;
    }
    if (magic !== MAGIC) return this.#failMagic(magic, this.#mode === Mode.Silent ? "42 or 66" : "42");
    if (available < 2) return this.#needMore(2);
    const type = byteAt(buffer, from + 1);
    if (type === HELLO && this.#mode !== Mode.Unsettled) return this.#greet(buffer, from, to);
    if (this.#mode === Mode.SilentWide) {
      this.#mode = Mode.Wide;
      return NEED_MORE;
    }
    this.#mode = Mode.Unsettled;
    if (type === GET || type === CLOSE) return this.#bare(type, from + 2);
    if (type !== OPEN && type !== UPDATE) return this.#failExtension(type);
    if (available < 3) return this.#needMore(3);
    if (byteAt(buffer, from + 2) !== 0) {
      this.#mode = Mode.Compact;
    } else if (available < 4) {
      this.needed = 4;
      return AMBIGUOUS;
    } else {
      this.#mode = byteAt(buffer, from + 3) === 0 ? Mode.Wide : Mode.Compact;
    }
    return NEED_MORE;
  }

  /** A Hello as the first message, whole or in part: it is what makes a connection an extended one. */
  #greet(buffer: Uint8Array, from: number, to: number): Token {
    const token = this.#request(HELLO, buffer, from, to);
    if (token === HELLO) this.#mode = Mode.Extended;
    return token;
  }

  /** A message of a type above the seed's four, on a connection that is wide. */
  #extension(type: number, buffer: Uint8Array, from: number, to: number): Token {
    if (this.#mode !== Mode.Extended) return this.#failExtension(type);
    if (type === PING || type === STATS) return this.#bare(type, from + 2);
    if (type === WATCH || type === LIST) return this.#request(type, buffer, from, to);
    return this.#failExtension(type);
  }

  /** A message that carries JSON, whose text is the caller's to read. */
  #request(type: typeof HELLO | typeof WATCH | typeof LIST, buffer: Uint8Array, from: number, to: number): Token {
    const start = from + 2 + LONG_LENGTH;
    if (to < start) return this.#needMore(start - from);
    const length = lowerHalf(buffer, from + 2);
    if (length > MAX_REQUEST || hasUpperHalf(buffer, from + 2)) {
      return this.#failRequest(type, exactLength(buffer, from + 2));
    }
    if (to < start + length) return this.#needMore(start + length - from);
    return this.#found(type, start, start + length, 1);
  }

  /**
   * The hot loop of the compact dialect: walks whole Updates, of which there is at least one, with a byte behind it. It
   * is long because it must not call anything.
   *
   * A client's states tend to be all of one length, so after each message it looks whether the next header is the
   * same, and steps on by the same distance while it is. The next address then does not hang on a length that must be
   * loaded first, and the processor works on several messages at once.
   */
  #compactRun(buffer: Uint8Array, from: number, to: number): Token {
    const view = new DataView(buffer.buffer, buffer.byteOffset, to);
    const limit = this.#maxState;
    let enveloped = this.#enveloped;
    let at = from;
    let start = 0;
    let count = 0;
    while (to - at >= 4 && view.getUint16(at) === UPDATE_HEADER) {
      const head = view.getUint32(at);
      const length = head >>> 8 & 0xff;
      const stride = 3 + length;
      if (length > limit || to - at < stride) break;
      if (enveloped && (length === 0 || (head & 0xff) !== length - 1)) enveloped = false;
      // The fourth byte is the envelope's; to a plain connection it may be anything.
      const freedom = enveloped ? 0 : 0xff;
      const last = to - Math.max(stride, 4);
      do {
        at += stride;
        count++;
      } while (at <= last && (view.getUint32(at) ^ head) >>> 0 <= freedom);
      start = at - length + (enveloped ? 1 : 0);
    }
    this.#enveloped = enveloped;
    return this.#found(UPDATE, start, at, count);
  }

  /** The hot loop of the wide and java dialects, made as the compact one; the header's size and bytes are data. */
  #longRun(buffer: Uint8Array, from: number, to: number): Token {
    const view = new DataView(buffer.buffer, buffer.byteOffset, to);
    const java = this.#mode === Mode.Java;
    const magic = java ? JAVA_MAGIC : MAGIC;
    const tail = java ? JAVA_UPDATE_HEADER : UPDATE_HEADER;
    const header = java ? 3 : 2;
    const prefix = header + LONG_LENGTH;
    const limit = this.#maxState;
    let at = from;
    let start = 0;
    let count = 0;
    while (to - at >= prefix && view.getUint16(at + header - 2) === tail && view.getUint8(at) === magic) {
      const length = view.getUint32(at + header + 4);
      const stride = prefix + length;
      if (view.getUint32(at + header) !== 0 || length > limit || to - at < stride) break;
      // Header and length as three words; the third overlaps the second, so that they end with the length.
      const first = view.getUint32(at);
      const second = view.getUint32(at + 4);
      const third = view.getUint32(at + prefix - 4);
      const last = to - stride;
      do {
        at += stride;
        count++;
      } while (
        at <= last && view.getUint32(at + prefix - 4) === third && view.getUint32(at) === first &&
        view.getUint32(at + 4) === second
      );
      start = at - length;
    }
    return this.#found(UPDATE, start, at, count);
  }

  /** One compact message. */
  #nextCompact(buffer: Uint8Array, from: number, to: number): Token {
    const available = to - from;
    if (available < 1) return this.#needMore(2);
    const magic = byteAt(buffer, from);
    if (magic !== MAGIC) return this.#failMagic(magic, "42");
    if (available < 2) return this.#needMore(2);
    const type = byteAt(buffer, from + 1);
    if (type === GET || type === CLOSE) return this.#bare(type, from + 2);
    if (type !== OPEN && type !== UPDATE) return this.#failExtension(type);
    if (available < 3) return this.#needMore(3);
    const length = byteAt(buffer, from + 2);
    if (length > this.#maxState) return this.#failLength(length);
    if (available < 3 + length) return this.#needMore(3 + length);
    if (type === UPDATE && available > 3 + length) return this.#compactRun(buffer, from, to);
    const start = from + 3;
    const looks = length !== 0 && byteAt(buffer, start) === length - 1;
    // An Open that looks enveloped all by itself shows a client whose Updates would fool the test: it is plain.
    if (looks === (type === OPEN)) this.#enveloped = false;
    return this.#found(type, start + (type === UPDATE && this.#enveloped ? 1 : 0), start + length, 1);
  }

  /** One wide or java message. */
  #nextLong(buffer: Uint8Array, from: number, to: number): Token {
    const java = this.#mode === Mode.Java;
    const header = java ? 3 : 2;
    const available = to - from;
    if (available < 1) return this.#needMore(header);
    const magic = byteAt(buffer, from);
    if (magic !== (java ? JAVA_MAGIC : MAGIC)) return this.#failMagic(magic, java ? "66" : "42");
    if (java && available >= 2 && byteAt(buffer, from + 1) !== JAVA_VERSION) {
      return this.#failVersion(byteAt(buffer, from + 1));
    }
    if (available < header) return this.#needMore(header);
    const type = byteAt(buffer, from + header - 1);
    if (type === GET || type === CLOSE) return this.#bare(type, from + header);
    if (type !== OPEN && type !== UPDATE) return this.#extension(type, buffer, from, to);
    const prefix = header + LONG_LENGTH;
    if (available < prefix) return this.#needMore(prefix);
    const length = lowerHalf(buffer, from + header);
    if (length > this.#maxState || hasUpperHalf(buffer, from + header)) {
      return this.#failLength(exactLength(buffer, from + header));
    }
    if (available < prefix + length) return this.#needMore(prefix + length);
    if (type === UPDATE && available > prefix + length) return this.#longRun(buffer, from, to);
    return this.#found(type, from + prefix, from + prefix + length, 1);
  }

  #needMore(needed: number): Token {
    this.needed = needed;
    return NEED_MORE;
  }

  #bare(type: typeof GET | typeof CLOSE | typeof PING | typeof STATS, end: number): Token {
    return this.#found(type, end, end, 1);
  }

  #found(type: MessageType, start: number, end: number, count: number): Token {
    this.stateStart = start;
    this.stateEnd = end;
    this.position = end;
    this.count = count;
    return type;
  }

  #failMagic(magic: number, expected: string): Token {
    const isFirst = this.#mode === Mode.Silent || this.#mode === Mode.SilentWide;
    const hint = isFirst && magic === TLS_HANDSHAKE ? "; it looks like TLS, which is not spoken on this port" : "";
    return this.#fail("BAD_MAGIC", `Cannot parse message: it begins with ${magic}, not ${expected}${hint}`);
  }

  #failVersion(version: number): Token {
    return this.#fail("BAD_VERSION", `Cannot parse message: its version is ${version}, not ${JAVA_VERSION}`);
  }

  #failType(type: number): Token {
    return this.#fail("BAD_TYPE", `Cannot parse message: there is no type ${type}`);
  }

  /** A type that would be an extension's, had the connection begun as one, gets a hint. */
  #failExtension(type: number): Token {
    const name = MESSAGE_NAMES[type];
    if (name === undefined || this.#mode === Mode.Java) return this.#failType(type);
    if (type === HELLO) {
      return this.#fail("BAD_HELLO", "Cannot take Hello: it must be the first message of its connection");
    }
    return this.#fail(
      "BAD_TYPE",
      `Cannot parse message: type ${type} (${name}) needs a connection that began with Hello`,
    );
  }

  #failRequest(type: number, length: bigint): Token {
    const what = `${MESSAGE_NAMES[type]} length: ${length}`;
    return this.#fail("BAD_HELLO", `Cannot parse ${what} is above the limit of ${MAX_REQUEST}`);
  }

  #failLength(length: number | bigint): Token {
    return this.#fail(
      "STATE_TOO_LARGE",
      `Cannot parse state length: ${length} is above the limit of ${this.#maxState}`,
    );
  }

  #fail(code: WireErrorCode, message: string): Token {
    this.error = new TrackerError(code, message);
    return INVALID;
  }
}

/**
 * Encodes one connection's messages. It is stateful for the sake of the compact dialect, whose server reads Updates
 * as enveloped until one proves otherwise: the encoder keeps the same account, so that every state arrives as it is.
 *
 * @example A compact Update travels in an envelope
 * ```ts
 * import { MessageEncoder, UPDATE } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new MessageEncoder("compact");
 * const bytes = encoder.encode(UPDATE, new TextEncoder().encode("abc"));
 * assertEquals(bytes, new Uint8Array([42, 2, 4, 3, 97, 98, 99]));
 * ```
 */
export class MessageEncoder {
  /** The dialect messages are encoded in. */
  readonly dialect: Dialect;
  #enveloped = true;

  /**
   * Makes an encoder for one connection.
   *
   * @param dialect The dialect to encode in; `"wide"` unless given
   */
  constructor(dialect: Dialect = "wide") {
    this.dialect = dialect;
  }

  /**
   * The type of message that brings a new state across: Update, except for the one shape that a compact Update cannot
   * express (255 bytes that happen to look enveloped). An Open does the same, but is answered.
   *
   * @param state The state to be sent
   * @returns {@linkcode UPDATE}, or {@linkcode OPEN} where an Update would be misread
   */
  carrierOf(state: Uint8Array): typeof OPEN | typeof UPDATE {
    const misread = this.dialect === "compact" && this.#enveloped && state.length === MAX_COMPACT_LENGTH &&
      looksEnveloped(state);
    return misread ? OPEN : UPDATE;
  }

  /**
   * How many bytes a message takes.
   *
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The size in bytes, header included
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  sizeOf(type: MessageType, state: Uint8Array = NOTHING): number {
    const header = this.dialect === "java" ? 3 : 2;
    if (isBare(type)) return header;
    if (this.dialect !== "compact") return header + LONG_LENGTH + state.length;
    if (state.length > MAX_COMPACT_LENGTH) {
      throw new TrackerError(
        "STATE_TOO_LARGE",
        `Cannot encode state: ${state.length} bytes is above the compact dialect's limit of ${MAX_COMPACT_LENGTH}`,
      );
    }
    return header + 1 + (this.#envelopes(type, state) ? 1 : 0) + state.length;
  }

  /**
   * Encodes a message into the caller's buffer, which must have {@linkcode sizeOf} bytes of room.
   *
   * @param target The buffer to write to
   * @param at Where to begin
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The offset after the message
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  encodeInto(target: Uint8Array, at: number, type: MessageType, state: Uint8Array = NOTHING): number {
    const end = at + this.sizeOf(type, state);
    if (this.dialect === "java") {
      target[at++] = JAVA_MAGIC;
      target[at++] = JAVA_VERSION;
    } else {
      target[at++] = MAGIC;
    }
    target[at++] = type;
    if (isBare(type)) return end;
    if (this.dialect === "compact") at = this.#writeCompactLength(target, at, type, state);
    else at = writeLongLength(target, at, state.length);
    target.set(state, at);
    return end;
  }

  /**
   * Encodes a message into a buffer of its own.
   *
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The message's bytes
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  encode(type: MessageType, state: Uint8Array = NOTHING): Uint8Array {
    const bytes = new Uint8Array(this.sizeOf(type, state));
    this.encodeInto(bytes, 0, type, state);
    return bytes;
  }

  #writeCompactLength(target: Uint8Array, at: number, type: MessageType, state: Uint8Array): number {
    if (this.#envelopes(type, state)) {
      target[at++] = state.length + 1;
    } else if (type === UPDATE || looksEnveloped(state)) {
      // The same evidence by which the server will take this connection for plain from here on.
      this.#enveloped = false;
    }
    target[at++] = state.length;
    return at;
  }

  #envelopes(type: MessageType, state: Uint8Array): boolean {
    return type === UPDATE && this.#enveloped && state.length < MAX_COMPACT_LENGTH;
  }
}

const NOTHING = new Uint8Array(0);

/** Whether a message is its header alone. */
function isBare(type: MessageType): boolean {
  return type === GET || type === CLOSE || type === PING || type === STATS;
}

/** The test of PROTOCOL.md's envelope rule on a payload. */
function looksEnveloped(payload: Uint8Array): boolean {
  return payload.length !== 0 && payload[0] === payload.length - 1;
}

function writeLongLength(target: Uint8Array, at: number, length: number): number {
  // Lengths fit in 53 bits, and a 32-bit shift does not reach the upper ones: they come by division.
  const high = Math.floor(length / 2 ** 32);
  target[at] = 0;
  target[at + 1] = 0;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = length >>> 24;
  target[at + 5] = length >>> 16;
  target[at + 6] = length >>> 8;
  target[at + 7] = length;
  return at + LONG_LENGTH;
}

/** Most bytes {@linkcode encodeMapLength} writes. */
export const MAP_LENGTH_SIZE: number = LONG_LENGTH;

/**
 * Writes the length that goes before a flattened map in the reply to a Get. A compact or unsettled connection gets
 * one byte while that can say the length, everything else eight.
 *
 * @param target The buffer to write to, with at least {@linkcode MAP_LENGTH_SIZE} bytes of room
 * @param at Where to begin
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
  if (length > MAX_COMPACT_LENGTH || dialect === "wide" || dialect === "java") {
    return writeLongLength(target, at, length);
  }
  target[at] = length;
  return at + 1;
}

/** Most bytes of text in an error reply: what its one length byte can say. */
const MAX_ERROR_TEXT = 255;

/**
 * Encodes an error reply, the same in every dialect: `0`, a length byte, and `CODE: reason` in UTF-8, cut at a
 * character's edge when it is longer than 255 bytes.
 *
 * @param error The error to tell the client
 * @returns The reply's bytes
 */
export function encodeError(error: TrackerError): Uint8Array {
  const reply = new Uint8Array(2 + MAX_ERROR_TEXT);
  const { written } = new TextEncoder().encodeInto(`${error.code}: ${error.message}`, reply.subarray(2));
  reply[0] = ERROR;
  reply[1] = written;
  return reply.slice(0, 2 + written);
}

/** {@linkcode ReplyParser.next} found the `1` that answers an Open or a Close. */
export const REPLY_DONE = 1;

/** {@linkcode ReplyParser.next} found the reply to a Get. */
export const REPLY_MAP = 2;

/** {@linkcode ReplyParser.next} found an error reply: `error` has what the server said. */
export const REPLY_ERROR = 3;

/** {@linkcode ReplyParser.next} found the reply to a Hello: the payload is its JSON. */
export const REPLY_HELLO = 4;

/** {@linkcode ReplyParser.next} found the reply to a List: the payload is its records. */
export const REPLY_LIST = 5;

/** {@linkcode ReplyParser.next} found a frame on a connection that watches: the payload is its events. */
export const REPLY_FRAME = 6;

/** {@linkcode ReplyParser.next} found the reply to a Stats: the payload is its JSON. */
export const REPLY_STATS = 7;

/** What {@linkcode ReplyParser.next} found. */
export type ReplyToken =
  | typeof REPLY_DONE
  | typeof REPLY_MAP
  | typeof REPLY_ERROR
  | typeof REPLY_HELLO
  | typeof REPLY_LIST
  | typeof REPLY_FRAME
  | typeof REPLY_STATS
  | typeof NEED_MORE
  | typeof INVALID;

/**
 * What a client waits for: the reply to an Open, Close, Ping or Watch (`done`), to a Get, Hello, List or Stats, the
 * frames after a Watch, among which a Close may be answered, or nothing at all.
 */
export type Expected = "done" | "map" | "hello" | "list" | "stats" | "frame" | "nothing";

/** Longest map a client accepts unless told otherwise, in bytes (256 MiB). */
export const DEFAULT_MAX_MAP = 2 ** 28;

/**
 * Parses what a server answers. Replies do not name what they answer, so the caller says what comes next; their form
 * tells the rest, in every dialect.
 *
 * @example The seed's own reply
 * ```ts
 * import { REPLY_MAP, ReplyParser } from "@tracker/tracker";
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
  /** Offset of the first byte that is not part of a parsed reply. */
  position = 0;
  /** Offset of the first byte of the map, or of the error's text. */
  payloadStart = 0;
  /** Offset after the last byte of the map, or of the error's text. */
  payloadEnd = 0;
  /** After {@linkcode NEED_MORE}: how many bytes the reply needs in all, as far as can be told by now. */
  needed = 0;
  /** After {@linkcode REPLY_ERROR} what the server said; after {@linkcode INVALID} what is wrong with its bytes. */
  error: TrackerError | null = null;

  readonly #maxMap: number;

  /**
   * Makes a parser for one connection.
   *
   * @param options `maxMap`: longest map accepted, in bytes; default {@linkcode DEFAULT_MAX_MAP}
   */
  constructor(options: { maxMap?: number } = {}) {
    this.#maxMap = options.maxMap ?? DEFAULT_MAX_MAP;
  }

  /**
   * Parses one reply.
   *
   * @param buffer The caller's bytes
   * @param from Where to begin: 0, or `position` after the last call
   * @param to Where the bytes end
   * @param expected What the oldest unanswered message asks for
   * @returns What was found
   */
  next(buffer: Uint8Array, from: number, to: number, expected: Expected): ReplyToken {
    this.position = from;
    if (to === from) return this.#needMore(1);
    const first = byteAt(buffer, from);
    // The map of a one-byte length begins with a brace, so this is no reply whatever is expected.
    if (first === TLS_ALERT) {
      if (to - from < 2) return this.#needMore(2);
      if (byteAt(buffer, from + 1) === TLS_VERSION) return this.#failTls();
    }
    if (first === ERROR) {
      if (to - from < 2) return this.#needMore(2);
      if (byteAt(buffer, from + 1) !== 0) return this.#errorReply(buffer, from, to);
      const form = LONG_REPLIES[expected];
      if (form !== undefined) return this.#long(form, buffer, from, from, to);
    } else if (expected === "map" && first >= EMPTY_MAP_LENGTH) {
      return this.#payload(REPLY_MAP, from + 1, first, from, to);
    } else if (first === DONE && expected === "hello") {
      return this.#long(HELLO_REPLY, buffer, from + 1, from, to);
    } else if (first === DONE && (expected === "done" || expected === "frame")) {
      this.payloadStart = this.payloadEnd = this.position = from + 1;
      return REPLY_DONE;
    }
    return this.#fail(`Cannot parse reply: it begins with ${first}, which is no answer to ${QUESTION[expected]}`);
  }

  /** A reply with eight bytes of length, which begin at `at`. */
  #long({ token, name, least }: LongReply, buffer: Uint8Array, at: number, from: number, to: number): ReplyToken {
    const start = at + LONG_LENGTH;
    if (to < start) return this.#needMore(start - from);
    const length = exactLength(buffer, at);
    if (length < least) return this.#fail(`Cannot parse reply: a ${name} of ${length} bytes does not exist`);
    if (length > this.#maxMap) {
      this.error = new TrackerError(
        "REPLY_TOO_LARGE",
        `Cannot parse ${name} length: ${length} is above the limit of ${this.#maxMap}; raise maxMap to accept it`,
      );
      return INVALID;
    }
    return this.#payload(token, start, Number(length), from, to);
  }

  #payload(token: ReplyToken, start: number, length: number, from: number, to: number): ReplyToken {
    if (to < start + length) return this.#needMore(start + length - from);
    this.payloadStart = start;
    this.payloadEnd = this.position = start + length;
    return token;
  }

  #errorReply(buffer: Uint8Array, from: number, to: number): ReplyToken {
    const start = from + 2;
    const end = start + byteAt(buffer, from + 1);
    if (to < end) return this.#needMore(end - from);
    this.payloadStart = start;
    this.payloadEnd = this.position = end;
    this.error = errorFromText(new TextDecoder().decode(buffer.subarray(start, end)));
    return REPLY_ERROR;
  }

  #needMore(needed: number): ReplyToken {
    this.needed = needed;
    return NEED_MORE;
  }

  #failTls(): ReplyToken {
    this.error = new TrackerError(
      "TLS_FAILED",
      "Cannot parse reply: the server speaks TLS on this port, and this connection does not",
    );
    return INVALID;
  }

  #fail(message: string): ReplyToken {
    this.error = new TrackerError("BAD_REPLY", message);
    return INVALID;
  }
}

/** The shortest map is `{}`: this is what keeps a one-byte length apart from an error and from a long length. */
const EMPTY_MAP_LENGTH = 2;

/** A kind of reply that has eight bytes of length. */
interface LongReply {
  token: ReplyToken;
  name: string;
  /** The fewest bytes it can have. */
  least: number;
}

const HELLO_REPLY: LongReply = { token: REPLY_HELLO, name: "greeting", least: 2 };

/** Replies whose first byte is that of their length. */
const LONG_REPLIES: Partial<Record<Expected, LongReply>> = {
  map: { token: REPLY_MAP, name: "map", least: EMPTY_MAP_LENGTH },
  list: { token: REPLY_LIST, name: "list", least: LONG_LENGTH },
  stats: { token: REPLY_STATS, name: "report", least: 2 },
  frame: { token: REPLY_FRAME, name: "frame", least: 1 },
};

const QUESTION = {
  done: "an Open or a Close",
  map: "a Get",
  hello: "a Hello",
  list: "a List",
  stats: "a Stats",
  frame: "a Watch",
  nothing: "anything that was asked",
} as const;

/** Turns the text of an error reply back into the error it was made from. */
function errorFromText(text: string): TrackerError {
  const [, code = "", reason = ""] = /^([A-Z_]+): ?([^]*)$/.exec(text) ?? [];
  return isWireErrorCode(code) ? new TrackerError(code, reason) : new TrackerError("REFUSED", text);
}
