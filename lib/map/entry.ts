/**
 * One client in the map.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import type { Status } from "../protocol.ts";

/**
 * Up to this length, in bytes, a loop copies faster than `set`, which needs a view of the part to copy; beyond it `set`
 * wins, view and all. Measured with both side by side in `deno bench`.
 */
const LOOP_COPY_BYTES = 40;

/** A state's memory is reallocated when less than a quarter of it is in use, unless it is this small, in bytes. */
const KEPT_CAPACITY = 64;

const COMMA = ",".charCodeAt(0);
const SPACE = " ".charCodeAt(0);

/** One client in the map. Its properties always have their present values; a closed entry keeps its last ones. */
export interface Entry {
  /** The client's identifier. */
  readonly id: string;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  readonly updatedAt: number;
  /** Whether it is connected, or only its name is kept. */
  readonly status: Status;
  /** The map's revision at its last change of any kind. */
  readonly revision: number;
  /** The map's revision when it opened. */
  readonly joinRevision: number;
  /** The map's revision when its state was last set. */
  readonly stateRevision: number;
  /** The map's revision when its status last changed; 0 if it never did. */
  readonly statusRevision: number;
  /** A copy of the state. */
  readonly state: Uint8Array;
  /** The state's length, in bytes. */
  readonly stateLength: number;
  /** The identifier's length in UTF-8, in bytes. */
  readonly idLength: number;
  /**
   * Copies the identifier in UTF-8 without allocating.
   *
   * @param target The bytes to write to
   * @param at The offset to write at
   * @returns The offset after it
   */
  writeId(target: Uint8Array, at: number): number;
  /**
   * Copies the state without allocating.
   *
   * @param target The bytes to write to
   * @param at The offset to write at
   * @returns The offset after it
   */
  writeState(target: Uint8Array, at: number): number;
}

/** Neighbouring entries that are flattened together. */
export interface EntryGroup {
  /** The entries, in order of opening. */
  readonly entries: StoredEntry[];
  /** Whether an entry has changed since they were flattened. */
  isDirty: boolean;
}

/** An entry as the registry stores it. */
export class StoredEntry implements Entry {
  readonly id: string;
  readonly openedAt: number;
  updatedAt: number;
  status: Status = "live";
  revision = 0;
  joinRevision = 0;
  stateRevision = 0;
  statusRevision = 0;
  /** The entries it is flattened with; `null` once it is closed. */
  group: EntryGroup | null = null;
  /** `id=` in UTF-8 followed by the state: one block of memory, flattened with one copy. */
  #bytes: Uint8Array<ArrayBuffer>;
  readonly #labelLength: number;
  #length: number;

  /**
   * @param id The client's identifier
   * @param now The time of opening
   * @param source The bytes that contain its state
   * @param start Where the state begins there
   * @param end Where it ends
   */
  constructor(id: string, now: number, source: Uint8Array, start: number, end: number) {
    this.id = id;
    const label = toBytes(`${id}=`);
    this.openedAt = this.updatedAt = now;
    this.#labelLength = label.length;
    this.#length = label.length + end - start;
    this.#bytes = new Uint8Array(this.#length);
    this.#bytes.set(label);
    copyBytes(source, start, end, this.#bytes, label.length);
  }

  get state(): Uint8Array {
    return this.#bytes.slice(this.#labelLength, this.#length);
  }

  get stateLength(): number {
    return this.#length - this.#labelLength;
  }

  get idLength(): number {
    return this.#labelLength - 1;
  }

  writeId(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, 0, this.idLength, target, at);
    return at + this.idLength;
  }

  writeState(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, this.#labelLength, this.#length, target, at);
    return at + this.stateLength;
  }

  /** Length of the flattened entry, `id=state, `, in bytes. */
  get flatLength(): number {
    return this.#length + 2;
  }

  /** Replaces the state with a copy of `source[start..end)`, reusing its memory if the new state fits. */
  assign(source: Uint8Array, start: number, end: number): void {
    const length = this.#labelLength + end - start;
    const capacity = this.#bytes.length;
    if (length > capacity || (capacity > KEPT_CAPACITY && length < capacity / 4)) {
      const bytes = new Uint8Array(length);
      copyBytes(this.#bytes, 0, this.#labelLength, bytes, 0);
      this.#bytes = bytes;
    }
    copyBytes(source, start, end, this.#bytes, this.#labelLength);
    this.#length = length;
  }

  /** Writes `id=state, ` and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, 0, this.#length, target, at);
    at += this.#length;
    target[at] = COMMA;
    target[at + 1] = SPACE;
    return at + 2;
  }
}

/** Copies `source[start..end)` to `target[at..]`, without a view if the part is short. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > LOOP_COPY_BYTES) {
    target.set(source.subarray(start, end), at);
  } else {
    for (let i = start; i < end; i++) target[at++] = source[i] ?? 0;
  }
}
