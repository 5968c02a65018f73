/**
 * The flattened map, `{id=state, id=state}`.
 *
 * It is asked for far more often than anything else, and a change touches one entry of possibly many. So entries lie in
 * chunks of a bounded size, in order of opening, and each chunk keeps its flattened bytes, in which only the entries that
 * have changed are replaced. A short map is joined from its chunks at most once per change. A long one is never joined
 * for a client: it is read from a snapshot, piece by piece, and all readers share the bytes of the chunks.
 *
 * @module
 */

import { PIECE_BYTES, type Pieces } from "../base/pieces.ts";
import { partitionPoint } from "../base/search.ts";
import { Chunk } from "./chunk.ts";
import { type EntryGroup, type StoredEntry, VERSION_OVERHEAD } from "./entry.ts";
import { FlatPieces } from "./flat_pieces.ts";
import { Scan } from "./scan.ts";
import { MIN_PAST_BYTES, type Snapshot, type SnapshotOwner, Snapshots } from "./snapshots.ts";

const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

/** The entries in order of opening, and their flattened bytes. */
export class FlatMap implements SnapshotOwner {
  /** The snapshots that are held. */
  readonly snapshots: Snapshots;
  readonly #chunks: Chunk[] = [];
  /** The flattened map, if it is short and has not changed since. */
  #bytes: Uint8Array | null = null;
  #size = 0;
  /** Length of all entries flattened, each with the comma and the space behind it. */
  #length = 0;

  constructor() {
    this.snapshots = new Snapshots(this);
  }

  /** The number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Length of the flattened map, in bytes. */
  get length(): number {
    // The last entry's comma and space make room for the braces.
    return this.#size === 0 ? 2 : this.#length;
  }

  /** Total length of all identifiers and states, in bytes. */
  get contentBytes(): number {
    return this.#length - 3 * this.#size;
  }

  /** Most bytes of past versions that snapshots may keep: one more copy of the map, or a fixed amount if that is more. */
  get pastLimit(): number {
    return Math.max(MIN_PAST_BYTES, this.#length + VERSION_OVERHEAD * this.#size);
  }

  /** Adds an entry at the end; its `joinRevision` is set. */
  add(entry: StoredEntry): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.isFull) {
      chunk = new Chunk();
      this.#chunks.push(chunk);
    }
    chunk.add(entry);
    this.#size++;
    this.#length += entry.flatLength;
    this.#bytes = null;
  }

  /** Called before an entry changes in any way, with the revision of the change. */
  willChange(entry: StoredEntry, revision: number): void {
    if (entry.group !== null) this.snapshots.keep(entry, entry.group, revision);
  }

  /** Notes that an entry's state was replaced. */
  noteState(entry: StoredEntry, revision: number, lengthBefore: number): void {
    const growth = entry.stateLength - lengthBefore;
    this.#length += growth;
    entry.group?.touch(entry, revision, growth);
    this.#bytes = null;
  }

  /** Removes an entry from its group. */
  remove(entry: StoredEntry, revision: number): void {
    const { group } = entry;
    if (group === null) return;
    this.#size--;
    this.#length -= entry.flatLength;
    group.remove(entry, revision);
    if (group.isEmpty) this.#removeEmptyChunks();
    this.#bytes = null;
  }

  /** Iterates over the entries that joined after a revision. */
  *entriesSince(revision: number): Generator<StoredEntry, void> {
    const first = partitionPoint(this.#chunks, ({ lastJoin }) => lastJoin <= revision);
    for (let at = first; at < this.#chunks.length; at++) {
      for (const entry of this.#chunks[at]!.entries) {
        if (entry.joinRevision > revision) yield entry;
      }
    }
  }

  /** The flattened map. If it is short, the same bytes until the next change. */
  flatten(): Uint8Array {
    if (this.#bytes !== null) return this.#bytes;
    const bytes = this.#join();
    if (bytes.length <= PIECE_BYTES) this.#bytes = bytes;
    return bytes;
  }

  /** The flattened map in pieces. */
  flattenInPieces(revision: number): Pieces {
    return new FlatPieces(this.snapshots, this.scan(this.snapshots.take(revision)), this.#length);
  }

  /** Begins to walk over the clients that a snapshot shows. */
  scan(snapshot: Snapshot): Scan {
    return new Scan(this.#chunks, snapshot);
  }

  removeGhost(entry: StoredEntry, group: EntryGroup): void {
    group.removeGhost(entry);
    if (group.isEmpty) this.#removeEmptyChunks();
  }

  dropPast(groups: ReadonlySet<EntryGroup>): void {
    let hasEmpty = false;
    for (const group of groups) {
      group.dropPast();
      hasEmpty ||= group.isEmpty;
    }
    if (hasEmpty) this.#removeEmptyChunks();
  }

  #removeEmptyChunks(): void {
    let kept = 0;
    for (const chunk of this.#chunks) if (!chunk.isEmpty) this.#chunks[kept++] = chunk;
    this.#chunks.length = kept;
  }

  #join(): Uint8Array {
    if (this.#size === 0) return Uint8Array.of(OPENING_BRACE, CLOSING_BRACE);
    const bytes = new Uint8Array(this.#length + 1);
    bytes[0] = OPENING_BRACE;
    let at = 1;
    for (const chunk of this.#chunks) at = chunk.flattenInto(bytes, at);
    bytes[at - 2] = CLOSING_BRACE;
    return bytes.subarray(0, at - 1);
  }
}
