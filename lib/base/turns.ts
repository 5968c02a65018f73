/**
 * Turns of the event loop, and how work shares them.
 *
 * A runtime that always has something ready may not look at its other sockets for seconds: an operation that completes at
 * once continues in a microtask, before any timer and any other connection. So whatever may take long works for a slice
 * of time and then waits for a turn: a moment in which the runtime has served its timers and looked at every socket.
 *
 * Work is of two kinds. *Light* work, such as one answer, is only counted. After many answers a round ends: whoever has
 * had one waits until everybody else who was ready has had theirs, which may take several turns. *Heavy* work, such as a
 * client's pipelined requests, shares one slice a turn: whoever has used it up goes to the end of a queue. So light work
 * never waits for more than a slice of heavy work at a time, however much there is.
 *
 * @module
 */

/** How long heavy work may hold the event loop, in milliseconds. */
export const SLICE = 1;

/** How many light answers may be given before those who have had theirs wait for the others. */
const ANSWERS_PER_ROUND = 512;

/**
 * When fewer than so many are served in a turn, nobody else was ready. The runtime reads from at most 128 sockets in one
 * go, and then prefers those with fresh news to those that it has left out.
 */
const CROWD = 64;

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
  /** Light work since the last round. */
  #answers = 0;
  /** Clients served since the beginning. */
  #served = 0;
  /** Resolves with the round that is being ended; `null` when none is. */
  #round: Promise<void> | null = null;
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
   * Counts light work.
   *
   * @param answers How many answers it amounts to
   * @returns What to wait for before the next; `null` if there is nothing to wait for
   */
  answered(answers: number): Promise<void> | null {
    this.#answers += answers;
    this.#served++;
    return this.#answers < ANSWERS_PER_ROUND ? null : this.#round ??= this.#endRound();
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

  /** Takes turns until everybody who was ready has been served. */
  async #endRound(): Promise<void> {
    for (let before = -Infinity; this.#served - before >= CROWD;) {
      before = this.#served;
      await this.next();
    }
    this.#round = null;
    this.#answers = 0;
  }

  async #wait(): Promise<void> {
    await this.#turn();
    this.#coming = null;
    this.#startedAt = performance.now();
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
