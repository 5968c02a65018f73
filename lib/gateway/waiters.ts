/**
 * Requests that wait for a change of the map.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../base/deadlines.ts";
import type { Registry } from "../map/registry.ts";

/** A request that waits. */
interface Waiter {
  readonly prefix: string;
  readonly deadline: Deadline;
  resolve(hasChanged: boolean): void;
}

/** Waits for changes. Without anybody who waits it does not subscribe to the map. */
export class Waiters {
  readonly #registry: Registry;
  readonly #deadlines: Deadlines;
  readonly #waiters = new Set<Waiter>();
  #unsubscribe: (() => void) | null = null;

  /**
   * @param registry The map
   * @param deadlines What ends a wait
   */
  constructor(registry: Registry, deadlines: Deadlines) {
    this.#registry = registry;
    this.#deadlines = deadlines;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Waits for a change.
   *
   * @param prefix With what the identifiers begin whose changes count
   * @param timeout How long to wait, in milliseconds
   * @returns Whether there was one in time. Never rejects.
   */
  wait(prefix: string, timeout: number): Promise<boolean> {
    this.#unsubscribe ??= this.#registry.observe(({ entry }) => this.#notice(entry.id));
    return new Promise((resolve) => {
      const waiter: Waiter = { prefix, deadline: new Deadline(() => this.#end(waiter, false)), resolve };
      this.#waiters.add(waiter);
      this.#deadlines.arm(waiter.deadline, timeout);
    });
  }

  /** Ends every wait. */
  close(): void {
    for (const waiter of this.#waiters) this.#end(waiter, false);
  }

  #notice(id: string): void {
    for (const waiter of this.#waiters) {
      if (id.startsWith(waiter.prefix)) this.#end(waiter, true);
    }
  }

  #end(waiter: Waiter, hasChanged: boolean): void {
    this.#waiters.delete(waiter);
    waiter.deadline.disarm();
    waiter.resolve(hasChanged);
    if (this.#waiters.size !== 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }
}
