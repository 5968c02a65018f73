/**
 * Latencies of messages.
 *
 * @module
 */

/** Most latencies kept for the percentiles. */
const MOST_LATENCIES = 4_000_000;

/** Times from sending to arrival, on the clock of this process. */
export class Latencies {
  /** Arrival of the messages noted next, in milliseconds. */
  arrivedAt = 0;
  readonly #values = new Float32Array(MOST_LATENCIES);
  #count = 0;

  /** Notes a message by its time of sending, in milliseconds. */
  note(sentAt: number): void {
    if (this.#count < MOST_LATENCIES) this.#values[this.#count++] = this.arrivedAt - sentAt;
  }

  /** Computes the median, the 99th percentile and the worst, in microseconds. */
  percentiles(): { p50: number; p99: number; worst: number } {
    const sorted = this.#values.subarray(0, this.#count).sort();
    const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1_000;
    return { p50: at(0.5), p99: at(0.99), worst: at(1) };
  }
}
