/**
 * What the watchers of one feed share.
 *
 * @module
 */

import type { Pool } from "../base/pool.ts";
import type { Registry } from "../map/registry.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** What the watchers of one feed share. */
export interface FeedContext {
  /** The map they watch. */
  readonly registry: Registry;
  /** Encoders, each on loan while something is encoded. */
  readonly encoders: Pool<EventEncoder>;
  /** Bytes of all frames that are kept for watchers who have not taken them. */
  held: number;
  /** How many changes watchers have skipped because they fell behind. */
  conflated: number;
}

/** Most bytes of frames that are kept for watchers who have not taken them. */
export const MAX_HELD = 67_108_864;
