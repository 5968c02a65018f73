/**
 * Bytes to messages and back.
 *
 * Pure: no I/O, no timers, no buffers of its own. The parser walks a buffer that the caller owns and answers with a
 * small number (a {@linkcode Token}), leaving offsets into that buffer in its fields. Parsing a message makes no object,
 * no view and no string, which lets a server take in tens of millions of messages a second.
 *
 * The parser has two paths. A single message is read byte by byte, which needs nothing but the buffer. An Update with
 * more bytes behind it is taken as the start of a run, which is what a busy connection sends, and walked with a
 * `DataView` made for that run: the engine compiles each of its calls to one load and a byte swap.
 *
 * @module
 */

import { EMPTY, readU64, writeU64 } from "./base/bytes.ts";
import { TrackerError, type WireErrorCode } from "./errors.ts";
import {
  CLOSE,
  DEFAULT_MAX_STATE,
  type Dialect,
  DROP,
  FETCH,
  GET,
  HELLO,
  JAVA_MAGIC,
  JAVA_VERSION,
  JSON_LENGTH_SIZE,
  KICK,
  LIST,
  LONG_LENGTH_SIZE,
  MAGIC,
  MAX_COMPACT_LENGTH,
  MAX_REQUEST,
  MESSAGE_NAMES,
  type MessageType,
  OPEN,
  PING,
  PUT,
  STATS,
  UPDATE,
  WATCH,
} from "./protocol.ts";

/** The bytes so far do not complete a message or reply; call again with more. */
export const NEED_MORE: -1 = -1;

/**
 * The bytes so far are either a complete compact message with an empty state or the start of a wide one. The next byte
 * decides; if none comes, {@linkcode MessageParser.settle} does.
 */
export const AMBIGUOUS: -2 = -2;

/** The bytes break the protocol: the parser's `error` says how, and it parses no further. */
export const INVALID: -3 = -3;

/** Result of {@linkcode MessageParser.next}: a message's type, or one of the three reasons why there is none. */
export type Token = MessageType | typeof NEED_MORE | typeof AMBIGUOUS | typeof INVALID;

/** A copy, because the engine folds a module's own constants but loads imported ones: without it, runs take 8 % longer. */
const LONG_LENGTH = LONG_LENGTH_SIZE;

/** First byte of a TLS handshake record, with which a client that speaks TLS begins. */
const TLS_HANDSHAKE = 22;

/** Header of a 42 Update as one 16-bit integer. */
const UPDATE_HEADER = MAGIC << 8 | UPDATE;

/** Last two bytes of a java Update's header (version and type) as one 16-bit integer. */
const JAVA_UPDATE_HEADER = JAVA_VERSION << 8 | UPDATE;

/**
 * What is known of a connection's dialect. Modes that are not settled, or may still begin with a Hello, come first,
 * because the parser compares by order. `SilentWide` is wide because the server insists, `Extended` because of a Hello.
 */
const Mode = { Silent: 0, SilentWide: 1, Unsettled: 2, Compact: 3, Wide: 4, Java: 5, Extended: 6 } as const;
type Mode = typeof Mode[keyof typeof Mode];

const MODE_OF_DIALECT = { auto: Mode.Silent, compact: Mode.Compact, wide: Mode.SilentWide, java: Mode.Java } as const;
const DIALECT_OF_MODE = ["unsettled", "wide", "unsettled", "compact", "wide", "java", "wide"] as const;

/** Reads a byte that is known to be there: callers have compared the offset with the end. */
function byteAt(buffer: Uint8Array, offset: number): number {
  return buffer[offset] ?? 0;
}

/** Reads the lower half of an 8-byte length. */
function lowerHalf(buffer: Uint8Array, offset: number): number {
  const upper16 = byteAt(buffer, offset + 4) << 8 | byteAt(buffer, offset + 5);
  const lower16 = byteAt(buffer, offset + 6) << 8 | byteAt(buffer, offset + 7);
  // Multiplied, because a shift by 16 could set the sign.
  return upper16 * 65_536 + lower16;
}

/** Tells whether any bit is set in the upper half of an 8-byte length, which makes it at least 2^32. */
function hasUpperHalf(buffer: Uint8Array, offset: number): boolean {
  const upper = byteAt(buffer, offset) | byteAt(buffer, offset + 1) | byteAt(buffer, offset + 2);
  return (upper | byteAt(buffer, offset + 3)) !== 0;
}

