/**
 * One connection to a server: its calls in order, none of which can hang.
 *
 * @module
 */

import {
  abortedError,
  bounded,
  brokenError,
  type CallOptions,
  closedError,
  DEFAULT_CALL_TIMEOUT,
  type PeerState,
} from "./calls.ts";
import { INVALID, MessageEncoder, NEED_MORE } from "../codec.ts";
import { type Expected, REPLY_DONE, REPLY_ERROR, REPLY_FRAME, ReplyParser } from "../wire/replies.ts";
import type { Duplex } from "../transport/duplex.ts";
import { TrackerError } from "../errors.ts";
import { ignore } from "../base/async.ts";
import { EMPTY, toBytes } from "../base/bytes.ts";
import { decodeEvents, type WatchEvent } from "../wire/events.ts";
import { decodeList, type ListReply } from "../wire/list.ts";
import { type Batch, Sender } from "./sender.ts";
import { parseStats, type Stats } from "../wire/stats.ts";
import {
  CLOSE,
  type Dialect,
  GET,
  HELLO,
  LIST,
  type MessageType,
  OPEN,
  PING,
  STATS,
  UPDATE,
  WATCH,
} from "../protocol.ts";
import {
  encodeRequest,
  type Greeting,
  type HelloRequest,
  parseGreeting,
  type PrefixRequest,
  type WatchRequest,
} from "../wire/requests.ts";

/** First size of the read buffer, in bytes. It grows as needed. */
const SMALLEST_BUFFER = 4_096;

/** Largest read buffer a connection keeps between replies, in bytes. */
const KEPT_BUFFER = 65_536;

/** How long a connection whose writing failed goes on reading for the server's last words, in milliseconds. */
const LAST_WORDS = 1_000;

/** Stands for "no options" and is told apart by identity: Updates that ask for nothing of their own share a timer. */
const UNBOUNDED: CallOptions = Object.freeze({});

/** What a {@linkcode Connection} can be told. */
export interface ConnectionOptions {
  /** The dialect to speak. Default `"wide"`, which carries states of any length. */
  dialect?: Dialect;
  /** How long each call waits unless told otherwise, in milliseconds; 0 for no limit. Default 10,000. */
  timeout?: number;
  /** Longest map, list or frame accepted, in bytes. Default 256 MiB. */
  maxMap?: number;
}

/** An event of a watch, as its connection hands it on. The answer to a Ping is not one: `ping` has it. */
export type WatchedEvent = Exclude<WatchEvent, { kind: "pong" }>;

/**
 * Takes the events of a frame. No more are read before it has, so a promise that it returns holds the server up: what
 * the map does meanwhile waits there, and not in this program's memory.
 */
export type EventSink = (events: WatchedEvent[]) => void | Promise<void>;

/** A call that waits for a reply. It keeps its place in the line even when nobody waits for it any more. */
interface Waiting {
  type: MessageType;
  expected: Exclude<Expected, "nothing" | "frame">;
  resolve: (payload: Uint8Array) => void;
  reject: (error: TrackerError) => void;
}

/** A call that waits for a pong. */
interface WaitingForPong {
  /** Which of the connection's Pings it has sent, from 1. */
  ping: number;
  resolve: (payload: Uint8Array) => void;
  reject: (error: TrackerError) => void;
}

const EXPECTED: Readonly<Record<Exclude<MessageType, typeof UPDATE>, Waiting["expected"]>> = {
  [OPEN]: "done",
  [CLOSE]: "done",
  [GET]: "map",
  [HELLO]: "hello",
  [WATCH]: "done",
  [LIST]: "list",
  [PING]: "done",
  [STATS]: "stats",
};

/**
 * One connection to a server. Calls may overlap: messages go out in the order of the calls, many in one write, and
 * replies are matched to them in that order. When the connection ends, whatever waits is rejected.
 *
 * It is what a `Client` is made of, and is exported for whoever brings a connection of another kind than TCP, or wants
 * to know exactly what is sent when.
 *
 * @example A connection over anything that is a Duplex
 * ```ts
 * import { Connection, dial, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using connection = new Connection(await dial("127.0.0.1", server.addr.port, undefined, 1_000));
 * await connection.open("idle");
 * assertEquals(await connection.getText(), "{client1=idle}");
 * ```
 */
