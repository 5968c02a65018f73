/**
 * What there is to say of many round trips.
 *
 * @module
 */

/** Round trips in a few numbers; the times are in milliseconds, and `null` when there was no answer. */
export interface Summary {
  /** How many questions there were. */
  readonly sent: number;
  /** How many were answered. */
  readonly answered: number;
  /** The part that was not, from 0 to 1. */
  readonly loss: number;
  /** The shortest. */
  readonly min: number | null;
  /** The average. */
  readonly avg: number | null;
  /** The longest. */
  readonly max: number | null;
  /** The standard deviation. */
  readonly mdev: number | null;
}

/** Sums round trips up as they come, and keeps none. */
export class RoundTrips {
  #lost = 0;
  #answered = 0;
  #sum = 0;
  #squares = 0;
  #least = Infinity;
  #most = 0;

  /** How many were answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Counts one that took so many milliseconds. */
  add(milliseconds: number): void {
    this.#answered++;
    this.#sum += milliseconds;
    this.#squares += milliseconds ** 2;
    this.#least = Math.min(this.#least, milliseconds);
    this.#most = Math.max(this.#most, milliseconds);
  }

  /** Counts one that was not answered. */
  lose(): void {
    this.#lost++;
  }

  /** What there is to say by now. */
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
