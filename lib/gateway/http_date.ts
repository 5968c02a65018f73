/**
 * The header Date.
 *
 * @module
 */

import type { Registry } from "../map/registry.ts";

/** The present, as HTTP writes it. It is written anew once a second, and not for every response. */
export class HttpDate {
  readonly #registry: Registry;
  #text = "";
  /** When it has to be written anew, on the monotonic clock. */
  #dueAt = -Infinity;

  /** @param registry Has the clock */
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The present, such as `Fri, 27 Nov 2026 12:00:00 GMT`. */
  get text(): string {
    const now = performance.now();
    if (now >= this.#dueAt) {
      const wall = this.#registry.now;
      this.#text = new Date(wall).toUTCString();
      this.#dueAt = now + 1_000 - wall % 1_000;
    }
    return this.#text;
  }
}
