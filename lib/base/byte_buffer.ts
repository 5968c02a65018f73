/**
 * Replies gathered for one write.
 *
 * @module
 */

/** First size of a buffer for replies, in bytes; it grows with what is gathered. */
const SMALLEST_OUTPUT = 256;

const EMPTY = new Uint8Array(0);

/** A buffer that is filled with replies, written, and filled again. */
export class Output {
  /** The replies, and room for more. */
  bytes = new Uint8Array(SMALLEST_OUTPUT);
  /** How many bytes of replies there are. */
  length = 0;
  #view = EMPTY;

  /** What was gathered. Replies are often as long as the last ones were, so the view is kept. */
  get gathered(): Uint8Array {
    if (this.#view.length !== this.length) this.#view = this.bytes.subarray(0, this.length);
    return this.#view;
  }

  /** Adds a copy of some bytes. */
  add(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = EMPTY;
  }
}
