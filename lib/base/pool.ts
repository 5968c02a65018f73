/**
 * Objects that cost more to make than to keep.
 *
 * @module
 */

/** Lends objects, the one returned last first: it is the one still in the processor's cache. */
export class Pool<T> {
  readonly #make: () => T;
  readonly #limit: number;
  readonly #kept: T[] = [];

  /**
   * @param limit Most objects it keeps: enough for those in use at the same moment, not for every connection
   * @param make Makes an object when there is none to lend
   */
  constructor(limit: number, make: () => T) {
    this.#limit = limit;
    this.#make = make;
  }

  /** Lends an object. */
  take(): T {
    return this.#kept.pop() ?? this.#make();
  }

  /** Takes an object back. Its borrower must not use it any more. */
  give(object: T): void {
    if (this.#kept.length < this.#limit) this.#kept.push(object);
  }
}
