/**
 * What a server counts. Counting is adding to a number: it allocates nothing, and sums nothing up before a report is asked
 * for.
 *
 * @module
 */

import type { ErrorCode, LimitName, TrackerError } from "../errors.ts";
import { HISTOGRAM_BOUNDS, type Stats } from "../wire/stats.ts";
import { type Dialect, DIALECTS, MESSAGE_NAMES } from "../protocol.ts";

/** What a row of counters is for: a dialect, connections whose dialect is not settled, or requests over HTTP. */
export type CounterRow = Dialect | "unsettled" | "http";

const ROWS: readonly CounterRow[] = [...DIALECTS, "unsettled", "http"];

/** The counters of one server. */
export class Counters {
  /** Bytes received. */
  received = 0;
  /** Bytes that the system has taken to send. */
  sent = 0;
  /** Connections accepted. */
  accepted = 0;
  /** Connections that have not shown a token, where one is needed: those there are now. */
  unauthorized = 0;
  /** Connections that could not agree on TLS. */
  tlsErrors = 0;
  /** The counters of connections whose dialect is not settled. */
  readonly unsettled: Float64Array;
  readonly #messages = new Map(ROWS.map((dialect) => [dialect, new Float64Array(MESSAGE_NAMES.length)]));
  readonly #errors = new Map<ErrorCode, number>();
  readonly #refused = new Map<LimitName, number>();
  readonly #ghosts = new Float64Array(HISTOGRAM_BOUNDS.length + 1);
  #ghostSum = 0;

  constructor() {
    this.unsettled = this.messagesOf("unsettled");
  }

  /**
   * Finds the counters of a dialect's messages, which sessions count up themselves.
   *
   * @param row The dialect, or what else they are of
   * @returns A counter for each type
   */
  messagesOf(row: CounterRow): Float64Array {
    return this.#messages.get(row)!;
  }

  /** Counts an error reply, and the limit that it reports. */
  countError({ code, limit }: TrackerError): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    if (limit !== undefined) this.countRefusal(limit);
  }

  /** Counts a refusal for a limit. */
  countRefusal(limit: LimitName): void {
    this.#refused.set(limit, (this.#refused.get(limit) ?? 0) + 1);
  }

  /** Counts a client that stayed in the map for so long after it was last heard. */
  countGhost(milliseconds: number): void {
    const bucket = HISTOGRAM_BOUNDS.findIndex((bound) => milliseconds <= bound);
    const index = bucket === -1 ? HISTOGRAM_BOUNDS.length : bucket;
    this.#ghosts[index] = this.#ghosts[index]! + 1;
    this.#ghostSum += milliseconds;
  }

  /** Everything counted, for a report. */
  get counted(): Pick<Stats, "accepted" | "tlsErrors" | "messages" | "bytes" | "errors" | "refused" | "ghost"> {
    const counts = [...this.#ghosts];
    const count = counts.reduce((sum, each) => sum + each, 0);
    return {
      accepted: this.accepted,
      tlsErrors: this.tlsErrors,
      messages: this.#messagesByName(),
      bytes: { received: this.received, sent: this.sent },
      errors: Object.fromEntries(this.#errors),
      refused: Object.fromEntries(this.#refused),
      ghost: { bounds: HISTOGRAM_BOUNDS, counts, count, sum: Math.round(this.#ghostSum) },
    };
  }

  #messagesByName(): Stats["messages"] {
    const byDialect: Stats["messages"] = {};
    for (const [dialect, counts] of this.#messages) {
      const named = MESSAGE_NAMES.map((name, type) => [name.toLowerCase(), counts[type]] as const);
      const seen = named.filter(([, count]) => count !== 0);
      if (seen.length !== 0) byDialect[dialect] = Object.fromEntries(seen) as Record<string, number>;
    }
    return byDialect;
  }
}