/** Options for {@linkcode MessageParser}. */
export interface MessageParserOptions {
  /**
   * Dialect to insist on; `"auto"` detects it from the first bytes.
   *
   * @default {"auto"}
   */
  dialect?: Dialect | "auto";
  /**
   * Longest state to accept, in bytes.
   *
   * @default {DEFAULT_MAX_STATE}
   */
  maxState?: number;
  /**
   * Whether a run of Updates yields one token. Where each message has to be counted before the next is looked at, it
   * must not.
   *
   * @default {true}
   */
  mergesRuns?: boolean;
}

/**
 * Parses the messages of one connection's client, in any dialect.
 *
 * A run of Updates that lies whole in the buffer yields one {@linkcode UPDATE} token: `count` says how many there were,
 * and the state is the last one's, since each replaces the one before it.
 *
 * @example Two messages in one buffer
 * ```ts
 * import { GET, MessageParser, OPEN } from "@tracker/tracker/wire";
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
  /** Offset after the last message parsed. */
  position = 0;
  /** Offset of the first byte of the last message's state or JSON. */
  stateStart = 0;
  /** Offset after the last byte of the last message's state or JSON. */
  stateEnd = 0;
  /** Number of messages the token stands for: more than 1 only for a run of Updates. */
  count = 0;
  /** After {@linkcode NEED_MORE}: how many bytes the message needs in all, as far as is known yet. */
  needed = 0;
  /** After {@linkcode INVALID}: what is wrong. */
  error: TrackerError | null = null;

  #mode: Mode;
  #isEnveloped = true;
  /** Longest state to accept, in bytes. It may be another one for the next message. */
  maxState: number;
  readonly #mergesRuns: boolean;

  /**
   * Creates a parser for one connection.
   *
   * @param options The dialect to insist on, the longest state to accept, and how Updates are counted
   */
  constructor(options: MessageParserOptions = {}) {
    this.#mode = MODE_OF_DIALECT[options.dialect ?? "auto"];
    this.maxState = options.maxState ?? DEFAULT_MAX_STATE;
    this.#mergesRuns = options.mergesRuns ?? true;
  }

  /** The connection's dialect, or `"unsettled"` until a length is seen. */
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
   * @param from Offset to start at: 0, or `position` after the last call
   * @param to Offset after the last byte
   * @returns The message's type, or why there is none
   */
  next(buffer: Uint8Array, from: number, to: number): Token {
    this.position = from;
    if (this.error !== null) return INVALID;
    if (this.#mode <= Mode.Unsettled) {
      const token = this.#nextUnsettled(buffer, from, to);
      if (this.#mode <= Mode.Unsettled || token !== NEED_MORE) return token;
    }
    return this.#mode === Mode.Compact ? this.#nextCompact(buffer, from, to) : this.#nextLong(buffer, from, to);
  }

  /**
   * Settles an {@linkcode AMBIGUOUS} message: nothing follows it, so it is compact with an empty state. Call it when the
   * stream has ended or {@linkcode SETTLE_TIMEOUT} has passed, then call {@linkcode next} again.
   */
  settle(): void {
    if (this.#mode === Mode.Unsettled) this.#mode = Mode.Compact;
  }

  /** Handles messages until a length is seen, and then sets the mode. */
  #nextUnsettled(buffer: Uint8Array, from: number, to: number): Token {
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
    if (type === HELLO && this.#mode !== Mode.Unsettled) return this.#nextHello(buffer, from, to);
    if (this.#mode === Mode.SilentWide) {
      this.#mode = Mode.Wide;
      return NEED_MORE;
    }
    this.#mode = Mode.Unsettled;
    if (type === GET || type === CLOSE) return this.#found(type, from + 2, from + 2, 1);
    if (type !== OPEN && type !== UPDATE) return this.#failType(type);
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

  /** Parses a Hello as the first message: once complete, it makes the connection an extended one. */
  #nextHello(buffer: Uint8Array, from: number, to: number): Token {
    const token = this.#nextRequest(HELLO, buffer, from, to);
    if (token === HELLO) this.#mode = Mode.Extended;
    return token;
  }

  /** Parses a message of an extension's type on a wide or java connection. */
  #nextExtension(type: number, buffer: Uint8Array, from: number, to: number): Token {
    if (this.#mode !== Mode.Extended) return this.#failType(type);
    if (type === PING || type === STATS) return this.#found(type, from + 2, from + 2, 1);
    if (isRequest(type)) return this.#nextRequest(type, buffer, from, to);
    if (type === PUT) return this.#nextPut(buffer, from, to);
    return this.#failType(type);
  }

  /** Parses a message that carries JSON; the text itself is for the caller to read. */
  #nextRequest(type: RequestType, buffer: Uint8Array, from: number, to: number): Token {
    const start = from + 2 + LONG_LENGTH;
    if (to < start) return this.#needMore(start - from);
    const length = lowerHalf(buffer, from + 2);
    if (length > MAX_REQUEST || hasUpperHalf(buffer, from + 2)) {
      return this.#refuse(requestError(type, readU64(buffer, from + 2)));
    }
    if (to < start + length) return this.#needMore(start + length - from);
    return this.#found(type, start, start + length, 1);
  }

  /** Parses a Put: JSON with its own length, then a state. */
  #nextPut(buffer: Uint8Array, from: number, to: number): Token {
    const needed = measurePut(buffer, from, to, this.maxState);
    if (needed instanceof TrackerError) return this.#refuse(needed);
    if (to - from < needed) return this.#needMore(needed);
    return this.#found(PUT, from + 2 + LONG_LENGTH, from + needed, 1);
  }

  /**
   * Hot loop of the compact dialect: walks a run of whole Updates, at least one, with a byte behind it. It is long
   * because it must not call anything.
   *
   * A client's states tend to have one length, so after each message the loop checks whether the next header is the
   * same, and keeps its stride while it is. The next address then does not depend on a length that must be loaded
   * first, and the processor works on several messages at once.
   */
  #compactRun(buffer: Uint8Array, from: number, to: number): Token {
    const view = new DataView(buffer.buffer, buffer.byteOffset, to);
    const limit = this.maxState;
    let isEnveloped = this.#isEnveloped;
    let at = from;
    let start = 0;
    let count = 0;
    while (to - at >= 4 && view.getUint16(at) === UPDATE_HEADER) {
      const head = view.getUint32(at);
      const length = head >>> 8 & 0xff;
      const stride = 3 + length;
      if (length > limit || to - at < stride) break;
      if (isEnveloped && (length === 0 || (head & 0xff) !== length - 1)) isEnveloped = false;
      // The fourth byte is the envelope's; on a plain connection it may be anything.
      const freedom = isEnveloped ? 0 : 0xff;
      const last = to - Math.max(stride, 4);
      do {
        at += stride;
        count++;
      } while (at <= last && (view.getUint32(at) ^ head) >>> 0 <= freedom);
      start = at - length + (isEnveloped ? 1 : 0);
    }
    this.#isEnveloped = isEnveloped;
    return this.#found(UPDATE, start, at, count);
  }

  /** Hot loop of the wide and java dialects, built like the compact one; the header's size and bytes are variables. */
  #longRun(buffer: Uint8Array, from: number, to: number): Token {
    const view = new DataView(buffer.buffer, buffer.byteOffset, to);
    const isJava = this.#mode === Mode.Java;
    const magic = isJava ? JAVA_MAGIC : MAGIC;
    const tail = isJava ? JAVA_UPDATE_HEADER : UPDATE_HEADER;
    const header = isJava ? 3 : 2;
    const prefix = header + LONG_LENGTH;
    const limit = this.maxState;
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

  /** Parses a compact message, or a run of compact Updates. */
  #nextCompact(buffer: Uint8Array, from: number, to: number): Token {
    const available = to - from;
    if (available < 1) return this.#needMore(2);
    const magic = byteAt(buffer, from);
    if (magic !== MAGIC) return this.#failMagic(magic, "42");
    if (available < 2) return this.#needMore(2);
    const type = byteAt(buffer, from + 1);
    if (type === GET || type === CLOSE) return this.#found(type, from + 2, from + 2, 1);
    if (type !== OPEN && type !== UPDATE) return this.#failType(type);
    if (available < 3) return this.#needMore(3);
    const length = byteAt(buffer, from + 2);
    if (length > this.maxState) return this.#refuse(stateError(length, this.maxState));
    if (available < 3 + length) return this.#needMore(3 + length);
    if (type === UPDATE && available > 3 + length && this.#mergesRuns) return this.#compactRun(buffer, from, to);
    const start = from + 3;
    const looksEnveloped = length !== 0 && byteAt(buffer, start) === length - 1;
    // An Open has no envelope; one that looks enveloped shows a client whose Updates would fool the test: it is plain.
    if (looksEnveloped === (type === OPEN)) this.#isEnveloped = false;
    return this.#found(type, start + (type === UPDATE && this.#isEnveloped ? 1 : 0), start + length, 1);
  }

  /** Parses a wide or java message, or a run of their Updates. */
  #nextLong(buffer: Uint8Array, from: number, to: number): Token {
    const isJava = this.#mode === Mode.Java;
    const header = isJava ? 3 : 2;
    const available = to - from;
    if (available < 1) return this.#needMore(header);
    const magic = byteAt(buffer, from);
    if (magic !== (isJava ? JAVA_MAGIC : MAGIC)) return this.#failMagic(magic, isJava ? "66" : "42");
    if (isJava && available >= 2 && byteAt(buffer, from + 1) !== JAVA_VERSION) {
      const version = byteAt(buffer, from + 1);
      return this.#fail("BAD_VERSION", `Cannot parse message: its version is ${version}, not ${JAVA_VERSION}`);
    }
    if (available < header) return this.#needMore(header);
    const type = byteAt(buffer, from + header - 1);
    if (type === GET || type === CLOSE) return this.#found(type, from + header, from + header, 1);
    if (type !== OPEN && type !== UPDATE) return this.#nextExtension(type, buffer, from, to);
    const prefix = header + LONG_LENGTH;
    if (available < prefix) return this.#needMore(prefix);
    const length = lowerHalf(buffer, from + header);
    if (length > this.maxState || hasUpperHalf(buffer, from + header)) {
      return this.#refuse(stateError(readU64(buffer, from + header), this.maxState));
    }
    if (available < prefix + length) return this.#needMore(prefix + length);
    if (type === UPDATE && available > prefix + length && this.#mergesRuns) return this.#longRun(buffer, from, to);
    return this.#found(type, from + prefix, from + prefix + length, 1);
  }

  #needMore(needed: number): Token {
    this.needed = needed;
    return NEED_MORE;
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

  /** Refuses a type; one that an extended connection could send gets a hint. */
  #failType(type: number): Token {
    const name = MESSAGE_NAMES[type];
    if (name === undefined || this.#mode === Mode.Java) {
      return this.#fail("BAD_TYPE", `Cannot parse message: there is no type ${type}`);
    }
    if (type === HELLO) {
      return this.#fail("BAD_HELLO", "Cannot take Hello: it must be the first message of its connection");
    }
    const why = `type ${type} (${name}) needs a connection that began with Hello`;
    return this.#fail("BAD_TYPE", `Cannot parse message: ${why}`);
  }

  #fail(code: WireErrorCode, message: string): Token {
    return this.#refuse(new TrackerError(code, message));
  }

  #refuse(error: TrackerError): Token {
    this.error = error;
    return INVALID;
  }
}

