/**
 * Handing something from a producer to a consumer that may be slower.
 *
 * @module
 */

/** Holds one item at a time: the producer waits until its item is taken, so nothing piles up. */
export class Handoff<T> {
  #item: T | null = null;
  #hasEnded = false;
  #changed = Promise.withResolvers<void>();

  /**
   * Offers an item.
   *
   * @param item The item
   * @returns Resolves when it is taken, or never will be
   */
  async put(item: T): Promise<void> {
    this.#item = item;
    this.#announce();
    while (this.#item === item && !this.#hasEnded) await this.#changed.promise;
  }

  /**
   * Waits for an item.
   *
   * @returns The item; `null` when there will be no more
   */
  async take(): Promise<T | null> {
    while (this.#item === null && !this.#hasEnded) await this.#changed.promise;
    const item = this.#item;
    this.#item = null;
    this.#announce();
    return item;
  }

  /** Announces that no more items follow. One that waits can still be taken. */
  end(): void {
    this.#hasEnded = true;
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
