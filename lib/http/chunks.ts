/**
 * A body whose length is not known before it is made.
 *
 * @module
 */

import { EMPTY, toBytes } from "../base/bytes.ts";
import type { Pieces } from "../base/pieces.ts";

const LAST_CHUNK = toBytes("0\r\n\r\n");

/** Pieces in the chunked coding of HTTP/1.1, whose end shows that nothing is missing. */
export class Chunks implements Pieces {
  readonly #pieces: Pieces;
  #isDone = false;

  /** @param pieces The body */
  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  next(): Uint8Array | null {
    if (this.#isDone) return null;
    const piece = this.#pieces.next();
    if (piece === null) {
      this.#isDone = true;
      return LAST_CHUNK;
    }
    // An empty chunk would be taken for the last.
    if (piece.length === 0) return EMPTY;
    const size = toBytes(`${piece.length.toString(16)}\r\n`);
    const chunk = new Uint8Array(size.length + piece.length + 2);
    chunk.set(size);
    chunk.set(piece, size.length);
    chunk.set([13, 10], chunk.length - 2);
    return chunk;
  }

  release(): void {
    this.#pieces.release();
  }
}
