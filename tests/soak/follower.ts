/**
 * A watcher with a pace of its own.
 *
 * @module
 */

import { delay } from "../../lib/base/async.ts";
import { EMPTY } from "../../lib/base/bytes.ts";
import { type Client, type MapEvent, type Position, TrackerError, type Watch } from "../../mod.ts";
import type { Seen } from "./model.ts";

/** Time that a slow follower takes for an event, in milliseconds. */
const SLOWNESS = 1;

/** Codes that a follower sees when it is cut off: the server's reply comes after everything unread, and may be lost. */
const CUT_OFF: readonly string[] = ["SLOW_CONSUMER", "CONNECTION_CLOSED", "CONNECTION_FAILED"];

/**
 * Follows the map by its events alone. It can be slow, stall, leave, and resume where it was; whenever it has caught
 * up, its copy must equal the map.
 */
export class Follower {
  /** Prefix of the identifiers to follow. */
  readonly prefix: string;
  /** Times the server cut it off for reading too slowly. */
  cuts = 0;
  readonly #client: Client;
  readonly #isSlow: boolean;
  readonly #entries = new Map<string, Seen>();
  #position: Position | null = null;
  #watch: Watch | null = null;
  #running: Promise<void> = Promise.resolve();
  /** Whether it has stalled on this connection, so that the server may have cut it off. */
  #wasStalled = false;
  #gate: PromiseWithResolvers<void> | null = null;

  /**
   * @param client The client that watches
   * @param options `prefix`: identifiers to follow; `isSlow`: whether to take a while for each event
   */
  constructor(client: Client, options: { prefix?: string; isSlow?: boolean } = {}) {
    this.#client = client;
    this.prefix = options.prefix ?? "";
    this.#isSlow = options.isSlow ?? false;
    this.attach();
  }

  /** Whether it is watching. */
  get isAttached(): boolean {
    return this.#watch !== null;
  }

  /** Whether it is stalled. */
  get isStalled(): boolean {
    return this.#gate !== null;
  }

  /** Its copy of the map. */
  get clients(): Iterable<Seen> {
    return this.#entries.values();
  }

  /** Resolves when it has left; rejects with its failure. */
  get running(): Promise<void> {
    return this.#running;
  }

  /** Starts a watch where the last one ended. */
  attach(): void {
    this.#wasStalled = false;
    this.#running = this.#run();
    this.#running.catch(() => {});
  }

  /** Ends the watch. */
  async detach(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    this.release();
    await watch?.return();
    await this.#running;
  }

  /** Stops reading. */
  stall(): void {
    this.#gate ??= Promise.withResolvers();
    this.#wasStalled = true;
  }

  /** Resumes reading. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = null;
  }

  async #run(): Promise<void> {
    for (;;) {
      const since = this.#position;
      const watch = this.#client.watch({ prefix: this.prefix, ...since !== null && { since } });
      this.#watch = watch;
      try {
        for await (const event of watch) {
          await this.#gate?.promise;
          if (this.#isSlow) await delay(SLOWNESS);
          this.#apply(event);
          this.#position = watch.position;
        }
        return;
      } catch (error) {
        if (!this.#wasStalled || !(error instanceof TrackerError) || !CUT_OFF.includes(error.code)) throw error;
        this.cuts++;
        this.#wasStalled = this.isStalled;
        if (this.#watch === null) return;
      }
    }
  }

  #apply(event: MapEvent): void {
    const entries = this.#entries;
    if (event.kind === "snapshot") entries.clear();
    else if (event.kind === "leave") entries.delete(event.id);
    else if (event.kind === "present") entries.set(event.id, event);
    else if (event.kind !== "synced") {
      const { id, kind } = event;
      const before = entries.get(id);
      const { state, status } = before ?? { state: EMPTY, status: "live" };
      if (kind === "join") entries.set(id, { id, state: event.state, status: "live" });
      else if (kind === "update") entries.set(id, { id, state: event.state, status });
      else entries.set(id, { id, state, status: kind === "resume" ? "live" : "suspect" });
    }
  }
}
