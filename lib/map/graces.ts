/**
 * Places for clients whose connection may end without their leaving the map.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** One holder may have this fraction of all places. */
const SHARE = 1 / 4;

/**
 * Counts the graces that were promised. A place is reserved when the promise is made, so that it can always be kept: who
 * asks for one too many is told so at once, instead of losing a client silently later.
 */
export class Graces {
  readonly #limit: number;
  readonly #share: number;
  #reserved = 0;
  readonly #byHolder = new Map<string, number>();

  /** @param limit Most graces at once, of all holders together */
  constructor(limit: number) {
    this.#limit = limit;
    this.#share = Math.ceil(limit * SHARE);
  }

  /**
   * Reserves a place.
   *
   * @param holders Whom it counts for, such as an address and a token, each as people know it
   * @throws {TrackerError} TOO_MANY_CLIENTS when all places are taken, or a holder's share of them
   */
  reserve(holders: readonly string[]): void {
    if (this.#reserved >= this.#limit) throw fullError(`the limit of ${this.#limit} names with a grace is reached`);
    for (const holder of holders) {
      if (this.#countOf(holder) < this.#share) continue;
      throw fullError(`the limit of ${this.#share} names with a grace from one ${holder} is reached`);
    }
    this.#add(holders, 1);
  }

  /**
   * Gives a place up for another, which is there even if there was only that one.
   *
   * @param before Whom the place counted for
   * @param after Whom it counts for from now on
   * @throws {TrackerError} TOO_MANY_CLIENTS as {@linkcode reserve} does; nothing has changed then
   */
  exchange(before: readonly string[], after: readonly string[]): void {
    this.#add(before, -1);
    try {
      this.reserve(after);
    } catch (error) {
      this.#add(before, 1);
      throw error;
    }
  }

  /** Gives a place up. */
  release(holders: readonly string[]): void {
    this.#add(holders, -1);
  }

  #countOf(holder: string): number {
    return this.#byHolder.get(holder) ?? 0;
  }

  #add(holders: readonly string[], change: number): void {
    this.#reserved += change;
    for (const holder of holders) {
      const count = this.#countOf(holder) + change;
      if (count === 0) this.#byHolder.delete(holder);
      else this.#byHolder.set(holder, count);
    }
  }
}

function fullError(why: string): TrackerError {
  return new TrackerError("TOO_MANY_CLIENTS", `Cannot keep name: ${why}`, { limit: "suspects" });
}
