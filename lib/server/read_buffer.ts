/**
 * The buffer that a session reads into.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { Pool } from "../base/pool.ts";

/** Size of a quiet connection's read buffer, in bytes. Most clients never send more at once. */
export const QUIET_BUFFER = 512;

/** Size of the read buffer that a busy connection borrows, in bytes. Only a longer message makes a larger one. */
export const BUSY_BUFFER = 131_072;

/** How many times larger the next read buffer is while reads fill it. */
const GROWTH = 8;

/** The pools that read buffers come from, shared by all sessions of a server. */
export interface ReadBufferPools {
  /** Read buffers for connections that wait. */
  readonly quietBuffers: Pool<Uint8Array<ArrayBuffer>>;
  /** Read buffers on loan to connections while they are busy. */
  readonly busyBuffers: Pool<Uint8Array<ArrayBuffer>>;
}

/**
 * A read buffer that adapts to its connection. A quiet connection has a small one, so that ten thousand of them cost
 * little. While reads fill it a larger one takes its place, and finally one on loan, until a read leaves room in that. Room
 * for a long message is made as its bytes arrive, not when its length is announced.
 *
 * Bytes `from..to` have arrived and are not parsed yet. The fields are public for the loop that parses them,
 * and the pools are given to each call: a field for them would cost every client memory.
 */
export class ReadBuffer {
  /** The bytes, and room for more. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Offset of the first byte that is not parsed. */
  from = 0;
  /** Offset after the last byte that has arrived. */
  to = 0;

  /** @param pools Where buffers come from */
  constructor(pools: ReadBufferPools) {
    this.bytes = pools.quietBuffers.take();
  }

  /** Puts bytes in it that have arrived elsewhere. It must be empty. */
  take(bytes: Uint8Array, pools: ReadBufferPools): void {
    if (bytes.length > this.bytes.length) this.#replace(bytes.length, pools);
    this.bytes.set(bytes);
    this.to = bytes.length;
  }

  /** Room for what arrives next. The whole buffer is the common case, and needs no view. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.to === 0 ? this.bytes : this.bytes.subarray(this.to);
  }

  /**
   * Moves unparsed bytes to the front of a buffer of the right size for the next read. No read may be under way.
   *
   * @param needed How many bytes the unfinished message needs in all, as far as that is known
   * @param pools Where buffers come from
   */
  compact(needed: number, pools: ReadBufferPools): void {
    const { from, to } = this;
    const rest = to - from;
    const size = this.#nextSize(rest, needed);
    if (size !== this.bytes.length) this.#replace(size, pools);
    else if (from !== 0 && rest !== 0) this.bytes.copyWithin(0, from, to);
    this.from = 0;
    this.to = rest;
  }

  /** Returns the buffer to its pool. It must not be used any more. Doing it twice is safe. */
  release({ quietBuffers, busyBuffers }: ReadBufferPools): void {
    if (this.bytes.length === QUIET_BUFFER) quietBuffers.give(this.bytes);
    else if (this.bytes.length === BUSY_BUFFER) busyBuffers.give(this.bytes);
    this.bytes = EMPTY;
  }

  #nextSize(rest: number, needed: number): number {
    const size = this.bytes.length;
    // One byte more than the message: the read that completes it then leaves room, which a busy connection would not.
    if (rest === size) return Math.min(size * 2, needed + 1);
    if (this.to === size) return Math.max(size, Math.min(size * GROWTH, BUSY_BUFFER));
    return rest < QUIET_BUFFER ? QUIET_BUFFER : Math.min(size, rest * 2);
  }

  #replace(size: number, pools: ReadBufferPools): void {
    const { quietBuffers, busyBuffers } = pools;
    let bytes: Uint8Array<ArrayBuffer>;
    if (size === QUIET_BUFFER) bytes = quietBuffers.take();
    else bytes = size === BUSY_BUFFER ? busyBuffers.take() : new Uint8Array(size);
    bytes.set(this.bytes.subarray(this.from, this.to));
    this.release(pools);
    this.bytes = bytes;
  }
}
