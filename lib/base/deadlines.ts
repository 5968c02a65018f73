/**
 * Many deadlines on one timer.
 *
 * The deadlines are a binary heap with the earliest on top. A connection postpones its deadline with every byte that
 * arrives, far more often than it misses it; so postponing only writes down the new time and leaves the heap alone, and a
 * deadline that comes up too early goes back in for the rest. Ten thousand clients that are heard all the time cost ten
 * thousand stores, and no timer of their own.
 *
 * A stall, in which the program stood still and could hear no client, does not count as time: no deadline passes during
 * one. To notice a stall, and to know how long it was, the timer wakes several times a second while anything is armed.
 * What stalls excuse together has a cap, or whoever makes the program stall again and again could keep the dead alive.
 *
 * @module
 */

import { SLICE } from "./turns.ts";

/** The longest wait of `setTimeout`, in milliseconds: about 24 days. */
export const LONGEST_TIMEOUT: number = 2 ** 31 - 1;

/** How late the timer may wake before it counts as a stall, in milliseconds. */
const STALL = 50;

/** Most time that stalls can excuse at once, in milliseconds. */
const MAX_EXCUSE = 60_000;

/** Time that stalls can excuse in the long run, as a fraction of all time. */
const EXCUSED_SHARE = 0.1;

/** How many deadlines may expire before the clock is read: each may end a connection. */
const EXPIRIES_PER_LOOK = 16;

/** How often the timer wakes at least, in milliseconds, so that a stall is noticed when it ends. */
const TICK = 250;

/** A time by which something must happen. Subclasses say what follows if it does not. */
export abstract class Expiry {
  /** @internal When it falls due, on the clock of {@linkcode Deadlines}. */
  due = 0;
  /** @internal The time it is sorted by, never later than `due`. */
  key = 0;
  /** @internal Where it is in the heap. */
  index = -1;
  /** @internal The heap it is in. */
  heap: Deadlines | null = null;

  /** @internal Called once the time has passed, unless it was disarmed. It must not throw. */
  abstract expire(): void;

  /** Whether it runs. */
  get armed(): boolean {
    return this.heap !== null;
  }

  /** Stops it, if it runs. */
  disarm(): void {
    this.heap?.remove(this);
  }
}

/** A time limit that calls a function when it expires. */
export class Deadline extends Expiry {
  readonly #callback: () => void;

  /** @param callback Called once the time has passed, unless it was disarmed. It must not throw. */
  constructor(callback: () => void) {
    super();
    this.#callback = callback;
  }

  /** @internal */
  override expire(): void {
    this.#callback();
  }
}

/** Deadlines of any length, on one timer. */
export class Deadlines {
  readonly #heap: Expiry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = 0;
  #stalled = 0;
  /** How much more time stalls can excuse, and when that was computed. */
  #excusable = MAX_EXCUSE;
  #excusedAt = performance.now();
  /** Whether the last stall was longer than could be excused: what arrived meanwhile is heard before anything expires. */
  #isListening = false;
  #lag = { last: 0, worst: 0 };

  /** How late the timer woke the last time and at worst, in milliseconds. */
  get lag(): { readonly last: number; readonly worst: number } {
    return this.#lag;
  }

  /** The present, on the monotonic clock without stalls, in milliseconds. */
  now(): number {
    return performance.now() - this.#stalled;
  }

  /**
   * Starts a deadline, or restarts it.
   *
   * @param deadline What to start
   * @param duration How long it runs, in milliseconds; 0 for no limit, which stops it
   */
  arm(deadline: Expiry, duration: number): void {
    if (duration === 0) return deadline.disarm();
    deadline.due = this.now() + duration;
    if (deadline.heap === this && deadline.due >= deadline.key) return;
    deadline.disarm();
    deadline.heap = this;
    deadline.key = deadline.due;
    this.#rise(deadline, this.#heap.length);
    if (this.#heap[0] === deadline) this.#schedule();
  }

  /** @internal Removes a deadline; call {@linkcode Expiry.disarm} instead. */
  remove(deadline: Expiry): void {
    const last = this.#heap.pop();
    deadline.heap = null;
    if (last === undefined || last === deadline) return;
    this.#rise(last, deadline.index);
    this.#sink(last, last.index);
  }

  /** Disarms every deadline and stops the timer. */
  clear(): void {
    for (const deadline of this.#heap) deadline.heap = null;
    this.#heap.length = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Sets the timer for the earliest deadline, unless it is set for an earlier time already. */
  #schedule(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    // A timer that is set wakes within a tick. The clock is not read: every read that cuts a message comes by here.
    if (this.#timer !== undefined && this.#wakeAt <= first.key + this.#stalled) return;
    const wait = Math.min(TICK, Math.max(1, Math.ceil(first.key - this.now())));
    this.#sleep(wait);
  }

  #sleep(wait: number): void {
    clearTimeout(this.#timer);
    this.#wakeAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  #wake(): void {
    this.#timer = undefined;
    const late = performance.now() - this.#wakeAt;
    this.#lag.last = Math.max(0, late);
    this.#lag.worst = Math.max(this.#lag.worst, late);
    const isExcused = late <= STALL || this.#excuse(late);
    // Once: if every look is late as well, the dead would never be given up.
    if (!isExcused && !this.#isListening) {
      this.#isListening = true;
      return this.#sleep(Math.min(TICK, Math.ceil(late)));
    }
    this.#isListening = false;
    try {
      this.#expire(this.now());
    } finally {
      this.#schedule();
    }
  }

  /** Takes a stall out of the time of every deadline, as far as the cap allows. Returns whether all of it was. */
  #excuse(late: number): boolean {
    const now = performance.now();
    this.#excusable = Math.min(MAX_EXCUSE, this.#excusable + (now - this.#excusedAt) * EXCUSED_SHARE);
    this.#excusedAt = now;
    const excused = Math.min(late, this.#excusable);
    this.#excusable -= excused;
    this.#stalled += excused;
    return excused === late;
  }

  /** Expires what is due. When very much is, it goes on after the event loop has turned. */
  #expire(now: number): void {
    const end = performance.now() + SLICE;
    for (let count = 1;; count++) {
      const first = this.#heap[0];
      if (first === undefined || first.key > now) return;
      if (first.due > first.key) {
        first.key = first.due;
        this.#sink(first, 0);
      } else {
        this.remove(first);
        first.expire();
      }
      if (count % EXPIRIES_PER_LOOK === 0 && performance.now() > end) return;
    }
  }

  /** Moves a deadline from an index towards the top, as far as it belongs. */
  #rise(deadline: Expiry, index: number): void {
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = this.#heap[parentIndex]!;
      if (parent.key <= deadline.key) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(deadline, index);
  }

  /** Moves a deadline from an index towards the bottom, as far as it belongs. */
  #sink(deadline: Expiry, index: number): void {
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#earlier(left, left + 1);
      if (child === undefined || child.key >= deadline.key) break;
      const next = child.index;
      this.#place(child, index);
      index = next;
    }
    this.#place(deadline, index);
  }

  #earlier(left: number, right: number): Expiry | undefined {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    return one === undefined || other === undefined || one.key <= other.key ? one : other;
  }

  #place(deadline: Expiry, index: number): void {
    this.#heap[index] = deadline;
    deadline.index = index;
  }
}
