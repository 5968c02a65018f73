/**
 * The seam between the feed and what its watchers read.
 *
 * @module
 */

import type { Entry } from "../map/entry.ts";
import type { LeaveCause } from "../protocol.ts";

/**
 * Turns events into bytes. The feed decides what is told to whom and when, and knows no format: frames of the protocol
 * come from one encoder, lines of JSON can come from another.
 *
 * Events are added one after another; {@linkcode finish} hands over their bytes and begins anew.
 */
export interface EventEncoder {
  /** How many events it holds. */
  readonly count: number;
  /** How many bytes it holds, as far as they can be told before the end. */
  readonly length: number;
  /** Adds a client of the snapshot. */
  present(entry: Entry): void;
  /** Adds the end of the snapshot. */
  synced(revision: number, incarnation: string): void;
  /** Adds a client's join, or its new state. */
  state(kind: "join" | "update", revision: number, entry: Entry): void;
  /** Adds a client's loss of its connection, or its return. */
  status(kind: "suspect" | "resume", revision: number, entry: Entry): void;
  /** Adds a client's leave. */
  leave(revision: number, id: string, cause: LeaveCause): void;
  /**
   * Ends what was added, and begins anew.
   *
   * @returns The bytes, in memory of their own
   */
  finish(): Uint8Array;
}
