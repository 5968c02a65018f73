/**
 * Frames of WebSocket, as RFC 6455 writes them.
 *
 * @module
 */

/** Kinds of frames, by their opcode. */
const CONTINUATION = 0;
const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** Codes with which a connection is closed. */
export const NORMAL = 1_000;
const PROTOCOL_ERROR = 1_002;
const UNSUPPORTED_DATA = 1_003;
const INVALID_TEXT = 1_007;
const MESSAGE_TOO_BIG = 1_009;

/** Longest payload of a frame that controls the connection, in bytes. */
export const MAX_CONTROL = 125;

/** Longest header of a frame, in bytes. */
export const MAX_FRAME_HEADER = 14;

const FINAL = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const SHORT_LENGTH = 126;
const LONG_LENGTH = 127;
const MASK_SIZE = 4;

/** Why frames cannot be taken: the connection is closed with its code. */
export class FrameError extends Error {
  /** The code of the Close frame. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "FrameError";
    this.code = code;
  }
}

/** The header of a frame. */
export interface FrameHeader {
  /** The kind of the frame. */
  readonly opcode: number;
  /** Whether it ends a message. */
  readonly isFinal: boolean;
  /** How many bytes of payload follow. */
  readonly length: number;
  /** With what the payload is masked. */
  readonly mask: Uint8Array;
}

/**
 * Reads headers of the frames that a client sends, byte by byte, whichever way they are cut. A frame is refused as soon as
 * its header shows that it is not as it must be, or too long; nothing of it is kept.
 */
export class FrameHeaders {
  readonly #maxLength: number;
  readonly #bytes = new Uint8Array(MAX_FRAME_HEADER);
  #count = 0;
  /** How many bytes of payload the present frame has, once that is known. */
  #length = 0;
  /** Whether a message has begun that has not ended. */
  #isFragmented = false;
  /** Bytes of that message so far. */
  #gathered = 0;

  /** @param maxLength Longest message, in bytes */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /**
   * Takes the next byte of a header.
   *
   * @param byte The byte
   * @returns The header, if that was its last byte; else `null`
   * @throws {FrameError} if it is not as it must be
   */
  push(byte: number): FrameHeader | null {
    this.#bytes[this.#count++] = byte;
    if (this.#count === 1) this.#checkKind(byte);
    if (this.#count === 2) this.#checkLength(byte);
    if (this.#count < 2) return null;
    const size = this.#size;
    // Before the mask: it is not waited for.
    if (this.#count === size - MASK_SIZE) this.#noteLength();
    return this.#count < size ? null : this.#finish();
  }

  /** Size of the present header, in bytes. */
  get #size(): number {
    const short = this.#bytes[1]! & ~MASKED;
    return 2 + MASK_SIZE + (short === SHORT_LENGTH ? 2 : short === LONG_LENGTH ? 8 : 0);
  }

  #checkKind(byte: number): void {
    const opcode = byte & 0x0f;
    if ((byte & RESERVED) !== 0) throw protocolError("a reserved bit is set");
    if (opcode >= CLOSE) {
      if (opcode > PONG) throw protocolError(`opcode ${opcode} does not exist`);
      if ((byte & FINAL) === 0) throw protocolError("a control frame is fragmented");
      return;
    }
    if (opcode === TEXT) throw new FrameError(UNSUPPORTED_DATA, "messages are binary here");
    if (opcode > BINARY) throw protocolError(`opcode ${opcode} does not exist`);
    if ((opcode === CONTINUATION) === this.#isFragmented) return;
    throw protocolError(this.#isFragmented ? "a message begins within another" : "there is nothing to continue");
  }

  #checkLength(byte: number): void {
    if ((byte & MASKED) === 0) throw protocolError("a frame of a client is not masked");
    const opcode = this.#bytes[0]! & 0x0f;
    const length = byte & ~MASKED;
    if (opcode >= CLOSE && length > MAX_CONTROL) throw protocolError("a control frame is too long");
    if (opcode === CLOSE && length === 1) throw protocolError("a Close frame has half a code");
  }

  #finish(): FrameHeader {
    const bytes = this.#bytes;
    const size = this.#count;
    this.#count = 0;
    return {
      opcode: bytes[0]! & 0x0f,
      isFinal: (bytes[0]! & FINAL) !== 0,
      length: this.#length,
      mask: bytes.slice(size - MASK_SIZE, size),
    };
  }

  #noteLength(): void {
    const [first = 0] = this.#bytes;
    this.#length = this.#readLength();
    if ((first & 0x0f) < CLOSE) this.#gather(this.#length, (first & FINAL) !== 0);
  }

  #readLength(): number {
    const bytes = this.#bytes;
    const short = bytes[1]! & ~MASKED;
    if (short < SHORT_LENGTH) return short;
    const size = short === SHORT_LENGTH ? 2 : 8;
    let length = 0;
    for (let at = 2; at < 2 + size; at++) length = length * 256 + bytes[at]!;
    if (length < (short === SHORT_LENGTH ? SHORT_LENGTH : 2 ** 16)) {
      throw protocolError("a length is longer than it must be");
    }
    return length;
  }