/**
 * Measures a Put. Its lengths are refused before what they count has come.
 *
 * @returns How many bytes the message needs, as far as is known yet; or what is wrong with it
 */
function measurePut(buffer: Uint8Array, from: number, to: number, maxState: number): number | TrackerError {
  const jsonAt = 2 + LONG_LENGTH;
  if (to - from < jsonAt) return jsonAt;
  const length = readU64(buffer, from + 2);
  if (length < JSON_LENGTH_SIZE) return new TrackerError("BAD_HELLO", "Cannot parse Put: it has no JSON");
  const stateAt = jsonAt + JSON_LENGTH_SIZE;
  if (to - from < stateAt) return stateAt;
  const jsonLength = byteAt(buffer, from + jsonAt) << 8 | byteAt(buffer, from + jsonAt + 1);
  if (jsonLength > MAX_REQUEST) return requestError(PUT, jsonLength);
  const stateLength = Number(length) - JSON_LENGTH_SIZE - jsonLength;
  if (stateLength < 0) return new TrackerError("BAD_HELLO", "Cannot parse Put: its JSON is longer than the message");
  return stateLength > maxState ? stateError(stateLength, maxState) : stateAt + jsonLength + stateLength;
}

function stateError(length: number | bigint, limit: number): TrackerError {
  return new TrackerError("STATE_TOO_LARGE", `Cannot parse state length: ${length} is above the limit of ${limit}`);
}

