/**
 * Reading a snapshot of the map from its first client to its last.
 *
 * @module
 */

import { partitionPoint } from "../base/search.ts";
import type { Chunk } from "./chunk.ts";
import type { StoredEntry } from "./entry.ts";
import type { Snapshot } from "./snapshots.ts";
import type { Version } from "./version.ts";

/** How many clients are looked at in a step: they take a fraction of a millisecond. */
const STEP_VISITS = 4_096;

/**
 * Walks over the clients that a snapshot shows, in order of opening. It goes in steps, between which the map may change:
 * its place is kept as the revision at which the last client had joined, and found again when the next step begins.
 */
export class Scan {
  /** What it reads. */
  readonly snapshot: Snapshot;
  /** Whether there are no more clients. */
  isAtEnd = false;
  readonly #chunks: readonly Chunk[];
  /** The revision at which the client returned last had joined. */
  #position = 0;
  /** How many clients may still be looked at in this step. */
  #visits = 0;
  #chunkAt = 0;
  #entryAt = 0;
  #ghostAt = 0;

  /**
   * @param chunks The chunks of the map
   * @param snapshot What to read
   */
  constructor(chunks: readonly Chunk[], snapshot: Snapshot) {
    this.#chunks = chunks;
    this.snapshot = snapshot;
  }

  /** Begins a step. */
  resume(): void {
    const isPassed = ({ joinRevision }: StoredEntry) => joinRevision <= this.#position;
    this.#visits = STEP_VISITS;
    this.#chunkAt = partitionPoint(this.#chunks, ({ lastJoin }) => lastJoin <= this.#position);
    const chunk = this.#chunks[this.#chunkAt];
    this.#entryAt = chunk === undefined ? 0 : partitionPoint(chunk.entries, isPassed);
    this.#ghostAt = chunk === undefined ? 0 : partitionPoint(chunk.ghosts, isPassed);
  }

  /** Finds the next client; `null` after the last, and when the step has looked at enough. */
  next(): Version | null {
    const { revision } = this.snapshot;
    while (this.#visits-- > 0) {
      const entry = this.#nextEntry();
      if (entry === undefined || entry.joinRevision > revision) {
        this.isAtEnd = true;
        return null;
      }
      this.#position = entry.joinRevision;
      const version = entry.at(revision);
      if (version !== null) return version;
    }
    return null;
  }

  /** Finds the client returned last again: it may be another object after a change. */
  current(): Version | null {
    return this.find(this.#position);
  }

  /** Finds the client that joined at a revision; `null` if the snapshot does not show it. */
  find(joinRevision: number): Version | null {
    const isBefore = (entry: StoredEntry) => entry.joinRevision < joinRevision;
    const chunk = this.#chunks[partitionPoint(this.#chunks, ({ lastJoin }) => lastJoin < joinRevision)];
    if (chunk === undefined) return null;
    let entry = chunk.entries[partitionPoint(chunk.entries, isBefore)];
    if (entry?.joinRevision !== joinRevision) entry = chunk.ghosts[partitionPoint(chunk.ghosts, isBefore)];
    return entry?.joinRevision === joinRevision ? entry.at(this.snapshot.revision) : null;
  }

  /** The chunk that comes next, if all of it does and it has not changed since the snapshot was taken; else `null`. */
  get wholeChunk(): Chunk | null {
    this.#skipFinished();
    const chunk = this.#chunks[this.#chunkAt];
    return chunk !== undefined && this.#entryAt === 0 && chunk.changedAt <= this.snapshot.revision ? chunk : null;
  }

  /** Continues behind the chunk that came next. */
  skipChunk({ lastJoin }: Chunk): void {
    this.#position = lastJoin;
    this.#startChunk(this.#chunkAt + 1);
  }

  /** Begins again with the first client. */
  rewind(): void {
    this.isAtEnd = false;
    this.#position = 0;
    this.#startChunk(0);
  }

  /** Takes the next of the entries and ghosts, which are two lists in the same order. */
  #nextEntry(): StoredEntry | undefined {
    this.#skipFinished();
    const chunk = this.#chunks[this.#chunkAt];
    if (chunk === undefined) return undefined;
    const entry = chunk.entries[this.#entryAt];
    const ghost = chunk.ghosts[this.#ghostAt];
    if (ghost === undefined || entry !== undefined && entry.joinRevision < ghost.joinRevision) {
      this.#entryAt++;
      return entry;
    }
    this.#ghostAt++;
    return ghost;
  }

  /** Goes on to the next chunk that has something left. */
  #skipFinished(): void {
    for (;;) {
      const chunk = this.#chunks[this.#chunkAt];
      if (chunk === undefined || this.#entryAt < chunk.entries.length || this.#ghostAt < chunk.ghosts.length) return;
      this.#startChunk(this.#chunkAt + 1);
    }
  }

  #startChunk(at: number): void {
    this.#chunkAt = at;
    this.#entryAt = this.#ghostAt = 0;
  }
}
