/**
 * How long to wait before trying again.
 *
 * @module
 */

import { delay } from "../base/async.ts";
import { isTransient, type TrackerError } from "../errors.ts";
import { abortedError, badArgument } from "./calls.ts";

/** Default of {@linkcode ReconnectOptions.base}, in milliseconds. */
export const DEFAULT_RECONNECT_BASE = 1_000;

/** Default of {@linkcode ReconnectOptions.cap}, in milliseconds. */
export const DEFAULT_RECONNECT_CAP = 30_000;

/** More doublings make no bound longer, and a power of two beyond all numbers times 0 would be none. */
const MAX_DOUBLINGS = 64;

/** Longest wait after a refusal that may pass, in milliseconds. */
const LONGEST_REFUSED_WAIT = 3_000;

/** For how long to try again after refusals that may pass, in milliseconds. */
export interface Patience {
  /** After NAME_TAKEN: the name may be the client's own, on a connection that is dead and not yet given up. */
  readonly taken?: number;
  /** After UNAUTHORIZED, once the client has been let in: its token may be about to be replaced. */
  readonly denied?: number;
}

/** Options for {@linkcode Backoff}: how to come back after a connection was lost or could not be made. */
export interface ReconnectOptions {
  /**
   * Longest first wait, in milliseconds; each further one may be twice as long.
   *
   * @default {1_000}
   */
  base?: number;
  /**
   * Longest wait of all, in milliseconds.
   *
   * @default {30_000}
   */
  cap?: number;
  /**
   * Number of attempts in a row that may fail before it gives up.
   *
   * @default {Infinity}
   */
  attempts?: number;
  /**
   * Returns a random number from 0 (included) to 1 (excluded).
   *
   * @default {Math.random}
   */
  random?: () => number;
  /** Waits, or returns early when the signal is aborted. For tests that must not wait. */
  wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Exponential backoff with full jitter: each wait is a random part of a bound that doubles each time, so that thousands
 * of clients do not all come at the same moment when their server is back.
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
  readonly #patience: Patience;
  /** When the server refused the client first, and how long was waited since; `null` unless that may pass. */
  #refused: { since: number; waited: number } | null = null;
  /** Whether an attempt has succeeded. */
  #wasOpen = false;
  /** Attempts in a row that failed. */
  #failures = 0;
  /** How often the bound has doubled. */
  #doublings = 0;
  #openedAt: number | null = null;

  /**
   * Starts with the shortest wait.
   *
   * @param reconnect How to come back; `false` for not at all
   * @param patience For how long to try again after refusals that may pass
   * @throws {TrackerError} BAD_ARGUMENT when an option is invalid
   */
  constructor(reconnect: boolean | ReconnectOptions = true, patience: Patience = {}) {
    this.#options = reconnect === true ? {} : reconnect || null;
    const { base = DEFAULT_RECONNECT_BASE, cap = DEFAULT_RECONNECT_CAP, attempts = Infinity } = this.#options ?? {};
    requireAtLeast("base", base, 0);
    requireAtLeast("cap", cap, 0);
    requireAtLeast("attempts", attempts, 1);
    this.#base = base;
    this.#cap = cap;
    this.#patience = patience;
  }

  /** Records that an attempt has succeeded. */
  opened(): void {
    this.#failures = 0;
    this.#refused = null;
    this.#wasOpen = true;
    this.#openedAt = performance.now();
  }

  /**
   * Tells whether there will be another attempt, unless there were too many.
   *
   * @param error Why the last one failed
   * @returns `false` if it would fail again
   */
  passes(error: TrackerError): boolean {
    if (this.#options === null) return false;
    return isTransient(error.code) || this.#patienceLeft(error) > 0;
  }

  /**
   * Waits until it is time for the next attempt.
   *
   * @param error Why the last one failed
   * @param signal Stops the waiting when aborted
   * @returns Resolves when it is time
   * @throws {TrackerError} The error itself if it is permanent or too many attempts have failed; ABORTED
   */
  async pause(error: TrackerError, signal: AbortSignal): Promise<void> {
    const { attempts = Infinity, random = Math.random, wait = delay } = this.#options ?? { attempts: 0 };
    if (signal.aborted || !this.passes(error) || ++this.#failures > attempts) throw error;
    this.#resetIfLasted();
    const bound = Math.min(this.#cap, this.#base * 2 ** Math.min(this.#doublings++, MAX_DOUBLINGS));
    await wait(isTransient(error.code) ? random() * bound : this.#shorten(error, random() * bound), signal);
    if (signal.aborted) throw abortedError("reconnect", signal);
  }

  /** How much longer to try again after a refusal, in milliseconds. */
  #patienceLeft({ code }: TrackerError): number {
    const { taken = 0, denied = 0 } = this.#patience;
    const patience = code === "NAME_TAKEN" ? taken : code === "UNAUTHORIZED" && this.#wasOpen ? denied : 0;
    const { since, waited } = this.#refused ?? { since: performance.now(), waited: 0 };
    return Math.max(0, patience - Math.max(waited, performance.now() - since));
  }

  /** Shortens a wait after a refusal, so that its end is not noticed much too late, and there is one more try at the end. */
  #shorten(error: TrackerError, wait: number): number {
    const shortened = Math.min(wait, LONGEST_REFUSED_WAIT, this.#patienceLeft(error));
    this.#refused ??= { since: performance.now(), waited: 0 };
    this.#refused.waited += shortened;
    return shortened;
  }

  /** Starts over after a connection that has lasted. One that ended at once shows no recovery. */
  #resetIfLasted(): void {
    if (this.#openedAt !== null && performance.now() - this.#openedAt >= this.#cap) this.#doublings = 0;
    this.#openedAt = null;
  }
}

function requireAtLeast(name: string, value: number, least: number): void {
  // Not "less than", which would let NaN pass.
  if (value >= least) return;
  throw badArgument("reconnect", `${name} is ${value}, not ${least} or more`);
}
