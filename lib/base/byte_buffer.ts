/**
 * A buffer that grows.
 *
 * @module
 */

import { EMPTY } from "./bytes.ts";

/** First size unless told otherwise, in bytes. */
const SMALLEST_BUFFER = 256;

/** Bytes that are gathered, taken, and gathered again in the same memory. */
export class ByteBuffer {
  /** The bytes gathered, and room for more. It is replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes are gathered. */
  length = 0;
  #view: Uint8Array = EMPTY;

  /** @param size How many bytes there is room for at first */
  constructor(size: number = SMALLEST_BUFFER) {
    this.bytes = new Uint8Array(size);
  }

  /** What was gathered. It is often as long as it was the last time, so the view is kept. */
  get gathered(): Uint8Array {
    if (this.#view.length !== this.length) this.#view = this.bytes.subarray(0, this.length);
    return this.#view;
  }

  /** Appends a copy of some bytes. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = EMPTY;
  }
}
