/**
 * Turns of the event loop, and how work shares them.
 *
 * A runtime that always has something ready may not look at its other sockets for seconds: an operation that completes at
 * once continues in a microtask, before any timer and any other connection. So whatever may take long works for a slice
 * of time and then waits for a turn: a moment in which the runtime has served its timers and looked at every socket.
 *
 * Work is of two kinds. *Light* work, such as one answer, is only counted; after many of them all wait for one turn
 * together. *Heavy* work, such as a client's pipelined requests, shares one slice a turn: whoever has used it up goes to
 * the end of a queue. So light work waits for one turn at most, however much heavy work there is.
 *
 * @module
 */

/** How long heavy work may hold the event loop, in milliseconds. */
export const SLICE = 1;

/** How many light answers may be given before the runtime has to look at other sockets. */
const ANSWERS_PER_TURN = 256;

/**
 * Waits until the runtime has served its timers and looked at its sockets.
 *
 * A timer does that wherever JavaScript runs, but is late by up to a millisecond in which nothing happens.
 */
export function timerTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Shares the event loop among everything that one server does. */
export class Turns {
  readonly #turn: () => Promise<void>;
  /** When the present turn began, on the monotonic clock. */
  #startedAt = performance.now();
  #answers = 0;
  /** Resolves with the turn that is waited for; `null` when none is. */
  #coming: Promise<void> | null = null;
  /** Heavy work in the order in which it goes on. */
  readonly #queue: (() => void)[] = [];

  /** @param turn Waits for a turn of the event loop, such as {@linkcode timerTurn}; it must not reject */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** Whether heavy work has used up its share of this turn. Reads the clock. */
  get isSpent(): boolean {
    return this.#coming !== null || performance.now() - this.#startedAt > SLICE;
  }

  /**
   * Counts a light answer.
   *
   * @returns What to wait for before the next; `null` if there is nothing to wait for
   */
  answered(): Promise<void> | null {
    return ++this.#answers < ANSWERS_PER_TURN ? null : this.next();
  }

  /** Waits for the next turn. All that wait share one promise. */
  next(): Promise<void> {
    return this.#coming ??= this.#wait();
  }

  /**
   * Waits for one's place in a coming turn, behind all heavy work that waits already. To be called when
   * {@linkcode isSpent}.
   */
  rest(): Promise<void> {
    // A plain promise: its continuation runs before the next in the queue is looked at.
    const place = new Promise<void>((resolve) => this.#queue.push(resolve));
    void this.next();
    return place;
  }

  async #wait(): Promise<void> {
    await this.#turn();
    this.#coming = null;
    this.#startedAt = performance.now();
    this.#answers = 0;
    this.#serveQueue();
  }

  /** Lets one after another go on, until the slice is used up. */
  #serveQueue(): void {
    const goOn = this.#queue.shift();
    if (goOn === undefined) return;
    goOn();
    queueMicrotask(() => {
      if (this.#queue.length === 0) return;
      if (this.isSpent) void this.next();
      else this.#serveQueue();
    });
  }
}
