/**
 * One client in the map.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import type { Status } from "../protocol.ts";
import type { Holder } from "./holder.ts";
import type { ChangeLink } from "./change_list.ts";
import { copyBytes, Version } from "./version.ts";

/** A state's memory is reallocated when less than a quarter of it is in use, unless it is this small, in bytes. */
const KEPT_CAPACITY = 64;

/**
 * What a past version costs besides its bytes: two objects, a block of memory and its view. Counted with its bytes, so
 * that many small ones have a bound as well.
 */
export const VERSION_OVERHEAD = 256;

/** One client in the map. Its properties always have their present values; a closed entry keeps its last ones. */
export interface Entry {
  /** The client's identifier. */
  readonly id: string;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  readonly updatedAt: number;
  /** Whether it is connected, waited for, or meant to be without a connection. */
  readonly status: Status;
  /** Until when it stays without a connection, in milliseconds since 1970-01-01 UTC; 0 if it has one. */
  readonly until: number;
  /** @internal Whose it is; `null` for an entry of the program itself. */
  readonly holder: Holder | null;
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

/** Neighbouring entries that are flattened together, and their past versions. */
export interface EntryGroup {
  /** Whether there is nothing in it. */
  readonly isEmpty: boolean;
  /** Notes that the flattened bytes of an entry have changed, and by how much they have grown. */
  touch(entry: StoredEntry, revision: number, growth: number): void;
  /** Removes an entry. It stays as a ghost while there are past versions of it. */
  remove(entry: StoredEntry, revision: number): void;
  /** Removes a ghost. */
  removeGhost(entry: StoredEntry): void;
  /** Removes all past versions, and the ghosts with them. */
  dropPast(): void;
}

/** An entry as the registry stores it. */
export class StoredEntry extends Version implements Entry, ChangeLink {
  previous: ChangeLink | null = null;
  following: ChangeLink | null = null;
  stateRevision = 0;
  statusRevision = 0;
  /** The entries it is flattened with; `null` once it is closed. */
  group: EntryGroup | null = null;
  /** Its length in the flattened bytes that its group keeps. */
  cachedLength = 0;
  /** How much there, right before it, is of entries that have left since. */
  cachedGap = 0;
  /** Whether it has changed since its group was flattened. */
  isStale = true;
  /** Its latest past version that is kept; each knows the one before. */
  past: PastVersion | null = null;
  /** Whether a past version has the same block, which must not be written to any more. */
  #isShared = false;

  /**
   * @param id The client's identifier
   * @param now The time of opening
   * @param source The bytes that contain its state
   * @param start Where the state begins there
   * @param end Where it ends
   */
  constructor(id: string, now: number, source: Uint8Array, start: number, end: number) {
    const label = toBytes(`${id}=`);
    const block = new Uint8Array(label.length + end - start);
    block.set(label);
    copyBytes(source, start, end, block, label.length);
    super(id, now, block, label.length, block.length);
  }

  /** Replaces the state with a copy of `source[start..end)`, reusing its memory if the new state fits. */
  assign(source: Uint8Array, start: number, end: number): void {
    const length = this.labelLength + end - start;
    const capacity = this.block.length;
    if (length > capacity || this.#isShared || (capacity > KEPT_CAPACITY && length < capacity / 4)) {
      const block = new Uint8Array(length);
      copyBytes(this.block, 0, this.labelLength, block, 0);
      this.block = block;
      this.#isShared = false;
    }
    copyBytes(source, start, end, this.block, this.labelLength);
    this.length = length;
  }

  /**
   * Keeps what it is now as a past version, before it changes.
   *
   * @param group The entries it lies with
   * @param until The revision of the change
   */
  keepVersion(group: EntryGroup, until: number): PastVersion {
    this.#isShared = true;
    const version = new PastVersion(this, group, until, this.block, this.labelLength, this.length);
    version.older = this.past;
    if (this.past !== null) this.past.newer = version;
    return this.past = version;
  }

  /** What it was at a revision that a snapshot shows; `null` if it was not in the map. */
  at(revision: number): Version | null {
    if (this.revision <= revision) return this.group === null ? null : this;
    let version = this.past;
    while (version !== null && version.revision > revision) version = version.older;
    return version !== null && revision < version.ceasedAt ? version : null;
  }
}

/** What an entry was until it changed. Kept only while a snapshot needs it. */
export class PastVersion extends Version {
  /** The entry. */
  readonly entry: StoredEntry;
  /** The entries it lies with. */
  readonly group: EntryGroup;
  /** The revision at which it ceased. */
  readonly ceasedAt: number;
  /** The entry's version before this one that is kept, if any. */
  older: PastVersion | null = null;
  /** The entry's version after this one that is kept, if any. */
  newer: PastVersion | null = null;
  /** Left child in a heap of versions. */
  left: PastVersion | null = null;
  /** Right child, whose distance to an empty place is not above that of the left one. */
  right: PastVersion | null = null;
  /** That distance, plus one. */
  rank = 1;

  /** Made by {@linkcode StoredEntry.keepVersion}. */
  constructor(
    entry: StoredEntry,
    group: EntryGroup,
    ceasedAt: number,
    block: Uint8Array<ArrayBuffer>,
    labelLength: number,
    length: number,
  ) {
    super(entry.id, entry.openedAt, block, labelLength, length);
    this.entry = entry;
    this.group = group;
    this.ceasedAt = ceasedAt;
    this.updatedAt = entry.updatedAt;
    this.status = entry.status;
    this.until = entry.until;
    this.holder = entry.holder;
    this.revision = entry.revision;
    this.joinRevision = entry.joinRevision;
  }

  /** What it costs to keep, in bytes. */
  get cost(): number {
    return VERSION_OVERHEAD + this.block.length;
  }

  /** Takes it out of the versions of its entry. */
  unlink(): void {
    if (this.newer === null) this.entry.past = this.older;
    else this.newer.older = this.older;
    if (this.older !== null) this.older.newer = this.newer;
  }
}