  #gather(length: number, isFinal: boolean): void {
    this.#gathered += length;
    if (this.#gathered > this.#maxLength) {
      throw new FrameError(MESSAGE_TOO_BIG, `a message is longer than ${this.#maxLength} bytes`);
    }
    this.#isFragmented = !isFinal;
    if (isFinal) this.#gathered = 0;
  }
}

/**
 * Writes the header of a frame that a server sends.
 *
 * @param target Where to write it
 * @param opcode The kind of the frame
 * @param length Length of its payload, in bytes
 * @returns The offset after it
 */
export function writeFrameHeader(target: Uint8Array, opcode: number, length: number): number {
  target[0] = FINAL | opcode;
  if (length < SHORT_LENGTH) {
    target[1] = length;
    return 2;
  }
  const size = length < 2 ** 16 ? 2 : 8;
  target[1] = size === 2 ? SHORT_LENGTH : LONG_LENGTH;
  for (let at = 1 + size, rest = length; at >= 2; at--, rest = Math.floor(rest / 256)) target[at] = rest % 256;
  return 2 + size;
}

/**
 * Makes a whole frame that controls the connection.
 *
 * @param opcode The kind of the frame
 * @param payload Its payload, of at most {@linkcode MAX_CONTROL} bytes
 * @returns The frame
 */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + payload.length);
  frame.set(payload, writeFrameHeader(frame, opcode, payload.length));
  return frame;
}

/**
 * Makes the payload of a Close frame.
 *
 * @param code Why the connection is closed
 * @param reason The same for people, in ASCII
 * @returns The payload
 */
export function closePayload(code: number, reason = ""): Uint8Array {
  const text = new TextEncoder().encode(reason.slice(0, MAX_CONTROL - 2));
  return Uint8Array.of(code >>> 8, code & 0xff, ...text);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Checks the payload of a Close frame.
 *
 * @param payload The payload
 * @throws {FrameError} if it is not as it must be
 */
export function checkClose(payload: Uint8Array): void {
  if (payload.length === 0) return;
  const code = payload[0]! << 8 | payload[1]!;
  const isAllowed = code >= 1_000 && code <= 1_003 || code >= 1_007 && code <= 1_014 || code >= 3_000 && code <= 4_999;
  if (!isAllowed) throw protocolError("a Close frame has no valid code");
  try {
    UTF8.decode(payload.subarray(2));
  } catch {
    throw new FrameError(INVALID_TEXT, "the reason of a Close frame is not UTF-8");
  }
}

function protocolError(why: string): FrameError {
  return new FrameError(PROTOCOL_ERROR, why);
}
