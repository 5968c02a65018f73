/**
 * How long to wait before trying again.
 *
 * @module
 */

import { delay } from "../base/async.ts";
import { isTransient, type TrackerError } from "../errors.ts";
import { abortedError, badArgument } from "./calls.ts";

/** The first wait before a new attempt is at most this long unless told otherwise, in milliseconds. */
export const DEFAULT_RECONNECT_BASE = 1_000;

/** No wait before a new attempt is longer than this unless told otherwise, in milliseconds. */
export const DEFAULT_RECONNECT_CAP = 30_000;

/** How to come back when a connection was lost, or could not be made. */
export interface ReconnectOptions {
  /** Longest first wait, in milliseconds; each further one may be twice as long. Default 1,000. */
  base?: number;
  /** Longest wait of all, in milliseconds. Default 30,000. */
  cap?: number;
  /** How many attempts in a row may fail before it gives up. Default: any number. */
  attempts?: number;
  /** A random number from 0 (included) to 1 (excluded). Default `Math.random`. */
  random?: () => number;
  /** Waits so many milliseconds, or until the signal is aborted. For tests that need no waiting. */
  wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Exponential backoff with full jitter: the wait is anything between nothing and a bound that doubles each time. When a
 * server comes back, the thousands that wait for it then do not all come at the same moment.
 *
 * @example Waits that grow, on average
 * ```ts
 * import { Backoff, TrackerError } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * const waits: number[] = [];
 * const backoff = new Backoff({
 *   base: 100,
 *   cap: 1_000,
 *   random: () => 0.5,
 *   wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
 * });
 * const error = new TrackerError("CONNECTION_REFUSED", "Cannot connect: nothing listens there");
 * for (let round = 0; round < 6; round++) await backoff.pause(error, new AbortController().signal);
 * assertEquals(waits, [50, 100, 200, 400, 500, 500]);
 * ```
 */
export class Backoff {
  readonly #options: ReconnectOptions | null;
  readonly #base: number;
  readonly #cap: number;
  /** Attempts in a row that failed. */
  #failures = 0;
  /** How often the bound has doubled. */
  #doublings = 0;
  #openedAt: number | null = null;

  /**
   * Begins with the shortest wait.
   *
   * @param reconnect How to come back; `false` not at all
   * @throws {TrackerError} BAD_ARGUMENT when an option makes no sense
   */
  constructor(reconnect: boolean | ReconnectOptions = true) {
    this.#options = reconnect === true ? {} : reconnect || null;
    const { base = DEFAULT_RECONNECT_BASE, cap = DEFAULT_RECONNECT_CAP, attempts = Infinity } = this.#options ?? {};
    requireAtLeast("base", base, 0);
    requireAtLeast("cap", cap, 0);
    requireAtLeast("attempts", attempts, 1);
    this.#base = base;
    this.#cap = cap;
  }

  /** Notes that an attempt has succeeded. */
  opened(): void {
    this.#failures = 0;
    this.#openedAt = performance.now();
  }

  /**
   * Waits until it is time to try again.
   *
   * @param error What has failed
   * @param signal Stops the waiting when aborted
   * @returns Resolves when it is time
   * @throws {TrackerError} The error itself, when it does not pass or there were too many; ABORTED
   */
  async pause(error: TrackerError, signal: AbortSignal): Promise<void> {
    const { attempts = Infinity, random = Math.random, wait = delay } = this.#options ?? { attempts: 0 };
    if (signal.aborted || !isTransient(error.code) || ++this.#failures > attempts) throw error;
    this.#calmDown();
    const bound = Math.min(this.#cap, this.#base * 2 ** this.#doublings++);
    await wait(random() * bound, signal);
    if (signal.aborted) throw abortedError("reconnect", signal);
  }

  /** Only a connection that has lasted shows that all is well: one that ends at once must not be made at once. */
  #calmDown(): void {
    if (this.#openedAt !== null && performance.now() - this.#openedAt >= this.#cap) this.#doublings = 0;
    this.#openedAt = null;
  }
}

function requireAtLeast(name: string, value: number, least: number): void {
  // Not "less than", which would let NaN pass.
  if (value >= least) return;
  throw badArgument("reconnect", `${name} is ${value}, not ${least} or more`);
}
