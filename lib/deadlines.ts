/**
 * Many deadlines on one timer.
 *
 * All deadlines of a queue are equally long, so the one armed first falls due first: the queue is a linked list in
 * order of expiry. Arming and disarming move one link, make nothing, and cost the same for ten thousand connections
 * as for one. The timer is set for the first in the list only, and is not reset when that one is disarmed: it wakes,
 * finds nothing due, and sleeps until the next.
 *
 * @module
 */

/** What `setTimeout` can wait for, in milliseconds: about 24 days. */
export const LONGEST_TIMEOUT: number = 2 ** 31 - 1;

/**
 * A timer that wakes this much too late shows that the program stood still, in milliseconds. Bytes that came meanwhile
 * have not been read: the time lost is nobody's silence, and is added to every deadline.
 */
const STALL = 50;

/** Something that must happen in time, or else. It belongs to at most one queue at a time. */
export class Deadline {
  /** Called once when the time has passed and nobody disarmed it. */
  readonly expire: () => void;
  /** @internal When it falls due, on the monotonic clock, in milliseconds. */
  due = 0;
  /** @internal The queue it is armed in. */
  queue: DeadlineQueue | null = null;
  /** @internal */
  previous: Deadline | null = null;
  /** @internal */
  next: Deadline | null = null;

  /** @param expire Called once when the time has passed */
  constructor(expire: () => void) {
    this.expire = expire;
  }

  /** Whether it is running. */
  get armed(): boolean {
    return this.queue !== null;
  }

  /** Stops it, if it is running. */
  disarm(): void {
    this.queue?.remove(this);
  }
}

/** Deadlines of one duration. */
export class DeadlineQueue {
  /** How long each deadline runs, in milliseconds. */
  readonly duration: number;
  #first: Deadline | null = null;
  #last: Deadline | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = 0;

  /** @param duration How long each deadline runs, in milliseconds; 0 means that none ever falls due */
  constructor(duration: number) {
    this.duration = duration;
  }

  /**
   * Starts a deadline, or starts it anew.
   *
   * @param deadline What to start
   */
  arm(deadline: Deadline): void {
    if (this.duration === 0) return;
    deadline.queue?.remove(deadline);
    deadline.queue = this;
    deadline.due = performance.now() + this.duration;
    deadline.previous = this.#last;
    if (this.#last === null) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    if (this.#timer === undefined) this.#schedule(this.duration);
  }

  /** @internal Takes a deadline out of the list; {@linkcode Deadline.disarm} is the way to call it. */
  remove(deadline: Deadline): void {
    if (deadline.previous === null) this.#first = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === null) this.#last = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.previous = deadline.next = deadline.queue = null;
  }

  /** Disarms every deadline and stops the timer. */
  clear(): void {
    while (this.#first !== null) this.remove(this.#first);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(delay: number): void {
    const wait = Math.max(1, Math.ceil(delay));
    this.#wakeAt = performance.now() + wait;
    this.#timer = setTimeout(() => this.#wake(), wait);
  }

  #wake(): void {
    const now = performance.now();
    const late = now - this.#wakeAt;
    if (late > STALL) this.#postpone(late);
    else this.#expire(now);
    // An expiry may have armed another deadline, and with it the timer, for a full duration.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#first !== null) this.#schedule(this.#first.due - now);
  }

  #expire(now: number): void {
    while (this.#first !== null && this.#first.due <= now) {
      const { expire } = this.#first;
      this.remove(this.#first);
      expire();
    }
  }

  #postpone(milliseconds: number): void {
    for (let deadline = this.#first; deadline !== null; deadline = deadline.next) deadline.due += milliseconds;
  }
}
