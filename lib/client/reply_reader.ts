/**
 * The reading half of a connection: replies to the calls that wait, and events to the sink of a watch.
 *
 * @module
 */

import { REPLY_DONE, REPLY_ERROR, REPLY_FRAME, ReplyParser } from "../wire/replies.ts";
import { decodeEvents, type WatchEvent } from "../wire/events.ts";
import { ignore } from "../base/async.ts";
import { EMPTY } from "../base/bytes.ts";
import { INVALID, NEED_MORE } from "../codec.ts";
import { TrackerError } from "../errors.ts";
import { WATCH } from "../protocol.ts";
import type { Duplex } from "../transport/duplex.ts";
import type { PeerState } from "./calls.ts";
import type { PendingCalls } from "./pending_calls.ts";

/** First size of the read buffer, in bytes. */
const SMALLEST_BUFFER = 4_096;

/** Largest read buffer kept when it is empty, in bytes. */
const LARGEST_KEPT_BUFFER = 65_536;

/** An event of a watch, as its connection delivers it. A pong is not one: it resolves `ping`. */
export type WatchedEvent = Exclude<WatchEvent, { kind: "pong" }>;

/**
 * Takes the events of a frame. No more are read before it has, so a promise that it returns holds the server up:
 * changes of the map then wait there, and not in this program's memory.
 */
export type EventSink = (events: WatchedEvent[]) => void | Promise<void>;

/** What the server's bytes are: replies, or frames once a Watch is answered. Nothing is read any more when stopped. */
type Phase = "replies" | "frames" | "stopped";

/** The only reader of a connection. It hands each reply to the call that has waited longest. */
export class ReplyReader {
  readonly #duplex: Duplex;
  readonly #pending: PendingCalls;
  readonly #parser: ReplyParser;
  #phase: Phase = "replies";
  #heardAt = performance.now();
  #peer: PeerState;
  #sink: EventSink | null = null;
  /** The events of the frame just read. */
  #events: WatchedEvent[] | null = null;
  /** While the sink holds the reading up: goes on without it. */
  #release: (() => void) | null = null;

  /**
   * @param duplex Where to read from
   * @param pending The calls that wait for replies
   * @param options `maxMap`: longest reply accepted, in bytes
   */
  constructor(duplex: Duplex, pending: PendingCalls, options: { maxMap?: number }) {
    this.#duplex = duplex;
    this.#pending = pending;
    this.#parser = new ReplyParser(options);
    this.#peer = duplex.handshake === undefined ? "silent" : "heard";
  }

  /** When the server was last heard, or the connection began, on the monotonic clock, in milliseconds. */
  get heardAt(): number {
    // A sink that holds the reading up makes its own silence.
    return this.#release === null ? this.#heardAt : performance.now();
  }

  /** Whether the server has been heard; a TLS handshake counts. */
  get peer(): PeerState {
    return this.#peer;
  }

  /** Whether the connection watches, or has asked to. */
  get isWatching(): boolean {
    return this.#sink !== null;
  }

  /**
   * Delivers events from now on.
   *
   * @param sink Takes them
   */
  deliverTo(sink: EventSink): void {
    this.#sink = sink;
  }

  /** Drops all further events, and waits no longer for the sink. */
  dropEvents(): void {
    if (this.#sink !== null) this.#sink = ignore;
    this.#release?.();
  }

  /** Reads nothing more. */
  stop(): void {
    this.#phase = "stopped";
    this.dropEvents();
  }

  /**
   * Reads until the server ends the connection.
   *
   * @returns Resolves at the end
   * @throws {TrackerError} The server's error, or BAD_REPLY; and whatever the connection or the sink throws
   */
  async read(): Promise<void> {
    let buffer = new Uint8Array(SMALLEST_BUFFER);
    let length = 0;
    while (this.#phase !== "stopped") {
      const count = await this.#duplex.read(length === 0 ? buffer : buffer.subarray(length));
      if (count === null) break;
      this.#heardAt = performance.now();
      this.#peer = "heard";
      length += count;
      let from = this.#dispatch(buffer, 0, length);
      while (this.#events !== null) {
        await this.#deliver(this.#events);
        from = this.#dispatch(buffer, from, length);
      }
      buffer = makeRoom(buffer, from, length, this.#parser.needed);
      length -= from;
    }
  }

  /** Takes replies out of the buffer, up to a frame with events. Returns the offset of the first byte left over. */
  #dispatch(buffer: Uint8Array, from: number, length: number): number {
    while (from < length && this.#events === null && this.#phase !== "stopped") {
      const { first } = this.#pending;
      const expected = this.#phase === "frames" ? "frame" : first?.expected ?? "nothing";
      const token = this.#parser.next(buffer, from, length, expected);
      if (token === NEED_MORE) break;
      if (token === INVALID || token === REPLY_ERROR) throw this.#parser.error;
      const { payloadStart, payloadEnd, position } = this.#parser;
      if (token === REPLY_FRAME) {
        this.#takeFrame(buffer.subarray(payloadStart, payloadEnd));
      } else if (first === undefined) {
        throw new TrackerError("BAD_REPLY", "Cannot parse reply: a reply to no call came among the frames");
      } else {
        this.#pending.shift();
        if (first.type === WATCH) this.#phase = "frames";
        first.resolve(token === REPLY_DONE ? EMPTY : buffer.slice(payloadStart, payloadEnd));
      }
      from = position;
    }
    return from;
  }

  #takeFrame(payload: Uint8Array): void {
    const events: WatchedEvent[] = [];
    for (const event of decodeEvents(payload)) {
      if (event.kind === "pong") this.#pending.countPong();
      else events.push(event);
    }
    if (events.length !== 0) this.#events = events;
  }

  /** Delivers events, and waits until the sink has taken them or further ones are dropped. */
  async #deliver(events: WatchedEvent[]): Promise<void> {
    this.#events = null;
    const sink = this.#sink;
    const taking = sink?.(events);
    if (taking === undefined) return;
    // Not a race with a promise that lives as long as the connection: that would remember every race.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#release = resolve;
    taking.then(resolve, reject);
    // The sink itself may have closed the connection.
    if (this.#sink !== sink) resolve();
    try {
      await promise;
    } finally {
      this.#release = null;
      this.#heardAt = performance.now();
    }
  }
}

/**
 * Moves the unparsed bytes to the front of a buffer with room for more: a larger one if they fill this one, and a small
 * one if it has grown large and is empty.
 */
function makeRoom(
  buffer: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
  needed: number,
): Uint8Array<ArrayBuffer> {
  const rest = to - from;
  if (rest < buffer.length && (rest !== 0 || buffer.length <= LARGEST_KEPT_BUFFER)) {
    if (from !== 0 && rest !== 0) buffer.copyWithin(0, from, to);
    return buffer;
  }
  const larger = new Uint8Array(rest === 0 ? SMALLEST_BUFFER : Math.min(rest * 2, needed));
  larger.set(buffer.subarray(from, to));
  return larger;
}
