/**
 * The seam between the feed and the format its watchers read.
 *
 * @module
 */

import type { Entry } from "../map/entry.ts";
import type { LeaveCause } from "../protocol.ts";

export type { Entry };

/**
 * Turns events into bytes. The feed decides which watcher gets which events, and when; it knows no format: one encoder
 * makes the protocol's frames, another can make lines of JSON.
 *
 * Events are added one by one; {@linkcode finish} returns their bytes and starts over.
 */
export interface EventEncoder {
  /** How many events it holds. */
  readonly count: number;
  /** How many bytes it holds, as far as known before the end. */
  readonly length: number;
  /** Adds the beginning of a snapshot: whatever was known before is to be forgotten. */
  snapshot(revision: number): void;
  /** Adds a client of the snapshot. */
  present(entry: Entry): void;
  /** Adds the end of the snapshot. */
  synced(revision: number, incarnation: string): void;
  /** Adds a client's join, or its new state. */
  state(kind: "join" | "update", revision: number, entry: Entry): void;
  /** Adds a Put, whether its entry is new or not. */
  set(revision: number, entry: Entry): void;
  /** Adds a client's loss of its connection, or its return. */
  status(kind: "suspect" | "resume", revision: number, entry: Entry): void;
  /** Adds a client's leave, perhaps before the snapshot is complete. */
  leave(revision: number, id: string, cause: LeaveCause, isInSnapshot?: boolean): void;
  /**
   * Ends the events added so far, and starts over.
   *
   * @returns The bytes, in memory of their own
   */
  finish(): Uint8Array;
}
