/**
 * A part of the map, flattened for a client that may not see the rest.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { PIECE_BYTES, type Pieces } from "../base/pieces.ts";
import type { Measure, Selection } from "../map/selection.ts";
import type { Version } from "../map/version.ts";
import type { Dialect } from "../protocol.ts";
import { encodeMapLength, MAP_LENGTH_SIZE } from "../wire/replies.ts";

const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

/** Bytes that flattening adds to a client's identifier and state. */
const FLAT_OVERHEAD = "=, ".length;

/** The reply to a Get, made piece by piece from a selection. */
export class PartialMap implements Pieces {
  readonly #selection: Selection;
  readonly #dialect: Dialect | "unsettled" | null;
  /** Bytes of flattened clients that are still to come; `null` until they are counted. */
  #left: number | null = null;
  /** How much of the present client is written, if it does not fit into a piece. */
  #offset = 0;
  #isDone = false;

  /**
   * @param selection The clients
   * @param dialect The dialect of the connection that asked; `null` for one that needs no length in front
   */
  constructor(selection: Selection, dialect: Dialect | "unsettled" | null) {
    this.#selection = selection;
    this.#dialect = dialect;
  }

  next(): Uint8Array | null {
    if (this.#isDone) return null;
    this.#selection.resume();
    const bytes = new Uint8Array(PIECE_BYTES);
    let at = 0;
    if (this.#left === null) {
      const measure = this.#selection.measure();
      if (measure === null) return EMPTY;
      at = this.#begin(measure, bytes);
    }
    at = this.#fill(bytes, at);
    if (this.#left === 0 && at < bytes.length) {
      bytes[at++] = CLOSING_BRACE;
      this.#isDone = true;
    }
    return bytes.subarray(0, at);
  }

  release(): void {
    this.#selection.release();
  }

  /** Writes the length and the opening brace. */
  #begin({ count, bytes }: Measure, target: Uint8Array): number {
    // The last client's comma and space are not written.
    this.#left = count === 0 ? 0 : bytes + FLAT_OVERHEAD * count - 2;
    const room = target.subarray(0, MAP_LENGTH_SIZE);
    const at = this.#dialect === null ? 0 : encodeMapLength(room, 0, this.#left + 2, this.#dialect);
    target[at] = OPENING_BRACE;
    return at + 1;
  }

  #fill(target: Uint8Array, at: number): number {
    while (this.#left !== null && this.#left > 0 && at < target.length) {
      const version = this.#offset === 0 ? this.#selection.next() : this.#selection.current();
      if (version === null) return at;
      at = this.#copy(version, target, at, this.#left);
    }
    return at;
  }

  /** Copies a client, or as much of it as there is room for, and returns the offset after it. */
  #copy(version: Version, target: Uint8Array, at: number, left: number): number {
    const count = Math.min(version.flatLength - this.#offset, left, target.length - at);
    const end = version.flattenPart(target, at, this.#offset, count);
    this.#left = left - count;
    this.#offset = (this.#offset + count) % version.flatLength;
    return end;
  }
}
