/**
 * A connection on which any bytes can be sent. The library's client sends only valid messages, which is not enough for
 * a tool that shows the effect of invalid ones.
 *
 * @module
 */

import { type Expected, REPLY_FRAME, ReplyParser } from "../../wire/replies.ts";
import { delay, ignore } from "../../base/async.ts";
import { ByteBuffer } from "../../base/byte_buffer.ts";
import { LONGEST_TIMEOUT } from "../../base/deadlines.ts";
import { INVALID, NEED_MORE } from "../../codec.ts";
import { TrackerError } from "../../errors.ts";
import { type Duplex, writeAll } from "../../transport/duplex.ts";
import { type AskedList, explainReply, type Field } from "./explain.ts";

/** Most bytes taken in one read. */
const READ_SIZE = 4_096;

/** How long the server may take for its last replies once it knows that nothing more comes, in milliseconds. */
const LAST_REPLIES = 1_000;

/** A reply of the server. */
export interface Reply {
  /** Its payload: a map, a list, JSON or a frame; empty for other replies. */
  readonly payload: Uint8Array;
  /** Whether it is a frame of events. */
  readonly isFrame: boolean;
  /** All of its bytes, explained. */
  readonly fields: readonly Field[];
  /** The error that the server reports, or what is wrong with the reply. */
  readonly error: TrackerError | null;
}

/** One connection, used byte by byte. */
export class Conversation {
  readonly #duplex: Duplex;
  readonly #timeout: number;
  readonly #parser = new ReplyParser();
  readonly #received = new ByteBuffer(READ_SIZE);
  #hasEnded = false;
  #isBroken = false;
  /** Aborted, and replaced, when bytes arrive or the connection ends. */
  #news = new AbortController();

  /**
   * Starts reading.
   *
   * @param duplex The connection
   * @param timeout How long to wait for a reply, in milliseconds; 0 for no limit
   */
  constructor(duplex: Duplex, timeout: number) {
    this.#duplex = duplex;
    this.#timeout = timeout;
    void this.#readAll();
  }

  /** Sends bytes. If the connection is broken, the server's last reply tells why: waiting for a reply finds it. */
  async send(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#duplex, bytes).catch(() => this.#isBroken = true);
  }

  /** How the last List was asked for. */
  list: AskedList = {};

  /**
   * Waits for a reply.
   *
   * @param expected What the oldest unanswered message asks for
   * @returns The reply
   * @throws {TrackerError} TIMEOUT or CONNECTION_CLOSED when none comes
   */
  async receive(expected: Expected): Promise<Reply> {
    const until = this.#timeout === 0 ? Infinity : performance.now() + this.#timeout;
    const reply = await this.#next(until, expected, "receive reply");
    if (reply !== null) return reply;
    throw new TrackerError("TIMEOUT", `Cannot receive reply: none came within ${this.#timeout} ms`);
  }

  /**
   * Listens for a while without sending anything.
   *
   * @param until The end of that time, on the monotonic clock
   * @param expected What may come unasked: frames, on a connection that watches
   * @returns The next reply; `null` when the time is up
   * @throws {TrackerError} CONNECTION_CLOSED when the connection ends
   */
  async listen(until: number, expected: "nothing" | "frame"): Promise<Reply | null> {
    return await this.#next(until, expected, "wait");
  }

  /**
   * Tells the server that nothing more comes, and waits for its last replies.
   *
   * @param expected What may come unasked: frames, on a connection that watches
   * @returns The replies
   * @throws {TrackerError} CONNECTION_CLOSED when not everything could be sent, and the server did not say why
   */
  async finish(expected: "nothing" | "frame"): Promise<Reply[]> {
    // If the server has closed already, its replies are here.
    await this.#duplex.closeWrite?.().catch(ignore);
    const until = performance.now() + LAST_REPLIES;
    while (!this.#hasEnded && !await this.#isLate(until));
    const replies: Reply[] = [];
    for (let reply = this.#parse(expected); reply !== null; reply = this.#parse(expected)) replies.push(reply);
    if (replies.length === 0 && this.#isBroken) throw closedError("send");
    return replies;
  }

  /** Closes the connection at once. */
  close(): void {
    this.#duplex.close();
  }

  /** Waits for a reply until some time; `null` when none has come by then. */
  async #next(until: number, expected: Expected, action: string): Promise<Reply | null> {
    for (;;) {
      const reply = this.#parse(expected);
      if (reply !== null) return reply;
      if (this.#hasEnded) throw closedError(action);
      if (await this.#isLate(until)) return null;
    }
  }

  #parse(expected: Expected): Reply | null {
    const received = this.#received;
    if (received.length === 0) return null;
    const token = this.#parser.next(received.bytes, 0, received.length, expected);
    if (token === NEED_MORE) return null;
    const { payloadStart, payloadEnd, position, error } = this.#parser;
    const end = token === INVALID ? received.length : position;
    const fields = explainReply(this.#parser, token, received.bytes.slice(0, end), this.list);
    const payload = received.bytes.slice(payloadStart, payloadEnd);
    received.bytes.copyWithin(0, end, received.length);
    received.length -= end;
    return { payload, isFrame: token === REPLY_FRAME, fields, error };
  }

  /** Waits for news until some time, and tells whether that has passed without any. */
  async #isLate(until: number): Promise<boolean> {
    const news = this.#news.signal;
    await delay(Math.max(0, Math.min(until - performance.now(), LONGEST_TIMEOUT)), news);
    return !news.aborted && performance.now() >= until;
  }

  /** Reads all the time, so that a server that replies while it is being sent to does not have to wait for us. */
  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    try {
      for (;;) {
        const count = await this.#duplex.read(buffer);
        if (count === null) break;
        this.#received.append(buffer.subarray(0, count));
        this.#notify();
      }
    } catch {
      // A connection that broke has ended as well.
    }
    this.#hasEnded = true;
    this.#notify();
  }

  #notify(): void {
    this.#news.abort();
    this.#news = new AbortController();
  }
}

function closedError(action: string): TrackerError {
  return new TrackerError("CONNECTION_CLOSED", `Cannot ${action}: the server closed the connection`);
}