function requestError(type: number, length: number | bigint): TrackerError {
  const what = `${MESSAGE_NAMES[type]} length: ${length}`;
  return new TrackerError("BAD_HELLO", `Cannot parse ${what} is above the limit of ${MAX_REQUEST}`);
}

/**
 * Encodes one connection's messages. It is stateful for the compact dialect, whose server reads Updates as enveloped
 * until one proves otherwise: the encoder keeps the same account, so that every state arrives unchanged.
 *
 * @example A compact Update travels in an envelope
 * ```ts
 * import { MessageEncoder, UPDATE } from "@tracker/tracker/wire";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new MessageEncoder("compact");
 * const bytes = encoder.encode(UPDATE, new TextEncoder().encode("abc"));
 * assertEquals(bytes, new Uint8Array([42, 2, 4, 3, 97, 98, 99]));
 * ```
 */
export class MessageEncoder {
  /** The dialect that messages are encoded in. */
  readonly dialect: Dialect;
  #isEnveloped = true;

  /**
   * Creates an encoder for one connection.
   *
   * @param dialect The dialect to encode in
   */
  constructor(dialect: Dialect = "wide") {
    this.dialect = dialect;
  }

  /**
   * Picks the message that carries a new state: an Update, except for the one shape that a compact Update cannot express
   * (255 bytes that happen to look enveloped). An Open sets the state too, but is answered.
   *
   * @param state The state to send
   * @returns {@linkcode UPDATE}, or {@linkcode OPEN} where an Update would be misread
   */
  carrierOf(state: Uint8Array): typeof OPEN | typeof UPDATE {
    const isMisread = this.dialect === "compact" && this.#isEnveloped && state.length === MAX_COMPACT_LENGTH &&
      looksEnveloped(state);
    return isMisread ? OPEN : UPDATE;
  }

