/**
 * The calls of a connection that wait for a reply.
 *
 * @module
 */

import type { Expected } from "../wire/replies.ts";
import type { TrackerError } from "../errors.ts";
import {
  CLOSE,
  DROP,
  FETCH,
  GET,
  HELLO,
  KICK,
  LIST,
  type MessageType,
  OPEN,
  PING,
  PUT,
  STATS,
  type UPDATE,
  WATCH,
} from "../protocol.ts";

/** A message that is answered. */
export type AnsweredType = Exclude<MessageType, typeof UPDATE>;

/** A call that waits for a reply. It keeps its place in the queue even when its caller has given up. */
export interface PendingCall {
  readonly type: AnsweredType;
  readonly expected: Exclude<Expected, "nothing" | "frame">;
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: TrackerError) => void;
}

/** A call that waits for a pong. */
interface PendingPong {
  /** Which of the connection's Pings it has sent, from 1. */
  readonly ping: number;
  readonly resolve: () => void;
  readonly reject: (error: TrackerError) => void;
}

const EXPECTED: Readonly<Record<AnsweredType, PendingCall["expected"]>> = {
  [OPEN]: "done",
  [CLOSE]: "done",
  [GET]: "map",
  [HELLO]: "hello",
  [WATCH]: "done",
  [LIST]: "list",
  [PING]: "done",
  [STATS]: "stats",
  [PUT]: "json",
  [DROP]: "json",
  [KICK]: "json",
  [FETCH]: "list",
};

/** The calls that wait, in the order in which their messages went out: replies come in the same order. */
export class PendingCalls {
  readonly #calls: PendingCall[] = [];
  /** On a connection that watches, pongs come among the events and are counted instead. */
  readonly #pongs: PendingPong[] = [];
  #pingCount = 0;
  #pongCount = 0;

  /** The call that the next reply answers. */
  get first(): PendingCall | undefined {
    return this.#calls[0];
  }

  /**
   * Adds a call whose message has just been sent.
   *
   * @param type The message's type
   * @returns The reply's payload
   */
  add(type: AnsweredType): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#calls.push({ type, expected: EXPECTED[type], resolve, reject });
    return promise;
  }

  /** Removes the first call, whose reply is here. */
  shift(): void {
    this.#calls.shift();
  }

  /** Counts a Ping that is answered by a pong. Nothing is kept for it. */
  countPing(): void {
    this.#pingCount++;
  }

  /**
   * Waits for the pong to the last Ping.
   *
   * @returns Resolves when it is here
   */
  addPong(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pongs.push({ ping: this.#pingCount, resolve, reject });
    return promise;
  }

  /** Counts a pong, which answers the oldest Ping that has none. */
  countPong(): void {
    this.#pongCount++;
    while ((this.#pongs[0]?.ping ?? Infinity) <= this.#pongCount) this.#pongs.shift()?.resolve();
  }

  /**
   * Rejects every call.
   *
   * @param error Why there will be no reply
   */
  reject(error: TrackerError): void {
    for (const { reject } of [...this.#calls.splice(0), ...this.#pongs.splice(0)]) reject(error);
  }
}
