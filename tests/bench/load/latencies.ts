/**
 * How late messages arrive.
 *
 * @module
 */

/** Most latencies kept for the percentiles. */
const MOST_LATENCIES = 4_000_000;

/** Times from sending to hearing, on the clock of this process. */
export class Latencies {
  /** When what is noted now has arrived, in milliseconds. */
  arrivedAt = 0;
  readonly #values = new Float32Array(MOST_LATENCIES);
  #count = 0;

  /** Notes a message that was sent at a moment, in milliseconds. */
  note(sentAt: number): void {
    if (this.#count < MOST_LATENCIES) this.#values[this.#count++] = this.arrivedAt - sentAt;
  }

  /** The median and the 99th percentile, in microseconds. */
  percentiles(): { p50: number; p99: number } {
    const sorted = this.#values.subarray(0, this.#count).sort();
    const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
