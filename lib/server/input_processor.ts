/**
 * Turns bytes that have arrived into changes of the map and replies.
 *
 * @module
 */

import { mayWrite } from "../auth/access.ts";
import { AMBIGUOUS, INVALID, MessageParser, NEED_MORE, type Token } from "../codec.ts";
import { PIECE_BYTES } from "../base/pieces.ts";
import { TrackerError } from "../errors.ts";
import { encodeMapLength, MAP_LENGTH_SIZE } from "../wire/replies.ts";
import {
  CLOSE,
  type Dialect,
  GET,
  HELLO,
  MAX_REQUEST,
  type MessageType,
  OPEN,
  PING,
  UPDATE,
  WATCH,
} from "../protocol.ts";
import type { SessionEvent } from "./events.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { GATHERED_BYTES } from "./reply_writer.ts";
import { replyDone, type Requester, strangerError } from "./requester.ts";
import { answerRequest } from "./requests.ts";
import { Throttle } from "./throttle.ts";

/** How many cheap messages are handled before the clock is looked at; a costly one counts as many. */
const WORK_PER_LOOK = 64;

/** So many cheap messages that arrive together count as one answer more. */
const WORK_PER_ANSWER = 16;

/** A read of so many bytes counts as heavy work, whatever is in them. */
const HEAVY_READ = 8_192;

/** Stands for the parsers of connections on which nothing is parsed any more. */
const SPENT = new MessageParser();

/** The session that an {@linkcode InputProcessor} works for. */
export interface InputOwner extends Requester {
  /** Ends the session as its client has asked, with a final reply. */
  leave(): void;
  /** Reports what happens to the client. */
  report(event: SessionEvent): void;
  /**
   * Lets another protocol have the connection, if it begins with one.
   *
   * @param bytes What has come
   * @returns Whether it does
   */
  handOver(bytes: Uint8Array): boolean;
}

/** Parses what the client of one connection sends, and acts on it. */
export class InputProcessor {
  readonly #owner: InputOwner;
  #parser: MessageParser;
  readonly #input: ReadBuffer;
  /** Limits the rate of messages; `null` when there is no limit. */
  readonly #throttle: Throttle | null;
  /** Counts messages by type, in the connection's dialect. */
  #counts: Float64Array;
  /** The parser's last result. */
  #token: Token = NEED_MORE;
  /** Work done since the last read, or since the clock was last looked at, in cheap messages. */
  #work = 0;
  /** Whether what the last read brought is more than light work. */
  #isHeavy = false;
  /** Whether nothing has come but the first read. */
  #isFresh = true;

  /** @param owner The session */
  constructor(owner: InputOwner) {
    const { context } = owner;
    this.#owner = owner;
    const { dialect, maxState, messageRate, deadlines } = context;
    this.#throttle = messageRate === 0 ? null : new Throttle(messageRate, deadlines);
    this.#parser = new MessageParser({ dialect, maxState, mergesRuns: this.#throttle === null });
    // Before its token is known a client gets no more room than a Hello takes.
    if (owner.permission === "none") this.#parser.maxState = Math.min(maxState, MAX_REQUEST);
    this.#input = new ReadBuffer(context);
    this.#counts = context.counters.unsettled;
  }

  /** Room for what arrives next. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#input.room;
  }

  /** The whole buffer, for input that is discarded. */
  get scratch(): Uint8Array<ArrayBuffer> {
    return this.#input.bytes;
  }

  /** Size of the read buffer, in bytes. */
  get bufferSize(): number {
    return this.#input.bytes.length;
  }

  /** The dialect that the client speaks. */
  get dialect(): Dialect | "unsettled" {
    return this.#parser.dialect;
  }

  /** Whether parsing stopped because it needs more bytes, and not because others must have their turn. */
  get isCaughtUp(): boolean {
    return this.#token === NEED_MORE || this.#token === AMBIGUOUS;
  }

  /** Whether the client may have to wait for long before it is read from again. */
  get isBusy(): boolean {
    return this.#isHeavy || this.#throttle !== null;
  }

  /** Whether the beginning of an unfinished message has arrived. */
  get hasRest(): boolean {
    return this.#input.to !== this.#input.from;
  }

  /** Notes that bytes have been read into {@linkcode room}. */
  note(count: number): void {
    this.#input.to += count;
    this.#isHeavy = count >= HEAVY_READ;
    this.#work = 0;
    this.#owner.context.counters.received += count;
  }

  /** Settles the dialect of a client that sends nothing more. */
  settle(): void {
    this.#parser.settle();
  }

  /** Prepares the buffer for the next read, and starts the timer of an unfinished message. */
  awaitMore(): void {
    const owner = this.#owner;
    this.#isFresh = false;
    this.#input.compact(this.#parser.needed, owner.context);
    if (this.#token === AMBIGUOUS) {
      owner.timers.disarm("message");
      owner.timers.arm("settle");
    } else if (this.hasRest && !owner.timers.isArmed("message")) {
      owner.timers.arm("message");
    }
  }