  /**
   * Computes the size of a message.
   *
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The size in bytes, header included
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  sizeOf(type: MessageType, state: Uint8Array = EMPTY): number {
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
   * @param at Offset to start at
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The offset after the message
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  encodeInto(target: Uint8Array, at: number, type: MessageType, state: Uint8Array = EMPTY): number {
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
    else at = writeU64(target, at, state.length);
    target.set(state, at);
    return end;
  }

  /**
   * Encodes a message into a new buffer.
   *
   * @param type The message's type
   * @param state The state of an Open or Update, or the JSON of a Hello, Watch or List
   * @returns The message's bytes
   * @throws {TrackerError} STATE_TOO_LARGE when a compact message cannot carry the state
   */
  encode(type: MessageType, state: Uint8Array = EMPTY): Uint8Array {
    const bytes = new Uint8Array(this.sizeOf(type, state));
    this.encodeInto(bytes, 0, type, state);
    return bytes;
  }

  #writeCompactLength(target: Uint8Array, at: number, type: MessageType, state: Uint8Array): number {
    if (this.#envelopes(type, state)) {
      target[at++] = state.length + 1;
    } else if (type === UPDATE || looksEnveloped(state)) {
      // By the same evidence the server takes this connection for plain from here on.
      this.#isEnveloped = false;
    }
    target[at++] = state.length;
    return at;
  }

  #envelopes(type: MessageType, state: Uint8Array): boolean {
    return type === UPDATE && this.#isEnveloped && state.length < MAX_COMPACT_LENGTH;
  }
}

/** A message that carries JSON and nothing else. */
type RequestType = typeof HELLO | typeof WATCH | typeof LIST | typeof DROP | typeof KICK | typeof FETCH;

/** Tells whether a message that may follow a Hello carries JSON and nothing else. */
function isRequest(type: number): type is RequestType {
  return type === WATCH || type === LIST || type === DROP || type === KICK || type === FETCH;
}

/** Tells whether a message is its header alone. */
function isBare(type: MessageType): boolean {
  return type === GET || type === CLOSE || type === PING || type === STATS;
}

/** Applies the test of PROTOCOL.md's envelope rule to a payload. */
function looksEnveloped(payload: Uint8Array): boolean {
  return payload.length !== 0 && payload[0] === payload.length - 1;
}
