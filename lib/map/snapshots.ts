/**
 * Snapshots: the map as it was at one revision, while it goes on changing.
 *
 * Whoever reads the map slowly holds a snapshot, which costs next to nothing to take. Before an entry changes, its version
 * is kept if a snapshot shows it. Since revisions only rise, one comparison with the newest snapshot tells, and without
 * snapshots nothing is kept at all. What is kept belongs to the newest snapshot that shows it; when that is released, to
 * the next older one that does, or else it goes.
 *
 * A reader that stops reading would keep one more copy of the map alive, and two that began at different times two. So
 * what all of them keep alive has a limit, beyond which the oldest snapshot is cut.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { EntryGroup, PastVersion, StoredEntry } from "./entry.ts";

/** Past versions may always have this much memory, in bytes; beyond that, as much as one more copy of the map. */
export const MIN_PAST_BYTES = 67_108_864;

/** How many versions that nobody needs any more are dropped for each that is kept: they must not pile up. */
const SWEPT_PER_KEPT = 8;

/** How many are dropped when a snapshot is read or released: few enough to take no time that others would notice. */
const SWEPT_PER_STEP = 256;

/** The map at one revision. */
export class Snapshot {
  /** The revision. */
  readonly revision: number;
  /** Whether it was cut: what it shows is not complete any more. */
  isCut = false;
  /** The snapshot taken before it, if that is still held. */
  older: Snapshot | null = null;
  /** The snapshot taken after it. */
  newer: Snapshot | null = null;
  /** The past versions that it shows and no newer snapshot does, and some garbage: a heap, those that began last first. */
  versions: PastVersion | null = null;
  /** What these cost to keep, in bytes. */
  bytes = 0;
  /** Whether there may be garbage among them: versions that began after its revision. */
  hasGarbage = false;

  /** Made by {@linkcode Snapshots.take}. */
  constructor(revision: number) {
    this.revision = revision;
  }

  /**
   * Checks that it is complete.
   *
   * @throws {TrackerError} SLOW_CONSUMER if it was cut
   */
  check(): void {
    if (!this.isCut) return;
    throw new TrackerError("SLOW_CONSUMER", "Cannot keep up: the map has changed too much while it was being read");
  }
}

/** What snapshots ask of the map. */
export interface SnapshotOwner {
  /** Most bytes that past versions may have. */
  readonly pastLimit: number;
  /** Called when an entry that is closed has no past versions any more. */
  removeGhost(entry: StoredEntry, group: EntryGroup): void;
  /** Called when no entry of these groups needs its past versions any more. */
  dropPast(groups: ReadonlySet<EntryGroup>): void;
}

/** The snapshots that are held, and the past versions of entries that they show. */
export class Snapshots {
  readonly #owner: SnapshotOwner;
  /** Before the oldest: shows nothing, so whatever it is left is garbage. */
  readonly #nobody = new Snapshot(-1);
  #newest = this.#nobody;
  #bytes = 0;
  /** The groups that have past versions. */
  readonly #groups = new Set<EntryGroup>();
  /** Snapshots that may have garbage, released ones among them. */
  readonly #littered: Snapshot[] = [];

  constructor(owner: SnapshotOwner) {
    this.#owner = owner;
  }

  /** What all past versions cost to keep, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a snapshot of the present revision. It must be released. */
  take(revision: number): Snapshot {
    const snapshot = new Snapshot(revision);
    snapshot.older = this.#newest;
    return this.#newest = this.#newest.newer = snapshot;
  }

  /** Releases a snapshot. Doing it twice is safe. */
  release(snapshot: Snapshot): void {
    this.#remove(snapshot);
    this.sweep();
  }

  /** Keeps the present version of an entry, which is about to change, if a snapshot shows it. */
  keep(entry: StoredEntry, group: EntryGroup, until: number): void {
    const newest = this.#newest;
    if (newest.revision < entry.revision) return;
    const version = entry.keepVersion(group, until);
    newest.versions = meld(newest.versions, version);
    newest.bytes += version.cost;
    this.#bytes += version.cost;
    this.#groups.add(group);
    this.sweep(SWEPT_PER_KEPT);
    while (this.#bytes - this.#nobody.bytes > this.#owner.pastLimit && this.#nobody.newer !== null) {
      this.#nobody.newer.isCut = true;
      this.#remove(this.#nobody.newer);
    }
  }

  /** Drops some of the versions that nobody needs any more. */
  sweep(count = SWEPT_PER_STEP): void {
    while (count > 0) {
      const snapshot = this.#littered.at(-1);
      if (snapshot === undefined) return;
      const version = snapshot.versions;
      if (version === null || version.revision <= snapshot.revision) {
        snapshot.hasGarbage = false;
        this.#littered.pop();
        continue;
      }
      snapshot.versions = meld(version.left, version.right);
      snapshot.bytes -= version.cost;
      this.#drop(version);
      count--;
    }
  }

  /** Takes a snapshot out of the list, and leaves what it has to the next older one, part of it as garbage. */
  #remove(snapshot: Snapshot): void {
    const { older, newer } = snapshot;
    if (older === null) return;
    snapshot.older = snapshot.newer = null;
    older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (this.#newest === this.#nobody) return this.#dropAll();
    older.versions = meld(older.versions, snapshot.versions);
    older.bytes += snapshot.bytes;
    snapshot.versions = null;
    if (older.hasGarbage) return;
    older.hasGarbage = true;
    this.#littered.push(older);
  }

  #drop(version: PastVersion): void {
    const { entry, group } = version;
    this.#bytes -= version.cost;
    version.unlink();
    if (entry.group === null && entry.past === null) this.#owner.removeGhost(entry, group);
  }

  /** Drops everything. By groups, which takes a moment however many versions there are. */
  #dropAll(): void {
    for (const snapshot of this.#littered) snapshot.hasGarbage = false;
    this.#littered.length = 0;
    this.#nobody.versions = null;
    this.#nobody.bytes = this.#bytes = 0;
    this.#owner.dropPast(this.#groups);
    this.#groups.clear();
  }
}

/**
 * Melds two heaps in logarithmic time. The heaps are leftist: the way down the right children is the shortest.
 *
 * @returns A heap of the versions of both, the one that began last at its root
 */
function meld(one: PastVersion | null, other: PastVersion | null): PastVersion | null {
  if (one === null) return other;
  if (other === null) return one;
  const [root, rest] = one.revision >= other.revision ? [one, other] : [other, one];
  root.right = meld(root.right, rest);
  if (root.left === null || root.right !== null && root.left.rank < root.right.rank) {
    [root.left, root.right] = [root.right, root.left];
  }
  root.rank = (root.right === null ? 0 : root.right.rank) + 1;
  return root;
}
