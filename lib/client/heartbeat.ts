/**
 * Keeping a connection alive, and detecting that it is dead.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { HEARTBEAT_PATIENCE } from "../protocol.ts";
import type { Connection } from "./connection.ts";

/** A timer that is late by this much shows that the program was stalled, in milliseconds. */
const STALL = 50;

/**
 * Pings on a connection that would otherwise be silent for a heartbeat, and ends it with TIMEOUT after two and a half
 * heartbeats without a byte from the server, whose machine may have vanished. It also pings when the server was silent
 * for one, since a client that only sends Updates is never answered.
 *
 * A stall of this program is not held against the server: it extends the time limit, and what arrived meanwhile is read
 * before the connection is given up.
 */
export class Heartbeat {
  readonly #connection: Connection;
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = 0;
  #beatAt = -Infinity;
  /** Until when silence is excused, as if the server had been heard then. */
  #excusedUntil = -Infinity;
  /** Whether the time is up, and only bytes that have arrived already are still read. */
  #isLastChance = false;

  /**
   * Starts. Stops by itself when the connection has ended.
   *
   * @param connection The connection, which has begun with a Hello
   * @param interval The heartbeat, in milliseconds
   */
  constructor(connection: Connection, interval: number) {
    this.#connection = connection;
    this.#interval = interval;
    this.#schedule(performance.now());
    void connection.finished.then(() => clearTimeout(this.#timer));
  }

  get #heardAt(): number {
    return Math.max(this.#connection.heardAt, this.#excusedUntil);
  }

  /** Since when one of the two sides has been silent. */
  get #quietSince(): number {
    return Math.min(this.#connection.sentAt, Math.max(this.#heardAt, this.#beatAt));
  }

  get #patience(): number {
    return this.#interval * HEARTBEAT_PATIENCE;
  }

  #schedule(now: number): void {
    const beat = this.#quietSince + this.#interval;
    const end = this.#heardAt + this.#patience;
    const wait = this.#isLastChance ? STALL : Math.max(1, Math.ceil(Math.min(beat, end) - now));
    this.#wakeAt = now + wait;
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  #wake(): void {
    const now = performance.now();
    const late = now - this.#wakeAt;
    if (late > STALL) this.#excusedUntil = Math.min(now, this.#heardAt + late);
    const isSilent = now - this.#heardAt >= this.#patience;
    if (isSilent && this.#isLastChance) return this.#giveUp();
    this.#isLastChance = isSilent;
    if (!isSilent) this.#beatIfDue(now);
    this.#schedule(now);
  }

  #beatIfDue(now: number): void {
    if (now - this.#quietSince < this.#interval) return;
    this.#beatAt = now;
    this.#connection.beat();
  }

  #giveUp(): void {
    const why = `nothing was heard of the server for ${this.#patience} ms`;
    this.#connection.abort(new TrackerError("TIMEOUT", `Cannot keep connection: ${why}`));
  }
}