  /**
   * Handles every complete message in the buffer: the hot path, which walks the bytes once. Stops early, and then
   * {@linkcode isCaughtUp} is `false`: when enough output has gathered, so that a client that asks without reading holds
   * itself up instead of filling the server's memory; when its slice of time is used up; and when it has sent more
   * messages than it may.
   *
   * @returns Whether there was a complete message
   */
  process(): boolean {
    const owner = this.#owner;
    const parser = this.#parser;
    const input = this.#input;
    const { bytes, to } = input;
    let canWrite = mayWrite(owner.permission);
    let canAsk = owner.permission !== "none" && owner.watcher === null;
    // Who may see only a part of the map has it made for him.
    let canGet = canAsk && owner.grant?.prefix === undefined;
    let hasCompleted = false;
    for (;;) {
      const token = this.#token = parser.next(bytes, input.from, to);
      if (token >= 0) this.#count(token, parser.count);
      if (token === UPDATE && canWrite) {
        this.#setState(bytes, parser.stateStart, parser.stateEnd);
      } else if (token === GET && canGet) {
        this.#replyMap();
      } else if (token === OPEN && canWrite && canAsk) {
        this.#setState(bytes, parser.stateStart, parser.stateEnd);
        if (owner.isOpen) replyDone(owner.replies);
      } else if (this.#processRare(token)) {
        // A Hello may have granted rights, and a Watch removed some.
        canWrite = mayWrite(owner.permission);
        canAsk = owner.permission !== "none" && owner.watcher === null;
        canGet = canAsk && owner.grant?.prefix === undefined;
      } else {
        return hasCompleted;
      }
      // Listeners to the registry or to the server's events may have ended the session just now.
      if (!owner.isOpen) return hasCompleted;
      hasCompleted = true;
      input.from = parser.position;
      if (owner.hasFullOutput || this.#mustPause() || token === HELLO && owner.pending !== null) return hasCompleted;
    }
  }

  /** What to wait for before the rest is processed: the client's rate, or the turn of others; `null` for nothing. */
  waitToGoOn(): Promise<void> | null {
    const { context: { turns }, pending } = this.#owner;
    if (pending !== null) return pending;
    if (this.#throttle?.isExceeded === true) return this.#throttle.pause();
    return turns.isSpent ? turns.rest() : null;
  }

  /** What to wait for before the next read; `null` for nothing. After light work that is a turn once in a while. */
  waitToRead(): Promise<void> | null {
    if (this.#isHeavy) return this.waitToGoOn();
    if (this.#throttle?.isExceeded === true) return this.#throttle.pause();
    return this.#owner.context.turns.answered(1 + Math.floor(this.#work / WORK_PER_ANSWER));
  }

  /** Ends every wait: nothing more is processed. */
  close(): void {
    this.#throttle?.release();
  }

  /** Gives up everything, because another protocol goes on: there may be thousands of such connections. */
  retire(): void {
    this.#parser = SPENT;
    this.release();
  }

  /** Returns the buffer to its pool. Nothing may be reading into it any more. */
  release(): void {
    this.#input.release(this.#owner.context);
  }

  /** Whether others must have their turn first. Looks at the clock only after some work. */
  #mustPause(): boolean {
    if (this.#throttle !== null && this.#throttle.mayBeExceeded && this.#throttle.isExceeded) return true;
    if (++this.#work < WORK_PER_LOOK) return false;
    this.#work = 0;
    this.#isHeavy = true;
    return this.#owner.context.turns.isSpent;
  }

  #count(type: number, count: number): void {
    const { counters } = this.#owner.context;
    if (this.#counts === counters.unsettled) this.#counts = counters.messagesOf(this.#parser.dialect);
    this.#counts[type]! += count;
    this.#throttle?.spend(count);
  }

  /** Handles messages that a busy connection seldom sends. Returns `false` if there is nothing more to process for now. */
  #processRare(token: Token): boolean {
    try {
      if (token === CLOSE) this.#owner.leave();
      else if (token === INVALID && this.#parser.error !== null) this.#handOver(this.#parser.error);
      if (token < 0 || token === CLOSE) return false;
      const { stateStart, stateEnd } = this.#parser;
      if (token !== PING && token !== WATCH) this.#work = WORK_PER_LOOK;
      answerRequest(this.#owner, token as MessageType, this.#input.bytes.subarray(stateStart, stateEnd));
      if (token === HELLO) this.#parser.maxState = this.#owner.context.maxState;
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      this.#owner.close(error);
      return false;
    }
    return true;
  }

  /** The first bytes of a connection may be of another protocol; all others must be messages. */
  #handOver(error: TrackerError): void {
    const { bytes, from, to } = this.#input;
    if (!this.#isFresh || from !== 0 || !this.#owner.handOver(bytes.subarray(0, to))) throw this.#explain(error);
    // All of it is somebody else's now.
    this.#input.from = to;
    this.#token = NEED_MORE;
  }

  /** Before a token is known, the length of a state does not matter: none is welcome. */
  #explain(error: TrackerError): TrackerError {
    return error.code === "STATE_TOO_LARGE" && this.#owner.permission === "none" ? strangerError() : error;
  }

  #setState(bytes: Uint8Array, start: number, end: number): void {
    const owner = this.#owner;
    try {
      owner.presence.setState(bytes, start, end);
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      owner.close(error);
    }
  }

  #replyMap(): void {
    const { context: { registry }, replies } = this.#owner;
    const { gathered } = replies;
    const length = registry.flatLength;
    if (length > GATHERED_BYTES) this.#work = WORK_PER_LOOK;
    gathered.reserve(MAP_LENGTH_SIZE + (length > GATHERED_BYTES ? 0 : length));
    gathered.length = encodeMapLength(gathered.bytes, gathered.length, length, this.#parser.dialect);
    replies.add(length > PIECE_BYTES ? registry.flattenInPieces() : registry.flatten());
  }
}