export class Connection implements AsyncDisposable {
  /** Resolves when the connection has ended, for whatever reason; `error` then tells which. Never rejects. */
  readonly finished: Promise<void>;
  readonly #duplex: Duplex;
  readonly #encoder: MessageEncoder;
  readonly #parser: ReplyParser;
  readonly #sender: Sender;
  readonly #timeout: number;
  readonly #waiting: Waiting[] = [];
  #error: TrackerError | null = null;
  #closing: Promise<void> | null = null;
  #leaving = false;
  #closed = false;
  #heardAt = performance.now();
  /** Whether anything was heard at all. */
  #heard = false;
  /** Whether there is reason to think that the server speaks TLS. */
  readonly #peer = (): PeerState => this.#heard || this.#duplex.handshake !== undefined ? "heard" : "silent";

  /** Whether anything was sent: a Hello must come first. */
  #used = false;
  #greeted = false;

  /** Of a connection that watches: who takes the events, and those of the frame just read. */
  #sink: EventSink | null = null;
  #watching = false;
  #events: WatchedEvent[] | null = null;
  /** While the sink holds the reading up: lets it go on without the sink. */
  #release: (() => void) | null = null;
  #pings = 0;
  #pongs = 0;
  readonly #waitingForPong: WaitingForPong[] = [];

  /**
   * Starts on a connection that is established.
   *
   * @param duplex The connection, which is closed in the end
   * @param options The dialect and limits
   */
  constructor(duplex: Duplex, options: ConnectionOptions = {}) {
    this.#duplex = duplex;
    this.#encoder = new MessageEncoder(options.dialect);
    this.#parser = new ReplyParser(options);
    this.#sender = new Sender(duplex, this.#encoder, (cause) => this.#brokenBy(cause));
    this.#timeout = options.timeout ?? DEFAULT_CALL_TIMEOUT;
    this.finished = this.#read();
  }

  /** The dialect this connection speaks. */
  get dialect(): Dialect {
    return this.#encoder.dialect;
  }

  /** What ended the connection, or `null` while it lasts and after an orderly {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** When something was heard last, or the connection began, on the monotonic clock (`performance.now`). */
  get heardAt(): number {
    // Whoever holds the reading up cannot complain of silence.
    return this.#release === null ? this.#heardAt : performance.now();
  }

  /** When something was sent last, or the connection began, on the monotonic clock (`performance.now`). */
  get sentAt(): number {
    return this.#sender.sentAt;
  }

