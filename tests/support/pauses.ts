import type { ReconnectOptions } from "../../mod.ts";

/** The waits between attempts to connect, each of which lasts until the test says so. */
export class Pauses {
  /** How long each wait was to be, in milliseconds. */
  readonly waits: number[] = [];
  #waiting: (() => void)[] = [];
  #arrived: (() => void)[] = [];

  /** To be given as `reconnect`. */
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

  /** Waits until so many wait. */
  async begun(count = 1): Promise<void> {
    while (this.#waiting.length < count) await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }

  /** Ends every wait there is, once there are so many. */
  async end(count = 1): Promise<void> {
    await this.begun(count);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
