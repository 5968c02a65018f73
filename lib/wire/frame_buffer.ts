/**
 * The growing buffer in which frames and lists are encoded.
 *
 * @module
 */

import { LONG_LENGTH_SIZE, type Status, STATUSES } from "../protocol.ts";

/** A client that can be encoded into a frame or list; an entry of the registry is one. */
export interface EncodableClient {
  /** Whether it is connected. */
  readonly status: Status;
  /** The map's revision at its last change. */
  readonly revision: number;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  readonly updatedAt: number;
  /** Until when it stays without a connection, likewise; 0 or absent if it has one. */
  readonly until?: number;
  /** Length of the identifier in UTF-8, in bytes. */
  readonly idLength: number;
  /** Length of the state, in bytes. */
  readonly stateLength: number;
  /** Copies the identifier to an offset, and returns the offset after it. */
  writeId(target: Uint8Array, at: number): number;
  /** Copies the state to an offset, and returns the offset after it. */
  writeState(target: Uint8Array, at: number): number;
}

/** A client whose state can be encoded in parts. */
export interface DivisibleClient extends EncodableClient {
  /** Copies `count` bytes of the state, from its byte `from` on, to an offset, and returns the offset after them. */
  writeStatePart(target: Uint8Array, at: number, from: number, count: number): number;
}

/** First size of the buffer, in bytes. */
const SMALLEST_BUFFER = 4_096;

/** A buffer that has grown beyond this is not kept for the next frame, in bytes. */
const KEPT_BUFFER = 1_048_576;

const SPACE = " ".charCodeAt(0);

const encoder = new TextEncoder();

/**
 * Encodes a frame or list field by field; the length in front is filled in at the end.
 *
 * Hot, because every change is an event: fields do not check for room, which is reserved once per event or record, and
 * integers go through a `DataView`. Built on `ByteBuffer`, it took a fifth longer.
 */
export class FrameBuffer {
  #bytes = new Uint8Array(SMALLEST_BUFFER);
  #view = new DataView(this.#bytes.buffer);
  #length = LONG_LENGTH_SIZE;

  /** Bytes encoded so far, the length in front included. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for the fields that follow. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, this.#bytes.length * 2));
  }

  /** Appends a byte. */
  byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  /** Appends a 16-bit integer. */
  u16(value: number): void {
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  /** Appends an integer of up to 53 bits in eight bytes. */
  u64(value: number): void {
    this.#view.setUint32(this.#length, Math.floor(value / 2 ** 32));
    this.#view.setUint32(this.#length + 4, value >>> 0);
    this.#length += 8;
  }

  /** Appends a client's identifier and its length. */
  id(client: EncodableClient): void {
    this.#view.setUint16(this.#length, client.idLength);
    this.#length = client.writeId(this.#bytes, this.#length + 2);
  }

  /** Appends a client's status. */
  status({ status }: EncodableClient): void {
    this.byte(STATUSES.indexOf(status));
  }

  /** Appends a client's state and its length. */
  state(client: EncodableClient): void {
    this.stateLength(client);
    this.stateBytes(client);
  }

  /** Appends a client's state without its length. */
  stateBytes(client: EncodableClient): void {
    this.#length = client.writeState(this.#bytes, this.#length);
  }

  /** Appends the length of a client's state. */
  stateLength({ stateLength }: EncodableClient): void {
    this.#view.setUint32(this.#length, stateLength);
    this.#length += 4;
  }

  /** Appends `count` bytes of a client's state, from its byte `from` on. */
  statePart(client: DivisibleClient, from: number, count: number): void {
    this.#length = client.writeStatePart(this.#bytes, this.#length, from, count);
  }

  /** Appends bytes, and as many spaces as make the length. */
  padded(bytes: Uint8Array, length: number): void {
    this.#bytes.fill(SPACE, this.#length, this.#length + length);
    this.#bytes.set(bytes, this.#length);
    this.#length += length;
  }

  /** Appends text and its length in two bytes. There must be room for three bytes a character, the most UTF-8 takes. */
  text(text: string): void {
    const start = this.#length + 2;
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(start));
    this.u16(written);
    this.#length += written;
  }

  /** Appends text of ASCII characters, which is what incarnations are made of, and its length in one byte. */
  ascii(text: string): void {
    this.byte(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  /**
   * Ends the frame or list, and starts the next.
   *
   * @param payload Its length without that in front, if what is encoded so far is only its beginning
   * @param target Where to put its bytes, if they fit
   * @returns Its bytes, length in front, in memory of their own or in the target
   */
  finish(payload = this.#length - LONG_LENGTH_SIZE, target?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const length = this.#length;
    this.#length = 0;
    this.u64(payload);
    return this.#takeFrom(0, length, target);
  }

  /**
   * Takes what has been encoded after the beginning.
   *
   * @param target Where to put its bytes, if they fit
   * @returns Its bytes, without a length, in memory of their own or in the target
   */
  take(target?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const length = this.#length;
    this.#length = LONG_LENGTH_SIZE;
    return this.#takeFrom(LONG_LENGTH_SIZE, length, target);
  }

  #takeFrom(start: number, end: number, target?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const bytes = target === undefined || end - start > target.length
      ? this.#bytes.slice(start, end)
      : target.subarray(0, end - start);
    if (bytes.buffer === target?.buffer) bytes.set(this.#bytes.subarray(start, end));
    if (this.#bytes.length > KEPT_BUFFER) this.#resize(SMALLEST_BUFFER);
    return bytes;
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, Math.min(this.#length, size)));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
