/**
 * A part of the map that is flattened at once.
 *
 * @module
 */

import { PIECE_BYTES } from "../base/pieces.ts";
import { partitionPoint } from "../base/search.ts";
import type { EntryGroup, StoredEntry } from "./entry.ts";
import { copyBytes } from "./version.ts";

/** Most entries in a chunk. */
const CHUNK_ENTRIES = 512;

/** A chunk of so many flattened bytes takes no more entries: with room for some growth, it makes a piece. */
const CHUNK_BYTES = PIECE_BYTES * 3 / 4;

/**
 * Longest entry, on average, of a chunk whose flattened bytes are kept. Copying longer ones one by one costs little more,
 * and keeping them twice would double the memory of the map; of shorter ones, their objects are most of the memory.
 */
const CACHED_ENTRY_BYTES = 256;

/** Neighbours in the map and, unless they are long, their flattened bytes. */
export class Chunk implements EntryGroup {
  readonly entries: StoredEntry[] = [];
  readonly ghosts: StoredEntry[] = [];
  /** The revision at which its last entry has joined, which may have left since. */
  lastJoin = 0;
  /** The revision of the last change of its flattened bytes. */
  changedAt = 0;
  /** Length of its flattened bytes. */
  length = 0;
  #isDirty = true;
  #bytes: Uint8Array | null = null;
  /** Whether others may have its bytes, which then must not change any more. */
  #isLent = false;

  /** Whether there is room for another entry. */
  get isFull(): boolean {
    return this.length >= CHUNK_BYTES || this.entries.length + this.ghosts.length >= CHUNK_ENTRIES;
  }

  /** Whether there is nothing in it. */
  get isEmpty(): boolean {
    return this.entries.length === 0 && this.ghosts.length === 0;
  }

  /** Its flattened bytes, until the next change; `null` if it is too long to keep them. */
  get bytes(): Uint8Array | null {
    this.#refresh();
    return this.#bytes;
  }

  /** Adds an entry behind all others. */
  add(entry: StoredEntry): void {
    this.entries.push(entry);
    this.lastJoin = entry.joinRevision;
    entry.group = this;
    this.touch(entry, entry.joinRevision, entry.flatLength);
  }

  /** Notes that the flattened bytes of an entry have changed. */
  touch(entry: StoredEntry, revision: number, growth: number): void {
    this.length += growth;
    entry.isStale = true;
    this.#isDirty = true;
    this.changedAt = revision;
  }

  /** Removes an entry. It stays as a ghost while there are past versions of it. */
  remove(entry: StoredEntry, revision: number): void {
    const at = removeFrom(this.entries, entry);
    const next = this.entries[at];
    if (next !== undefined) next.cachedGap += entry.cachedGap + entry.cachedLength;
    entry.group = null;
    this.length -= entry.flatLength;
    this.#isDirty = true;
    this.changedAt = revision;
    if (entry.past !== null) this.ghosts.splice(placeOf(this.ghosts, entry), 0, entry);
  }

  /** Removes a ghost. */
  removeGhost(entry: StoredEntry): void {
    removeFrom(this.ghosts, entry);
  }

  /** Removes all past versions, and the ghosts with them. */
  dropPast(): void {
    for (const entry of this.entries) entry.past = null;
    for (const ghost of this.ghosts) ghost.past = null;
    this.ghosts.length = 0;
  }

  /** Its flattened bytes, which do not change any more; `null` if it is too long to keep them. */
  lend(): Uint8Array | null {
    this.#refresh();
    this.#isLent = true;
    return this.#bytes;
  }

  /** Writes it flattened, and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    const { bytes } = this;
    if (bytes === null) {
      for (const entry of this.entries) at = entry.flattenInto(target, at);
      return at;
    }
    target.set(bytes, at);
    return at + bytes.length;
  }

  /** Brings its bytes up to date. */
  #refresh(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    if (this.length <= this.entries.length * CACHED_ENTRY_BYTES) this.#flatten();
    else this.#bytes = null;
  }

  /** Flattens the entries that have changed, and takes the others from the former bytes. */
  #flatten(): void {
    const before = this.#bytes;
    const isReused = before?.length === this.length && !this.#isLent && this.entries.every(isInPlace);
    const bytes = isReused ? before : new Uint8Array(this.length);
    this.#bytes = bytes;
    this.#isLent = false;
    let at = 0;
    let beforeAt = 0;
    // Length of the neighbours that have not changed: they are copied at once.
    let run = 0;
    for (const entry of this.entries) {
      const isKept = before !== null && !entry.isStale;
      if (isKept && entry.cachedGap === 0) {
        run += entry.cachedLength;
        continue;
      }
      if (before !== null && !isReused) copyBytes(before, beforeAt, beforeAt + run, bytes, at);
      at += run;
      beforeAt += run + entry.cachedGap;
      run = isKept ? entry.cachedLength : 0;
      entry.cachedGap = 0;
      if (isKept) continue;
      beforeAt += entry.cachedLength;
      entry.cachedLength = entry.flatLength;
      entry.isStale = false;
      at = entry.flattenInto(bytes, at);
    }
    if (before !== null && !isReused) copyBytes(before, beforeAt, beforeAt + run, bytes, at);
  }
}

/** Whether an entry has the place in the flattened bytes that it had before, if those before it have theirs. */
function isInPlace({ cachedGap, isStale, cachedLength, flatLength }: StoredEntry): boolean {
  return cachedGap === 0 && (!isStale || cachedLength === flatLength);
}

/** Finds where an entry is, or would be, among others in order of opening. */
function placeOf(entries: readonly StoredEntry[], { joinRevision }: StoredEntry): number {
  return partitionPoint(entries, (entry) => entry.joinRevision < joinRevision);
}

/** Removes an entry from others in order of opening, and returns where it was. */
function removeFrom(entries: StoredEntry[], entry: StoredEntry): number {
  const at = placeOf(entries, entry);
  entries.splice(at, 1);
  return at;
}
