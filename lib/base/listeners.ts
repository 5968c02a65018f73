/**
 * Functions that want to be called when something happens.
 *
 * @module
 */

/**
 * A set of listeners. One that throws stops neither the others nor the caller. What a listener causes is told when all
 * have been told of its cause, so that all hear everything in the same order.
 */
export class Listeners<T> {
  readonly #listeners = new Set<(event: T) => void>();
  /** What has happened while listeners were being told. */
  readonly #waiting: T[] = [];
  #isTelling = false;

  /** How many there are. */
  get size(): number {
    return this.#listeners.size;
  }

  /**
   * Adds a listener. Adding one that is there already changes nothing.
   *
   * @param listener Called with each event, in order
   * @returns Removes it again
   */
  add(listener: (event: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Calls every listener. What one throws is its owner's bug and is reported as uncaught.
   *
   * @param event What happened
   */
  notify(event: T): void {
    if (this.#isTelling) return void this.#waiting.push(event);
    this.#isTelling = true;
    this.#tell(event);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#tell(next);
    this.#isTelling = false;
  }

  #tell(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
