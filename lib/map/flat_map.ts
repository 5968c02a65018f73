/**
 * The flattened map, `{id=state, id=state}`.
 *
 * It is asked for far more often than anything else, and a change touches one entry of possibly many. So entries lie in
 * chunks of a bounded size, in order of opening; each chunk keeps its flattened bytes and is rebuilt only after one of
 * its own entries has changed; and the whole is joined from the chunks at most once per change.
 *
 * @module
 */

import { partitionPoint } from "../base/search.ts";
import type { EntryGroup, StoredEntry } from "./entry.ts";

/** Most entries in a chunk: a change makes the next Get rebuild one chunk, and then join all of them. */
const CHUNK_ENTRIES = 128;

/**
 * Longest chunk whose flattened bytes are kept. Copying large states one by one costs no more than copying their chunk,
 * and keeping them twice would double the memory of a map of large states.
 */
const CHUNK_CACHE_BYTES = 65_536;

const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

/** The entries in order of opening, and their flattened bytes. */
export class FlatMap {
  readonly #chunks: Chunk[] = [];
  #bytes: Uint8Array | null = null;

  /** Adds an entry at the end. */
  add(entry: StoredEntry): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.entries.length === CHUNK_ENTRIES) {
      chunk = new Chunk();
      this.#chunks.push(chunk);
    }
    chunk.entries.push(entry);
    entry.group = chunk;
    this.touch(chunk);
  }

  /** Notes that an entry of a group has changed. */
  touch(group: EntryGroup): void {
    group.isDirty = true;
    this.#bytes = null;
  }

  /** Removes an entry from its group. */
  remove(entry: StoredEntry, group: EntryGroup): void {
    const { entries } = group;
    entry.group = null;
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length === 0) this.#chunks.splice(this.#chunks.findIndex((chunk) => chunk === group), 1);
    this.touch(group);
  }

  /** Iterates over the entries that joined after a revision. */
  *entriesSince(revision: number): Generator<StoredEntry, void> {
    const first = partitionPoint(this.#chunks, ({ entries }) => entries.at(-1)!.joinRevision <= revision);
    for (let at = first; at < this.#chunks.length; at++) {
      for (const entry of this.#chunks[at]!.entries) {
        if (entry.joinRevision > revision) yield entry;
      }
    }
  }

  /** The flattened map; the same bytes until the next change. */
  flatten(): Uint8Array {
    return this.#bytes ??= this.#join();
  }

  #join(): Uint8Array {
    let length = 2;
    for (const chunk of this.#chunks) length += chunk.refresh();
    if (length === 2) return Uint8Array.of(OPENING_BRACE, CLOSING_BRACE);
    // Every entry ends with ", "; the last one's makes room for the braces.
    const bytes = new Uint8Array(length - 1);
    bytes[0] = OPENING_BRACE;
    let at = 1;
    for (const chunk of this.#chunks) at = chunk.flattenInto(bytes, at);
    bytes[at - 2] = CLOSING_BRACE;
    return bytes.subarray(0, at - 1);
  }
}

/** Up to {@linkcode CHUNK_ENTRIES} neighbours in the map and, unless they are large, their flattened bytes. */
class Chunk implements EntryGroup {
  readonly entries: StoredEntry[] = [];
  isDirty = true;
  #length = 0;
  #bytes: Uint8Array | null = null;

  /** Brings the chunk up to date and returns its length, in bytes. */
  refresh(): number {
    if (!this.isDirty) return this.#length;
    this.#length = 0;
    for (const entry of this.entries) this.#length += entry.flatLength;
    this.#bytes = this.#length > CHUNK_CACHE_BYTES ? null : this.#rebuild(this.#length);
    this.isDirty = false;
    return this.#length;
  }

  /** Writes the chunk, which must be up to date, and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    if (this.#bytes === null) return this.#flattenEntries(target, at);
    target.set(this.#bytes, at);
    return at + this.#length;
  }

  #rebuild(length: number): Uint8Array {
    const bytes = this.#bytes?.length === length ? this.#bytes : new Uint8Array(length);
    this.#flattenEntries(bytes, 0);
    return bytes;
  }

  #flattenEntries(target: Uint8Array, at: number): number {
    for (const entry of this.entries) at = entry.flattenInto(target, at);
    return at;
  }
}
