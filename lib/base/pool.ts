/**
 * Things that cost more to make than to keep.
 *
 * @module
 */

/** Lends things out, the one returned last first: it is the one still in the processor's cache. */
export class Pool<T> {
  readonly #make: () => T;
  readonly #limit: number;
  readonly #kept: T[] = [];

  /**
   * @param limit Most things it keeps: enough for those in use at the same moment, not for every connection
   * @param make Makes a thing when there is none to lend
   */
  constructor(limit: number, make: () => T) {
    this.#limit = limit;
    this.#make = make;
  }

  /** Lends a thing. */
  take(): T {
    return this.#kept.pop() ?? this.#make();
  }

  /** Takes a thing back. Nobody may use it any more. */
  give(thing: T): void {
    if (this.#kept.length < this.#limit) this.#kept.push(thing);
  }
}
