/**
 * Statistics of round trips.
 *
 * @module
 */

/** Statistics of round trips. Times are in milliseconds, and `null` if there was no answer. */
export interface Summary {
  /** How many pings were sent. */
  readonly sent: number;
  /** How many of them were answered. */
  readonly answered: number;
  /** The fraction that was not answered, from 0 to 1. */
  readonly loss: number;
  /** The shortest time. */
  readonly min: number | null;
  /** The average time. */
  readonly avg: number | null;
  /** The longest time. */
  readonly max: number | null;
  /** The standard deviation of the times. */
  readonly mdev: number | null;
}

/** Sums up round trips as they come, without keeping them. */
export class RoundTrips {
  #lost = 0;
  #answered = 0;
  #sum = 0;
  #squares = 0;
  #least = Infinity;
  #most = 0;

  /** How many pings were answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Counts a ping that was answered after some milliseconds. */
  add(milliseconds: number): void {
    this.#answered++;
    this.#sum += milliseconds;
    this.#squares += milliseconds ** 2;
    this.#least = Math.min(this.#least, milliseconds);
    this.#most = Math.max(this.#most, milliseconds);
  }

  /** Counts a ping that was not answered. */
  lose(): void {
    this.#lost++;
  }

  /** Returns the statistics so far. */
  summary(): Summary {
    const answered = this.#answered;
    const sent = answered + this.#lost;
    const loss = sent === 0 ? 0 : this.#lost / sent;
    if (answered === 0) return { sent, answered, loss, min: null, avg: null, max: null, mdev: null };
    const avg = this.#sum / answered;
    const mdev = Math.sqrt(Math.max(0, this.#squares / answered - avg ** 2));
    return { sent, answered, loss, min: this.#least, avg, max: this.#most, mdev };
  }
}
