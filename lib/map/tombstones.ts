/**
 * The clients that have left the map.
 *
 * @module
 */

import { partitionPoint } from "../base/search.ts";
import type { LeaveCause } from "../protocol.ts";

/** Most leaves that are kept, for watches that resume from an earlier revision. */
export const MAX_TOMBSTONES = 65_536;

/** A client that has left the map. */
export interface Tombstone {
  /** Its identifier. */
  readonly id: string;
  /** The revision of its leave. */
  readonly revision: number;
  /** Why it left. */
  readonly cause: LeaveCause;
}

/** The latest tombstones, in order; the oldest are dropped when there are too many. */
export class Tombstones {
  #kept: Tombstone[] = [];
  /** Revision of the last tombstone that was dropped. */
  #droppedRevision = 0;

  /** Adds the latest tombstone. */
  add(tombstone: Tombstone): void {
    this.#kept.push(tombstone);
    if (this.#kept.length < MAX_TOMBSTONES) return;
    // Half at once, since dropping them one by one from the front would move all the others each time.
    const dropped = this.#kept.splice(0, MAX_TOMBSTONES / 2);
    this.#droppedRevision = dropped.at(-1)?.revision ?? this.#droppedRevision;
  }

  /** Whether every tombstone after a revision is still kept. */
  canResumeFrom(revision: number): boolean {
    return revision >= this.#droppedRevision;
  }

  /** The tombstones after a revision, in order; `null` if some of them were dropped. */
  since(revision: number): Tombstone[] | null {
    if (!this.canResumeFrom(revision)) return null;
    return this.#kept.slice(partitionPoint(this.#kept, (tombstone) => tombstone.revision <= revision));
  }
}
