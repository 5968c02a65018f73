/**
 * A connection on which any bytes can be sent. The library's client sends only what is right, which is not enough for
 * a tool that shows what happens when it is not.
 *
 * @module
 */

import { INVALID, NEED_MORE } from "../../codec.ts";
import { type Expected, REPLY_FRAME, ReplyParser } from "../../wire/replies.ts";
import { type Duplex, writeAll } from "../../transport/duplex.ts";
import { TrackerError } from "../../errors.ts";
import { explainReply, type Field } from "./explain.ts";

/** First size of the buffer, in bytes. It grows as needed. */
const SMALLEST_BUFFER = 4_096;

/** How long the server may take to say its last words when it is told that nothing more comes, in milliseconds. */
const LAST_WORDS = 1_000;

/** What the server said. */
export interface Reply {
  /** What it carries: a map, a list, JSON, a frame; empty for other replies. */
  readonly payload: Uint8Array;
  /** Whether it is a frame of events. */
  readonly isFrame: boolean;
  /** All of its bytes, explained. */
  readonly fields: readonly Field[];
  /** What the server said is wrong, or what is wrong with its reply. */
  readonly error: TrackerError | null;
}

/** One connection, spoken on byte by byte. */
export class Conversation {
  readonly #duplex: Duplex;
  readonly #parser = new ReplyParser();
  readonly #timeout: number;
  #buffer = new Uint8Array(SMALLEST_BUFFER);
  #from = 0;
  #to = 0;
  #ended = false;
  #broken = false;
  #news = Promise.withResolvers<void>();

  /**
   * Starts listening.
   *
   * @param duplex The connection
   * @param timeout How long to wait for a reply, in milliseconds; 0 for ever
   */
  constructor(duplex: Duplex, timeout: number) {
    this.#duplex = duplex;
    this.#timeout = timeout;
    void this.#listen();
  }

  /** Sends bytes. If the connection has broken, the server's last words tell why: waiting for a reply finds them. */
  async send(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#duplex, bytes).catch(() => this.#broken = true);
  }

  /**
   * Waits for a reply.
   *
   * @param expected What the oldest unanswered message asks for
   * @returns What came
   * @throws {TrackerError} TIMEOUT or CONNECTION_CLOSED when nothing did
   */
  async receive(expected: Expected): Promise<Reply> {
    const until = this.#timeout === 0 ? Infinity : performance.now() + this.#timeout;
    for (;;) {
      const reply = this.#parse(expected);
      if (reply !== null) return reply;
      if (this.#ended) throw closedError("receive reply");
      if (await this.#isLate(until)) {
        throw new TrackerError("TIMEOUT", `Cannot receive reply: none came within ${this.#timeout} ms`);
      }
    }
  }

  /**
   * Sends nothing for a while.
   *
   * @param until Until when, on the monotonic clock
   * @param expected What may come unasked: frames, on a connection that watches
   * @returns What came, if anything did
   * @throws {TrackerError} CONNECTION_CLOSED when the connection ends
   */
  async listen(until: number, expected: "nothing" | "frame"): Promise<Reply | null> {
    for (;;) {
      const reply = this.#parse(expected);
      if (reply !== null) return reply;
      if (this.#ended) throw closedError("wait");
      if (await this.#isLate(until)) return null;
    }
  }

  /**
   * Says that nothing more comes, and hears what the server still has to say.
   *
   * @param expected What may come unasked: frames, on a connection that watches
   * @returns What came
   * @throws {TrackerError} CONNECTION_CLOSED when not all could be sent, and the server did not say why
   */
  async finish(expected: "nothing" | "frame"): Promise<Reply[]> {
    try {
      await this.#duplex.closeWrite?.();
    } catch {
      // The server has closed already; what it said is here.
    }
    const until = performance.now() + LAST_WORDS;
    while (!this.#ended && !await this.#isLate(until));
    const replies: Reply[] = [];
    for (let reply = this.#parse(expected); reply !== null; reply = this.#parse(expected)) replies.push(reply);
    if (replies.length === 0 && this.#broken) throw closedError("send");
    return replies;
  }

  /** Ends the connection at once. */
  close(): void {
    this.#duplex.close();
  }

  #parse(expected: Expected): Reply | null {
    const from = this.#from;
    if (from === this.#to) return null;
    const token = this.#parser.next(this.#buffer, from, this.#to, expected);
    if (token === NEED_MORE) return null;
    const { payloadStart, payloadEnd, position, error } = this.#parser;
    this.#from = token === INVALID ? this.#to : position;
    const fields = explainReply(this.#parser, token, this.#buffer.slice(from, this.#from), from);
    const payload = this.#buffer.slice(payloadStart, payloadEnd);
    return { payload, isFrame: token === REPLY_FRAME, fields, error };
  }

  async #isLate(until: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = until === Infinity ? undefined : setTimeout(() => resolve(true), until - performance.now());
    const late = await Promise.race([this.#news.promise.then(() => false), promise]);
    clearTimeout(timer);
    return late;
  }

  /** Reads all the time, so that a server that answers while it is sent to does not wait for us. */
  async #listen(): Promise<void> {
    try {
      for (;;) {
        this.#makeRoom();
        const count = await this.#duplex.read(this.#buffer.subarray(this.#to));
        if (count === null) break;
        this.#to += count;
        this.#tell();
      }
    } catch {
      // A connection that broke has ended as well.
    }
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  /** The bytes not yet parsed are kept where a read that is under way does not expect them to move. */
  #makeRoom(): void {
    if (this.#to < this.#buffer.length) return;
    const rest = this.#buffer.subarray(this.#from, this.#to);
    const larger = new Uint8Array(Math.max(SMALLEST_BUFFER, rest.length * 2));
    larger.set(rest);
    this.#buffer = larger;
    this.#from = 0;
    this.#to = rest.length;
  }
}

function closedError(call: string): TrackerError {
  return new TrackerError("CONNECTION_CLOSED", `Cannot ${call}: the server closed the connection`);
}