  /**
   * Greets the server, which opens the extensions: {@linkcode list}, {@linkcode ping}, {@linkcode stats} and
   * {@linkcode watch}. It must be the first call. The others need not wait for its answer.
   *
   * @param request The name the client wants, and what it promises
   * @param options When to stop waiting for the server's answer
   * @returns Who the server is, and what it grants
   * @throws {TrackerError} NAME_TAKEN, BAD_HELLO, BAD_ARGUMENT when it is not the first call or the dialect is not wide,
   *   and as {@linkcode open}
   */
  async hello(request: HelloRequest = {}, options: CallOptions = {}): Promise<Greeting> {
    if (this.dialect !== "wide") {
      throw new TrackerError("BAD_ARGUMENT", `Cannot greet: the ${this.dialect} dialect has no Hello`);
    }
    if (this.#used) throw new TrackerError("BAD_ARGUMENT", "Cannot greet: it must be the connection's first call");
    const json = encodeRequest(request);
    this.#greeted = true;
    return this.#decode(await this.#ask("greet", HELLO, options, json), parseGreeting);
  }

  /**
   * Enters the map with a state, or replaces the state of a client that has entered it.
   *
   * In the compact dialect an empty first state takes up to 500 ms: only silence tells the server that it is one.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting for the server's answer
   * @returns Resolves when the server has taken it
   * @throws {TrackerError} STATE_TOO_LARGE, TIMEOUT, ABORTED, BUFFER_FULL, CONNECTION_CLOSED, or the server's code
   */
  async open(state: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#ask("open", OPEN, options, toBytes(state));
  }

  /**
   * Replaces this client's state; the first one enters it in the map. The server does not answer an Update, so a
   * refusal shows in the next call and in `finished`. A caller need not wait: a promise left alone does not count as
   * an unhandled rejection, and many Updates called in a row go out in one write.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting
   * @returns Resolves when the system has taken the bytes; Updates of one turn that have no options share the promise
   * @throws {TrackerError} STATE_TOO_LARGE, TIMEOUT, ABORTED, BUFFER_FULL, CONNECTION_CLOSED, or the server's code
   */
  update(state: string | Uint8Array, options: CallOptions = UNBOUNDED): Promise<void> {
    const sent = this.#update(toBytes(state), options);
    sent.catch(ignore);
    return sent;
  }

  /**
   * Reads the flattened map: `{id=state, id=state}`, in the order of opening, states verbatim.
   *
   * @param options When to stop waiting
   * @returns The map's bytes
   * @throws {TrackerError} TIMEOUT, ABORTED, REPLY_TOO_LARGE, BAD_REPLY, BUFFER_FULL, CONNECTION_CLOSED, or the
   *   server's code
   */
  get(options: CallOptions = {}): Promise<Uint8Array> {
    return this.#ask("get", GET, options);
  }

  /**
   * Reads the flattened map as text. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param options When to stop waiting
   * @returns The map
   * @throws {TrackerError} As {@linkcode get}
   */
  async getText(options: CallOptions = {}): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.get(options));
  }

  /**
   * Reads the clients as records. Needs a {@linkcode hello}.
   *
   * @param options `prefix`: only clients whose identifier begins with it; and when to stop waiting
   * @returns The clients, and the revision of the map they show
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  async list(options: PrefixRequest & CallOptions = {}): Promise<ListReply> {
    this.#requireHello("list");
    const json = encodeRequest(options.prefix === undefined ? {} : { prefix: options.prefix });
    return this.#decode(await this.#ask("list", LIST, options, json), decodeList);
  }

  /**
   * Asks for a sign of life. Needs a {@linkcode hello}.
   *
   * @param options When to stop waiting
   * @returns How long the answer took, in milliseconds
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode open}
   */
  async ping(options: CallOptions = {}): Promise<number> {
    this.#requireHello("ping");
    const start = performance.now();
    await (this.#sink === null ? this.#ask("ping", PING, options) : this.#askForPong(options));
    return performance.now() - start;
  }

  /**
   * Asks how the server is doing. Needs a {@linkcode hello}.
   *
   * @param options When to stop waiting
   * @returns What it has counted since it started, and what it holds now
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  async stats(options: CallOptions = {}): Promise<Stats> {
    this.#requireHello("ask for stats");
    return this.#decode(await this.#ask("ask for stats", STATS, options), parseStats);
  }

  /** @internal Says something, so that the server hears it and answers. Nobody waits for the answer. */
  beat(): void {
    // A watcher that does not read for long is sent no end of pongs: nothing may be kept for each.
    if (this.#sink === null) this.ping({ timeout: 0 }).catch(ignore);
    else if (!this.#closed && !this.#leaving) this.#sendPing();
  }

  /**
   * Makes this connection one that watches: from now on it carries events, and only {@linkcode update},
   * {@linkcode ping} and {@linkcode close} can be called. Needs a {@linkcode hello}.
   *
   * @param request What to watch, and since when
   * @param sink Takes the events; it must not throw
   * @param options When to stop waiting for the server's answer; the watch itself goes on for as long as the connection
   * @returns Resolves when the server has taken it; the first events follow
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode open}
   */
  async watch(request: WatchRequest, sink: EventSink, options: CallOptions = {}): Promise<void> {
    this.#requireHello("watch");
    const json = encodeRequest(request);
    const answer = this.#ask("watch", WATCH, options, json);
    this.#sink = sink;
    await answer;
  }

  /**
   * Leaves the map and closes the connection. Calling it again, or after the connection has ended, is safe. Events of a
   * watch that have not been taken are lost.
   *
   * @param options When to stop waiting; the connection is closed in any case
   * @returns Resolves when the connection is closed
   * @throws {TrackerError} TIMEOUT, ABORTED, or what broke the connection before the server had answered
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options);
  }

  /**
   * Ends the connection without a Close: the server does as if it had been lost, and keeps the entry of a client that
   * has a name for its grace. Needs a {@linkcode hello}.
   *
   * @param options When to stop waiting; the connection is closed in any case
   * @returns Resolves when the server has taken all that was sent, and has noticed the end
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, TIMEOUT, ABORTED, or what broke the connection before
   */
  async detach(options: CallOptions = {}): Promise<void> {
    this.#requireHello("detach");
    if (this.#closed) return;
    try {
      await this.ping(options);
      this.#leaving = true;
      await this.#duplex.closeWrite?.();
      // The server closes its end when it has seen that ours is closed.
      if (this.#duplex.closeWrite !== undefined) await bounded("detach", this.finished, options, this.#timeout);
    } catch (cause) {
      throw this.#error ?? brokenError(cause);
    } finally {
      this.abort();
    }
    await this.finished;
    if (this.#error !== null) throw this.#error;
  }

  /**
   * Ends the connection at once. The server takes the client out of the map as soon as it notices.
   *
   * @param reason What calls that wait are told, and `error` is from then on
   */
  abort(reason: TrackerError = closedError("go on", "the client was aborted")): void {
    this.#fail(reason);
  }

  /** Closes the connection; one that is broken already is left at that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(ignore);
    await this.finished;
  }

  async #close(options: CallOptions): Promise<void> {
    if (this.#closed) return;
    try {
      const answer = this.#ask("close", CLOSE, options);
      this.#release?.();
      await answer;
      this.#shut();
    } finally {
      this.abort();
    }
    await this.finished;
  }

  #update(state: Uint8Array, options: CallOptions): Promise<void> {
    if (this.#encoder.carrierOf(state) === OPEN) return this.#ask("update", OPEN, options, state).then(ignore);
    try {
      options.signal?.throwIfAborted();
      const batch = this.#send("update", UPDATE, state);
      if (options !== UNBOUNDED) return bounded("update", batch.written, options, this.#timeout);
      return batch.inTime ??= bounded("update", batch.written, options, this.#timeout);
    } catch (error) {
      return Promise.reject(error instanceof TrackerError ? error : abortedError("update", options.signal));
    }
  }

  /** Sends a message that will be answered, and waits for the answer. */
  #ask(call: string, type: keyof typeof EXPECTED, options: CallOptions, payload?: Uint8Array): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    try {
      options.signal?.throwIfAborted();
      if (this.#sink !== null && type !== CLOSE) {
        throw new TrackerError("BAD_ARGUMENT", `Cannot ${call}: the connection watches; make another one`);
      }
      this.#send(call, type, payload);
      this.#waiting.push({ type, expected: EXPECTED[type], resolve, reject });
    } catch (error) {
      reject(error instanceof TrackerError ? error : abortedError(call, options.signal));
    }
    return bounded(call, promise, options, this.#timeout, this.#peer);
  }

  #askForPong(options: CallOptions): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    try {
      options.signal?.throwIfAborted();
      this.#sendPing();
      this.#waitingForPong.push({ ping: this.#pings, resolve, reject });
    } catch (error) {
      reject(error instanceof TrackerError ? error : abortedError("ping", options.signal));
    }
    return bounded("ping", promise, options, this.#timeout);
  }

  #sendPing(): void {
    this.#send("ping", PING);
    this.#pings++;
  }

  #send(call: string, type: MessageType, payload?: Uint8Array): Batch {
    if (this.#closed || this.#leaving) throw this.#error ?? closedError(call, "the client is closed");
    const batch = this.#sender.add(call, type, payload);
    this.#used = true;
    this.#leaving = type === CLOSE;
    return batch;
  }

  #requireHello(call: string): void {
    if (this.#greeted) return;
    throw new TrackerError("BAD_ARGUMENT", `Cannot ${call}: the connection did not begin with a Hello`);
  }

  /** A reply that makes no sense is the end of the connection: who knows what the next one means. */
  #decode<T>(payload: Uint8Array, decode: (payload: Uint8Array) => T): T {
    try {
      return decode(payload);
    } catch (error) {
      this.#fail(brokenError(error));
      throw error;
    }
  }

  /** Waits for the reader to have read what the server said last, then tells what ended the connection. */
  async #brokenBy(cause: unknown): Promise<TrackerError> {
    // The reader hears of it as well, and may hold the server's own word on why: it decides.
    const timer = setTimeout(() => this.#fail(brokenError(cause)), LAST_WORDS);
    await this.finished;
    clearTimeout(timer);
    return this.#error ?? brokenError(cause);
  }

  /** The only reader of the connection: hands each reply to the call that has waited longest. */
  async #read(): Promise<void> {
    let buffer = new Uint8Array(SMALLEST_BUFFER);
    let length = 0;
    try {
      while (!this.#closed) {
        const count = await this.#duplex.read(length === 0 ? buffer : buffer.subarray(length));
        if (count === null) break;
        this.#heardAt = performance.now();
        this.#heard = true;
        length += count;
        let from = this.#dispatch(buffer, 0, length);
        while (this.#events !== null) {
          await this.#deliver(this.#events);
          from = this.#dispatch(buffer, from, length);
        }
        buffer = makeRoom(buffer, from, length, this.#parser.needed);
        length -= from;
      }
      this.#fail(closedError("go on", "the server closed the connection", this.#peer()));
    } catch (cause) {
      this.#fail(brokenError(cause, this.#peer()));
    }
  }

  /** Takes replies out of the buffer, up to a frame that has events. Returns the offset of what it has left over. */
  #dispatch(buffer: Uint8Array, from: number, length: number): number {
    while (from < length && this.#events === null && !this.#closed) {
      const waiting = this.#waiting[0];
      const expected = this.#watching ? "frame" : waiting?.expected ?? "nothing";
      const token = this.#parser.next(buffer, from, length, expected);
      if (token === NEED_MORE) break;
      if (token === INVALID || token === REPLY_ERROR) throw this.#parser.error;
      const { payloadStart, payloadEnd, position } = this.#parser;
      if (token === REPLY_FRAME) {
        this.#takeFrame(buffer.subarray(payloadStart, payloadEnd));
      } else if (waiting === undefined) {
        throw new TrackerError("BAD_REPLY", "Cannot parse reply: among the frames is an answer that nobody waits for");
      } else {
        this.#waiting.shift();
        if (waiting.type === WATCH) this.#watching = true;
        waiting.resolve(token === REPLY_DONE ? EMPTY : buffer.slice(payloadStart, payloadEnd));
      }
      from = position;
    }
    return from;
  }

  #takeFrame(payload: Uint8Array): void {
    const events: WatchedEvent[] = [];
    for (const event of decodeEvents(payload)) {
      if (event.kind === "pong") this.#notePong();
      else events.push(event);
    }
    if (events.length !== 0 && !this.#leaving) this.#events = events;
  }

  #notePong(): void {
    this.#pongs++;
    while ((this.#waitingForPong[0]?.ping ?? Infinity) <= this.#pongs) this.#waitingForPong.shift()?.resolve(EMPTY);
  }

  /** Hands events on, and waits until they are taken or the connection is to end. */
  async #deliver(events: WatchedEvent[]): Promise<void> {
    this.#events = null;
    const taking = this.#sink?.(events);
    if (taking === undefined) return;
    // Not a race with one promise that lasts as long as the connection: that would remember every race.
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#release = resolve;
    taking.then(resolve, reject);
    if (this.#closed || this.#leaving) resolve();
    try {
      await promise;
    } finally {
      this.#release = null;
      this.#heardAt = performance.now();
    }
  }

  /** Ends the connection and rejects whatever waits. Only the first reason counts. */
  #fail(error: TrackerError): void {
    if (this.#closed) return;
    // Once a Close is answered the server ends the connection: that is as it should be.
    const orderly = this.#leaving && this.#waiting.length === 0;
    if (!orderly) this.#error = error;
    this.#shut();
  }

  #shut(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#duplex.close();
    } catch {
      // Whoever made it has closed it already.
    }
    const error = this.#error ?? closedError("go on", "the client is closed");
    this.#sender.close(error);
    for (const { reject } of [...this.#waiting.splice(0), ...this.#waitingForPong.splice(0)]) reject(error);
    this.#release?.();
  }
}

/** Moves the bytes not yet parsed to the front of a buffer with room for more: a larger one when they fill this one. */
function makeRoom(
  buffer: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
  needed: number,
): Uint8Array<ArrayBuffer> {
  const rest = to - from;
  if (rest < buffer.length && (rest !== 0 || buffer.length <= KEPT_BUFFER)) {
    if (from !== 0 && rest !== 0) buffer.copyWithin(0, from, to);
    return buffer;
  }
  const larger = new Uint8Array(rest === 0 ? SMALLEST_BUFFER : Math.min(rest * 2, needed));
  larger.set(buffer.subarray(from, to));
  return larger;
}
