/**
 * Names and addresses that are refused for a while.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../base/deadlines.ts";
import { TrackerError } from "../errors.ts";

/** Most bans at once. */
const MAX_BANS = 16_384;

/** Remembers who was ended, and for how long it is to stay away. */
export class Bans {
  readonly #deadlines: Deadlines;
  readonly #bans = new Map<string, { readonly error: TrackerError; readonly end: Deadline }>();

  /** @param deadlines What ends a ban */
  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /**
   * Refuses a name or an address for a while.
   *
   * @param what What is refused, such as `name pi-7`
   * @param seconds For how long; 0 for not at all
   * @throws {TrackerError} TOO_MANY_CLIENTS when there are too many bans
   */
  add(what: string, seconds: number): void {
    if (seconds === 0) return;
    const known = this.#bans.get(what);
    if (known === undefined && this.#bans.size >= MAX_BANS) {
      const message = `Cannot refuse ${what}: the limit of ${MAX_BANS} names and addresses is reached`;
      throw new TrackerError("TOO_MANY_CLIENTS", message, { limit: "kicks" });
    }
    known?.end.disarm();
    const end = new Deadline(() => void this.#bans.delete(what));
    const message = `Cannot come back: ${what} was kicked, and is refused for ${seconds} s`;
    this.#bans.set(what, { error: new TrackerError("KICKED", message, { limit: "kicks" }), end });
    this.#deadlines.arm(end, seconds * 1_000);
  }

  /**
   * Looks whether something is refused.
   *
   * @param what The name or the address
   * @returns Why; `null` if it is not
   */
  errorFor(what: string): TrackerError | null {
    return this.#bans.size === 0 ? null : this.#bans.get(what)?.error ?? null;
  }

  /**
   * Makes sure that something is not refused.
   *
   * @param what The name or the address
   * @throws {TrackerError} KICKED if it is
   */
  check(what: string): void {
    const error = this.errorFor(what);
    if (error !== null) throw error;
  }
}
