/**
 * A client of the map at one time: its identifier, its state, and when they were set.
 *
 * @module
 */

import type { Status } from "../protocol.ts";
import type { Holder } from "./holder.ts";

/**
 * Up to this length, in bytes, a loop copies faster than `set`, which needs a view of the part to copy; beyond it `set`
 * wins, view and all. Measured with both side by side in `deno bench`.
 */
const LOOP_COPY_BYTES = 40;

const COMMA = ",".charCodeAt(0);
const SPACE = " ".charCodeAt(0);

/** What a client of the map is, or was for some time. */
export abstract class Version {
  /** The client's identifier. */
  readonly id: string;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  updatedAt: number;
  /** Whether it is connected, waited for, or meant to be without a connection. */
  status: Status = "live";
  /** Until when it stays without a connection, in milliseconds since 1970-01-01 UTC; 0 if it has one. */
  until = 0;
  /** Whose it is; `null` for an entry of the program itself. */
  holder: Holder | null = null;
  /** The map's revision at its last change of any kind. */
  revision = 0;
  /** The map's revision when it opened. */
  joinRevision = 0;
  /** `id=` in UTF-8 followed by the state: one block of memory, flattened with one copy. There may be room behind it. */
  protected block: Uint8Array<ArrayBuffer>;
  /** Length of `id=`, in bytes. */
  protected readonly labelLength: number;
  /** Length of `id=` and the state, in bytes. */
  protected length: number;

  constructor(id: string, openedAt: number, block: Uint8Array<ArrayBuffer>, labelLength: number, length: number) {
    this.id = id;
    this.openedAt = this.updatedAt = openedAt;
    this.block = block;
    this.labelLength = labelLength;
    this.length = length;
  }

  /** A copy of the state. */
  get state(): Uint8Array {
    return this.block.slice(this.labelLength, this.length);
  }

  /** The state's length, in bytes. */
  get stateLength(): number {
    return this.length - this.labelLength;
  }

  /** The identifier's length in UTF-8, in bytes. */
  get idLength(): number {
    return this.labelLength - 1;
  }

  /** Length of the flattened client, `id=state, `, in bytes. */
  get flatLength(): number {
    return this.length + 2;
  }

  /** Copies the identifier in UTF-8 without allocating, and returns the offset after it. */
  writeId(target: Uint8Array, at: number): number {
    copyBytes(this.block, 0, this.idLength, target, at);
    return at + this.idLength;
  }

  /** Copies the state without allocating, and returns the offset after it. */
  writeState(target: Uint8Array, at: number): number {
    copyBytes(this.block, this.labelLength, this.length, target, at);
    return at + this.stateLength;
  }

  /** Copies `count` bytes of the state, from its byte `from` on, and returns the offset after them. */
  writeStatePart(target: Uint8Array, at: number, from: number, count: number): number {
    const start = this.labelLength + from;
    copyBytes(this.block, start, start + count, target, at);
    return at + count;
  }

  /** Writes `id=state, ` and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    // A block that is full, as it is while states keep their length, needs no view.
    if (this.length === this.block.length && this.length > LOOP_COPY_BYTES) target.set(this.block, at);
    else copyBytes(this.block, 0, this.length, target, at);
    at += this.length;
    target[at] = COMMA;
    target[at + 1] = SPACE;
    return at + 2;
  }

  /** Writes `count` bytes of `id=state, `, from its byte `from` on, and returns the offset after them. */
  flattenPart(target: Uint8Array, at: number, from: number, count: number): number {
    const to = from + count;
    copyBytes(this.block, from, Math.min(to, this.length), target, at);
    if (from <= this.length && to > this.length) target[at + this.length - from] = COMMA;
    if (to > this.length + 1) target[at + count - 1] = SPACE;
    return at + count;
  }
}

/** Copies `source[start..end)` to `target[at..]`, without a view if the part is short. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > LOOP_COPY_BYTES) {
    target.set(source.subarray(start, end), at);
  } else {
    for (let i = start; i < end; i++) target[at++] = source[i] ?? 0;
  }
}
