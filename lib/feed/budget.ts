/**
 * The memory that watchers share while they catch up.
 *
 * @module
 */

/** Most memory that watchers may hold together while they catch up, in bytes. Beyond it each goes on in small steps. */
export const MAX_HELD = 67_108_864;

/** A limit on memory, and the shares that its holders have of it. */
export class Budget {
  readonly #limit: number;
  readonly #shares = new Map<object, number>();
  #used = 0;

  /** @param limit Most bytes of all shares together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Total size of all shares, in bytes. */
  get used(): number {
    return this.#used;
  }

  /**
   * Whether a share of a given size would fit. A single holder may always hold what it needs.
   *
   * @param holder The holder, whose present share does not count
   * @param bytes The size of the share it would have
   * @returns Whether there is room for it
   */
  hasRoom(holder: object, bytes: number): boolean {
    const others = this.#used - (this.#shares.get(holder) ?? 0);
    return others === 0 || others + bytes <= this.#limit;
  }

  /** Sets the size of a holder's share, in bytes. */
  hold(holder: object, bytes: number): void {
    this.release(holder);
    if (bytes === 0) return;
    this.#shares.set(holder, bytes);
    this.#used += bytes;
  }

  /** Frees a holder's share. */
  release(holder: object): void {
    this.#used -= this.#shares.get(holder) ?? 0;
    this.#shares.delete(holder);
  }
}
