import type { ReconnectOptions } from "../../mod.ts";

/** The waits between attempts to connect, each of which lasts until the test ends it. */
export class Pauses {
  /** The length asked for in each wait, in milliseconds. */
  readonly waits: number[] = [];
  #waiting: (() => void)[] = [];
  #arrived: (() => void)[] = [];

  /** The value for `reconnect`. */
  readonly options: ReconnectOptions = {
    base: 100,
    cap: 400,
    random: () => 0.5,
    wait: (milliseconds, signal) => {
      this.waits.push(milliseconds);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#waiting.push(resolve);
      for (const arrived of this.#arrived.splice(0)) arrived();
      return promise;
    },
  };

  /** Waits until this many waits have begun. */
  async begun(count = 1): Promise<void> {
    while (this.#waiting.length < count) await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }

  /** Ends all waits once this many have begun. */
  async end(count = 1): Promise<void> {
    await this.begun(count);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
