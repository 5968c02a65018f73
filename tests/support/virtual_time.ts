import { setImmediate } from "node:timers";

interface Timer {
  readonly id: number;
  readonly due: number;
  readonly callback: () => void;
}

type Globals = { setTimeout: unknown; clearTimeout: unknown };

const globals = globalThis as unknown as Globals;

/**
 * Time that passes only when advanced. Until it is disposed of, it replaces `setTimeout`, `clearTimeout` and
 * `performance.now`: an hour of it takes no time, and a test takes the same turns in every run.
 */
export class VirtualTime implements Disposable {
  readonly #timers = new Map<number, Timer>();
  readonly #real: Globals = { setTimeout: globals.setTimeout, clearTimeout: globals.clearTimeout };
  #now = 1_000;
  #lastId = 0;

  constructor() {
    globals.setTimeout = (callback: () => void, wait = 0): number => this.#start(callback, wait);
    globals.clearTimeout = (id?: number): void => void this.#timers.delete(id ?? 0);
    Object.defineProperty(performance, "now", { value: () => this.#now, configurable: true });
  }

  /** The value of `performance.now`, in milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** The number of running timers. */
  get running(): number {
    return this.#timers.size;
  }

  /** Waits until nothing more happens before time passes: all promises that can settle have settled. */
  settle(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  }

  /** Lets time pass, and runs the timers that fall due meanwhile. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await this.settle();
    for (let next = this.#earliest(end); next !== null; next = this.#earliest(end)) {
      this.#timers.delete(next.id);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await this.settle();
    }
    this.#now = end;
  }

  /** Lets time pass while the program stands still: no timer runs, and all that fall due meanwhile are late. */
  stall(milliseconds: number): void {
    this.#now += milliseconds;
  }

  [Symbol.dispose](): void {
    globals.setTimeout = this.#real.setTimeout;
    globals.clearTimeout = this.#real.clearTimeout;
    delete (performance as { now?: unknown }).now;
  }

  #start(callback: () => void, wait: number): number {
    const id = ++this.#lastId;
    this.#timers.set(id, { id, due: this.#now + Math.max(1, wait), callback });
    return id;
  }

  /** The next timer that is due; of two that are due at the same moment, the one started first. */
  #earliest(end: number): Timer | null {
    let earliest: Timer | null = null;
    for (const timer of this.#timers.values()) {
      if (timer.due <= end && (earliest === null || timer.due < earliest.due)) earliest = timer;
    }
    return earliest;
  }
}
