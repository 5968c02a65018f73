/**
 * A limit on the messages a second of one connection. Nothing is dropped: a client that has sent more is not read from
 * for a while, so that what it goes on sending waits in its own system.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../base/deadlines.ts";

/** Limits one client to a rate. It may send a second's worth at once. */
export class Throttle {
  readonly #rate: number;
  readonly #deadlines: Deadlines;
  /** How many messages it may send before it has to wait; negative when it has sent too many. */
  #allowance: number;
  /** Messages since the allowance was last computed. */
  #spent = 0;
  #allowedAt = performance.now();
  #wake: (() => void) | null = null;

  /**
   * @param rate Messages a second
   * @param deadlines What ends the wait
   */
  constructor(rate: number, deadlines: Deadlines) {
    this.#rate = rate;
    this.#deadlines = deadlines;
    this.#allowance = rate;
  }

  /** Counts messages. */
  spend(count: number): void {
    this.#spent += count;
  }

  /** Whether the client has sent so much that it may have to wait. Does not read the clock, unlike {@linkcode isExceeded}. */
  get mayBeExceeded(): boolean {
    return this.#spent > this.#allowance;
  }

  /** Whether the client has to wait. */
  get isExceeded(): boolean {
    const now = performance.now();
    const earned = (now - this.#allowedAt) / 1_000 * this.#rate;
    this.#allowance = Math.min(this.#rate, this.#allowance + earned) - this.#spent;
    this.#spent = 0;
    this.#allowedAt = now;
    return this.#allowance < 0;
  }

  /** Waits until the client may go on, or {@linkcode release} is called. */
  async pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = new Deadline(resolve);
    this.#wake = resolve;
    this.#deadlines.arm(deadline, Math.ceil(-this.#allowance / this.#rate * 1_000));
    await promise;
    deadline.disarm();
    this.#wake = null;
  }

  /** Ends the wait. */
  release(): void {
    this.#wake?.();
  }
}
