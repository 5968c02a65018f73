/**
 * Keeping a connection alive, and finding out that it is dead.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import { TrackerError } from "../errors.ts";
import { HEARTBEAT_PATIENCE } from "../protocol.ts";

/** A timer that wakes this much too late shows that the program stood still, in milliseconds. */
const STALL = 50;

/**
 * Says something on a connection that would otherwise be silent for a heartbeat, and ends it with TIMEOUT when nothing
 * was heard for two and a half of them: the server's machine may have vanished without a word. It asks when it has
 * heard nothing for one as well, since a client that only sends Updates is never answered.
 *
 * A stall of this program counts as nobody's silence: its length is added, and what arrived meanwhile is read before
 * anyone is given up.
 */
export class Heartbeat {
  readonly #connection: Connection;
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = 0;
  #beatAt = -Infinity;
  /** Until when silence is excused, as if something had been heard then. */
  #excusedUntil = -Infinity;
  /** Whether the time is up, and only the reads that are due are waited for. */
  #isLast = false;

  /**
   * Starts. It stops by itself when the connection has ended.
   *
   * @param connection What to keep alive; it has begun with a Hello
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

  get #patience(): number {
    return this.#interval * HEARTBEAT_PATIENCE;
  }

  #schedule(now: number): void {
    const beat = Math.min(this.#connection.sentAt, Math.max(this.#heardAt, this.#beatAt)) + this.#interval;
    const end = this.#heardAt + this.#patience;
    const wait = this.#isLast ? STALL : Math.max(1, Math.ceil(Math.min(beat, end) - now));
    this.#wakeAt = now + wait;
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  #wake(): void {
    const now = performance.now();
    const late = now - this.#wakeAt;
    if (late > STALL) this.#excusedUntil = Math.min(now, this.#heardAt + late);
    const isSilent = now - this.#heardAt >= this.#patience;
    if (isSilent && this.#isLast) return this.#giveUp();
    this.#isLast = isSilent;
    if (!isSilent) this.#beatIfDue(now);
    this.#schedule(now);
  }

  #beatIfDue(now: number): void {
    const quietSince = Math.min(this.#connection.sentAt, Math.max(this.#heardAt, this.#beatAt));
    if (now - quietSince < this.#interval) return;
    this.#beatAt = now;
    this.#connection.beat();
  }

  #giveUp(): void {
    const why = `nothing was heard of the server for ${this.#patience} ms`;
    this.#connection.abort(new TrackerError("TIMEOUT", `Cannot keep connection: ${why}`));
  }
}
