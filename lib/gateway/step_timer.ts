/**
 * The time of what a connection waits for.
 *
 * @module
 */

import { type Deadlines, Expiry } from "../base/deadlines.ts";
import { TIME_LIMITS, type TimeLimit } from "./time_limits.ts";

/** The connection that a timer belongs to. */
export interface StepTimerOwner {
  /** What it shares with others. */
  readonly context: { readonly deadlines: Deadlines };
  /** Called when the time is over. */
  onLate(limit: TimeLimit): void;
}

/** Times one step after another. The time of a head runs from its first byte, whatever follows. */
export class StepTimer extends Expiry {
  readonly #owner: StepTimerOwner;
  #limit: TimeLimit | null = null;

  /** @param owner The connection */
  constructor(owner: StepTimerOwner) {
    super();
    this.#owner = owner;
  }

  /**
   * Begins a step, unless it has begun.
   *
   * @param limit What is waited for; `null` for nothing
   */
  begin(limit: TimeLimit | null): void {
    if (limit === this.#limit) return;
    this.#limit = limit;
    // A time that is not wanted any more is cheaper to ignore than to take out, and mostly another is wanted soon.
    if (limit !== null) this.#owner.context.deadlines.arm(this, TIME_LIMITS[limit].duration);
  }

  override expire(): void {
    const limit = this.#limit;
    this.#limit = null;
    if (limit !== null) this.#owner.onLate(limit);
  }
}
