/**
 * Things that cost more to make than to keep.
 *
 * @module
 */

/** Most things a pool keeps: enough for those that are in use at the same moment, not for every connection. */
const KEPT = 256;

/** Lends things out, the one returned last first: it is the one still in the processor's cache. */
export class Pool<T> {
  readonly #make: () => T;
  readonly #kept: T[] = [];

  /** @param make Makes a thing when there is none to lend */
  constructor(make: () => T) {
    this.#make = make;
  }

  /** Lends a thing. */
  take(): T {
    return this.#kept.pop() ?? this.#make();
  }

  /** Takes a thing back. Nobody may use it any more. */
  give(thing: T): void {
    if (this.#kept.length < KEPT) this.#kept.push(thing);
  }
}
