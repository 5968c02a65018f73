/**
 * The flattened map, made piece by piece.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { Pool } from "../base/pool.ts";
import { PIECE_BYTES, type Pieces } from "../base/pieces.ts";
import type { Scan } from "./scan.ts";
import type { Snapshots } from "./snapshots.ts";

const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

/** A chunk of fewer bytes is copied to a piece with others: a write of its own costs more than the copy. */
const OWN_PIECE_BYTES = 16_384;

/** Pieces that are written over and over: making each anew would keep the garbage collector busy, and everybody waiting. */
const buffers = new Pool<Uint8Array>(16, () => new Uint8Array(PIECE_BYTES));

/**
 * The flattened map as a snapshot shows it. A chunk that has not changed since is passed on as it is: all readers share
 * its bytes. The rest is copied, a long state in parts: a reader that is stuck holds one piece, however long the states.
 */
export class FlatPieces implements Pieces {
  readonly #snapshots: Snapshots;
  readonly #scan: Scan;
  /** Length of what is left between the braces. */
  #left: number;
  /** How much of the present client is written, if it does not fit into a piece. */
  #offset = 0;
  #state: "first" | "inner" | "done" = "first";
  /** What pieces are copied to; `null` until there is something to copy. */
  #buffer: Uint8Array | null = null;

  /**
   * @param snapshots Where the snapshot is released
   * @param scan What to flatten; at least one client
   * @param length Length of the flattened map
   */
  constructor(snapshots: Snapshots, scan: Scan, length: number) {
    this.#snapshots = snapshots;
    this.#scan = scan;
    this.#left = length - 2;
  }

  next(): Uint8Array | null {
    if (this.#state === "done") return this.#end();
    this.#scan.snapshot.check();
    this.#snapshots.sweep();
    this.#scan.resume();
    return this.#wholeChunk() ?? this.#gather();
  }

  release(): void {
    this.#snapshots.release(this.#scan.snapshot);
  }

  /** The buffer is free only now: whoever gives up before the end may still be writing from it. */
  #end(): null {
    if (this.#buffer !== null) buffers.give(this.#buffer);
    this.#buffer = null;
    return null;
  }

  /** Takes the bytes of the next chunk as they are; `null` if they do not make a piece. */
  #wholeChunk(): Uint8Array | null {
    if (this.#state === "first" || this.#offset !== 0) return null;
    const chunk = this.#scan.wholeChunk;
    // The comma and the space at the end are not written, so the last chunk is longer than what is left.
    if (chunk === null || chunk.length < OWN_PIECE_BYTES || chunk.length > this.#left) return null;
    const bytes = chunk.lend();
    if (bytes === null) return null;
    this.#scan.skipChunk(chunk);
    this.#left -= bytes.length;
    return bytes;
  }

  /** Copies as much as makes a piece. */
  #gather(): Uint8Array {
    const bytes = this.#buffer ??= buffers.take();
    let at = 0;
    if (this.#state === "first") bytes[at++] = OPENING_BRACE;
    this.#state = "inner";
    while (this.#left > 0 && at < bytes.length) {
      const end = this.#copyChunk(bytes, at) ?? this.#copyClient(bytes, at);
      if (end === at) break;
      at = end;
    }
    if (this.#left === 0 && at < bytes.length) {
      bytes[at++] = CLOSING_BRACE;
      this.#state = "done";
    }
    return at === 0 ? EMPTY : bytes.subarray(0, at);
  }

  /**
   * Copies a chunk that has not changed.
   *
   * @returns The offset after it, which is the same if the chunk belongs in the next piece; `null` if there is none to copy
   */
  #copyChunk(target: Uint8Array, at: number): number | null {
    const chunk = this.#offset === 0 ? this.#scan.wholeChunk : null;
    const bytes = chunk === null ? null : chunk.bytes;
    if (chunk === null || bytes === null) return null;
    const count = Math.min(bytes.length, this.#left);
    // The last chunk has to be copied, without its end, and may be longer than a piece.
    if (at + count > target.length) return at > 0 && count === bytes.length ? at : null;
    target.set(bytes.length === count ? bytes : bytes.subarray(0, count), at);
    this.#scan.skipChunk(chunk);
    this.#left -= count;
    return at + count;
  }

  /** Copies a client, or as much of it as there is room for, and returns the offset after it. */
  #copyClient(target: Uint8Array, at: number): number {
    const version = this.#offset === 0 ? this.#scan.next() : this.#scan.current();
    if (version === null) {
      if (this.#offset === 0 && !this.#scan.isAtEnd) return at;
      throw new Error(`Cannot flatten the map: ${this.#left} bytes more were counted than there are`);
    }
    const { flatLength } = version;
    const count = Math.min(flatLength - this.#offset, this.#left, target.length - at);
    this.#left -= count;
    if (count === flatLength) return version.flattenInto(target, at);
    const end = version.flattenPart(target, at, this.#offset, count);
    this.#offset = (this.#offset + count) % flatLength;
    return end;
  }
}
