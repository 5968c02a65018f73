/**
 * The reader for the fields of frames and lists.
 *
 * @module
 */

import { toText } from "../base/bytes.ts";
import { badReply } from "./bad_reply.ts";

/** The latest time that a date can have, in milliseconds since 1970. */
const LATEST_TIME = 8.64e15;

/** Reads the fields of a payload that another program wrote, and never beyond its end. */
export class PayloadReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  /** @param bytes The payload */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Whether everything has been read. */
  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** Offset of the next field. */
  get position(): number {
    return this.#position;
  }

  /** Reads a byte. */
  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Reads an integer of eight bytes; a BAD_REPLY if it has more than 53 bits. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8));
    if (value > Number.MAX_SAFE_INTEGER) throw badReply(`the number ${value} is too large`);
    return Number(value);
  }

  /** Reads a time in milliseconds since 1970; a BAD_REPLY if no date is so far off. */
  time(): number {
    const value = this.u64();
    if (value > LATEST_TIME) throw badReply(`the time ${value} is too far off`);
    return value;
  }

  /** Reads ASCII text with one byte of length. */
  ascii(): string {
    return this.#decode(this.byte());
  }

  /** Reads text with two bytes of length. */
  text(): string {
    return this.#decode(this.#view.getUint16(this.#take(2)));
  }

  /** Reads a state with four bytes of length, and returns a copy. */
  state(): Uint8Array {
    const length = this.#view.getUint32(this.#take(4));
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  /** Reads bytes, which are not copied. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Reads a byte that is an index into a table; a BAD_REPLY if nothing is there. */
  oneOf<T>(values: readonly T[]): T {
    const index = this.byte();
    const value = values[index];
    if (value === undefined) throw badReply(`${index} is none of ${values.join(", ")}`);
    return value;
  }

  #decode(length: number): string {
    const start = this.#take(length);
    return toText(this.#bytes.subarray(start, start + length));
  }

  /** Steps over bytes, and returns the offset of the first; a BAD_REPLY if the payload ends before the last. */
  #take(count: number): number {
    const start = this.#position;
    if (count > this.#bytes.length - start) throw badReply("its last part is cut off");
    this.#position += count;
    return start;
  }
}
