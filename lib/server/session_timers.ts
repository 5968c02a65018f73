/**
 * The timers of a session.
 *
 * @module
 */

import { type Deadlines, Expiry } from "../base/deadlines.ts";
import { TrackerError } from "../errors.ts";
import type { Silence } from "../map/name_errors.ts";
import { HEARTBEAT_PATIENCE, SETTLE_TIMEOUT } from "../protocol.ts";

/** Time for each step of closing a connection, in milliseconds. */
const LINGER = 2_000;

/** How long a client may take, in milliseconds; 0 for no limit. */
export interface TimeLimits {
  /** From the first byte of a message to its last. */
  readonly messageTimeout: number;
  /** From one byte to the next. */
  readonly idleTimeout: number;
  /** To agree on TLS and to show its token. */
  readonly handshakeTimeout: number;
}

/** The name of a timer. */
export type TimerName = "message" | "idle" | "heartbeat" | "handshake" | "settle" | "linger";

/** How long a timer runs, in milliseconds, and why a client is closed when it expires. */
interface Timer {
  readonly duration: (limits: TimeLimits, patience: number) => number;
  readonly why: (ms: number) => string;
}

const TIMERS: Readonly<Record<TimerName, Timer>> = {
  message: {
    duration: ({ messageTimeout }) => messageTimeout,
    why: (ms) => `a message was not complete ${ms} ms after it began`,
  },
  idle: {
    duration: ({ idleTimeout }) => idleTimeout,
    why: (ms) => `nothing was heard for ${ms} ms`,
  },
  heartbeat: {
    duration: (_, patience) => patience,
    why: (ms) => `nothing was heard for ${ms} ms, ${HEARTBEAT_PATIENCE} times the heartbeat`,
  },
  handshake: {
    duration: ({ handshakeTimeout }) => handshakeTimeout,
    why: (ms) => `no Hello with a token came within ${ms} ms`,
  },
  // The dialect depends on the next byte, and there is none: an answer, not an error.
  settle: { duration: () => SETTLE_TIMEOUT, why: (ms) => `nothing more came for ${ms} ms` },
  // Everything is said, and the client has not taken it.
  linger: { duration: () => LINGER, why: (ms) => `the last reply was not taken within ${ms} ms` },
};

/** The session that timers belong to. */
export interface TimerOwner {
  /** How long they run, and on what. */
  readonly context: TimeLimits & { readonly deadlines: Deadlines };
  /**
   * Called when a timer has expired.
   *
   * @param name Which one
   * @param duration How long it ran, in milliseconds
   */
  onExpired(name: TimerName, duration: number): void;
}

/** One timer. It is a class, since a closure for each would cost every client memory. */
class SessionTimer extends Expiry {
  readonly #timers: SessionTimers;
  readonly #name: TimerName;

  constructor(timers: SessionTimers, name: TimerName) {
    super();
    this.#timers = timers;
    this.#name = name;
  }

  override expire(): void {
    this.#timers.expire(this.#name);
  }
}

/** The timers that end a client that takes too long. Each is created when it is first armed. */
export class SessionTimers implements Record<TimerName, Expiry | null> {
  /** @internal */
  message: Expiry | null = null;
  /** @internal */
  idle: Expiry | null = null;
  /** @internal */
  heartbeat: Expiry | null = null;
  /** @internal */
  handshake: Expiry | null = null;
  /** @internal */
  settle: Expiry | null = null;
  /** @internal */
  linger: Expiry | null = null;
  readonly #owner: TimerOwner;
  /** How long a client that has promised a heartbeat may be silent, in milliseconds; 0 for no promise. */
  patience = 0;

  /** @param owner The session; called when one expires */
  constructor(owner: TimerOwner) {
    this.#owner = owner;
  }

  /** Whether a timer runs. */
  isArmed(name: TimerName): boolean {
    return this[name]?.armed === true;
  }

  /** Starts or restarts a timer. One without a limit does not run. */
  arm(name: TimerName): void {
    const duration = this.#durationOf(name);
    if (duration === 0) return this.disarm(name);
    this.#owner.context.deadlines.arm(this[name] ??= new SessionTimer(this, name), duration);
  }

  /** Stops a timer, if it runs. */
  disarm(name: TimerName): void {
    this[name]?.disarm();
  }

  /** Restarts the timers of the client's silence, because it was heard. */
  heard(): void {
    this.arm("idle");
    this.arm("heartbeat");
  }

  /** How long the client has been silent, if it has promised not to be; else `null`. */
  get silence(): Silence | null {
    if (this.heartbeat === null || !this.isArmed("heartbeat")) return null;
    const left = this.heartbeat.due - this.#owner.context.deadlines.now();
    return { elapsed: Math.max(0, this.patience - left), limit: this.patience };
  }

  /** Stops the timers of the client's silence, because it is not being read from. */
  excuse(): void {
    this.disarm("message");
    this.disarm("idle");
    this.disarm("heartbeat");
  }

  /** Stops every timer but `linger`, which ends the closing. */
  close(): void {
    this.excuse();
    this.disarm("handshake");
    this.disarm("settle");
  }

  /** @internal A timer has expired. */
  expire(name: TimerName): void {
    this.#owner.onExpired(name, this.#durationOf(name));
  }

  #durationOf(name: TimerName): number {
    return TIMERS[name].duration(this.#owner.context, this.patience);
  }
}

/**
 * The error of a client that took too long.
 *
 * @param name The timer that expired
 * @param duration How long it ran, in milliseconds
 * @returns TIMEOUT
 */
export function expiredError(name: TimerName, duration: number): TrackerError {
  return timeoutError(TIMERS[name].why(duration));
}

/**
 * The error of a client that took too long, for a reason of its own.
 *
 * @param why What it did not do in time
 * @returns TIMEOUT
 */
export function timeoutError(why: string): TrackerError {
  return new TrackerError("TIMEOUT", `Cannot keep connection: ${why}`);
}
