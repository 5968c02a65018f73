/**
 * What the watchers of one feed share.
 *
 * @module
 */

import type { Registry } from "../map/registry.ts";
import type { Budget } from "./budget.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** What the watchers of one feed share. */
export interface FeedContext {
  /** The map they watch. */
  readonly registry: Registry;
  /** An encoder that is lent to one watcher after another; each finishes its frames before the next begins. */
  readonly encoder: EventEncoder;
  /** The memory they may hold while they catch up. */
  readonly budget: Budget;
  /** How many changes watchers have skipped because they fell behind. */
  conflated: number;
}
