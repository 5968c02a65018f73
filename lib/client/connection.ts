/**
 * One connection to a server: its calls in order, none of which can hang.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { toBytes, toText } from "../base/bytes.ts";
import { MessageEncoder } from "../codec.ts";
import { TrackerError } from "../errors.ts";
import { CLOSE, type Dialect, GET, HELLO, type MessageType, OPEN, PING, UPDATE, WATCH } from "../protocol.ts";
import type { Duplex } from "../transport/duplex.ts";
import { encodeRequest, type Greeting, type HelloRequest, parseGreeting, type WatchRequest } from "../wire/requests.ts";
import {
  abortedError,
  badArgument,
  bounded,
  brokenError,
  type CallOptions,
  closedError,
  DEFAULT_CALL_TIMEOUT,
} from "./calls.ts";
import { ConnectionCalls } from "./connection_calls.ts";
import { type AnsweredType, PendingCalls } from "./pending_calls.ts";
import { type EventSink, ReplyReader } from "./reply_reader.ts";
import { type Batch, Sender } from "./sender.ts";

/** How long a connection that cannot write any more goes on reading for the server's reason, in milliseconds. */
const FINAL_READ_TIMEOUT = 1_000;

/** Stands for "no options" and is recognized by identity: Updates without options of their own share a timer. */
const NO_OPTIONS: CallOptions = Object.freeze({});

/** Options for {@linkcode Connection}. */
export interface ConnectionOptions {
  /**
   * The dialect to speak. The wide one carries states of any length.
   *
   * @default {"wide"}
   */
  dialect?: Dialect;
  /**
   * Time limit of a call that has none of its own, in milliseconds; 0 for no limit.
   *
   * @default {10_000}
   */
  timeout?: number;
  /**
   * Longest map, list or frame accepted, and most memory of a mirror, in bytes: 256 MiB by default.
   *
   * @default {268_435_456}
   */
  maxMap?: number;
}

/** The life of a connection. Only a new one, on which nothing was sent, can greet; a closing one sends nothing more. */
type ConnectionState = "new" | "open" | "closing" | "closed";

/**
 * One connection to a server. Calls may overlap: messages go out in the order of the calls, many in one write, and
 * replies are matched to them in that order. When the connection ends, pending calls reject.
 *
 * `Client` is made of connections, and its documentation describes the calls that both have. Use this class for a
 * connection of another kind than TCP, or to control exactly what is sent when.
 *
 * @example A connection over any Duplex
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
export class Connection extends ConnectionCalls implements AsyncDisposable {
  /** Resolves when the connection has ended; `error` then tells why. Never rejects. */
  readonly finished: Promise<void>;
  readonly #duplex: Duplex;
  readonly #encoder: MessageEncoder;
  readonly #pending = new PendingCalls();
  readonly #reader: ReplyReader;
  readonly #sender: Sender;
  readonly #timeout: number;
  #state: ConnectionState = "new";
  #hello: HelloRequest | null = null;
  #error: TrackerError | null = null;
  #closing: Promise<void> | null = null;

  /**
   * Starts on an established connection.
   *
   * @param duplex The connection; it is closed in the end
   * @param options The dialect and limits
   */
  constructor(duplex: Duplex, options: ConnectionOptions = {}) {
    super();
    this.#duplex = duplex;
    this.#encoder = new MessageEncoder(options.dialect);
    this.#reader = new ReplyReader(duplex, this.#pending, options);
    this.#sender = new Sender(duplex, this.#encoder, (cause) => this.#explain(cause));
    this.#timeout = options.timeout ?? DEFAULT_CALL_TIMEOUT;
    this.finished = this.#read();
  }

  /** The dialect this connection speaks. */
  get dialect(): Dialect {
    return this.#encoder.dialect;
  }

  /** What ended the connection; `null` while it lasts and after an orderly {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** When the server was last heard, or the connection began, on the monotonic clock (`performance.now`). */
  get heardAt(): number {
    return this.#reader.heardAt;
  }

  /** When something was last sent, or the connection began, on the monotonic clock (`performance.now`). */
  get sentAt(): number {
    return this.#sender.sentAt;
  }

  /**
   * Greets the server, which opens the extensions: {@linkcode list}, {@linkcode put}, {@linkcode ping},
   * {@linkcode watch}, {@linkcode detach} and others. It must be the first call; the others need not wait for its answer.
   *
   * @param request The name the client wants, and what it promises
   * @param options When to stop waiting for the answer
   * @returns Who the server is, and what it grants
   * @throws {TrackerError} NAME_TAKEN, BAD_HELLO, BAD_ARGUMENT if it is not the first call or the dialect is not wide,
   *   and as {@linkcode open}
   */
  async hello(request: HelloRequest = {}, options: CallOptions = {}): Promise<Greeting> {
    if (this.dialect !== "wide") throw badArgument("greet", `the ${this.dialect} dialect has no Hello`);
    if (this.#state === "open") throw badArgument("greet", "it must be the connection's first call");
    const answer = this.#ask("greet", HELLO, options, encodeRequest(request));
    this.#hello = request;
    return this.decode(await answer, parseGreeting);
  }

  /** Enters the map with a state, or replaces the state. Resolves when the server has taken it. See `Client.open`. */
  async open(state: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    await this.#ask("open", OPEN, options, toBytes(state));
  }

  /** Replaces the state, unanswered. Updates of a turn without options share a promise. See `Client.update`. */
  update(state: string | Uint8Array, options: CallOptions = NO_OPTIONS): Promise<void> {
    const sent = this.#update(toBytes(state), options);
    sent.catch(ignore);
    return sent;
  }

  /** Reads the flattened map. See `Client.get`. */
  async get(options: CallOptions = {}): Promise<Uint8Array> {
    return await this.#ask("get", GET, options);
  }

  /** Reads the flattened map as text. See `Client.getText`. */
  async getText(options: CallOptions = {}): Promise<string> {
    return toText(await this.get(options));
  }

  /** Measures a round trip, in milliseconds. Needs a {@linkcode hello}. See `Client.ping`. */
  async ping(options: CallOptions = {}): Promise<number> {
    this.#requireHello("ping");
    const start = performance.now();
    await (this.#reader.isWatching ? this.#askForPong(options) : this.#ask("ping", PING, options));
    return performance.now() - start;
  }

  /** @internal Sends a Ping and does not wait for the answer, so that each side hears the other. */
  beat(): void {
    if (!this.#reader.isWatching) return void this.ping({ timeout: 0 }).catch(ignore);
    try {
      // A watcher that does not read for long owes any number of pongs: nothing may be kept for each.
      this.#sendPing();
    } catch {
      // Closed, or the buffer is full: then there is enough for the server to hear.
    }
  }

  /**
   * Watches the map. From now on the connection carries events, and takes only {@linkcode update}, {@linkcode ping},
   * {@linkcode detach} and {@linkcode close}. Needs a {@linkcode hello}.
   *
   * @param request What to watch, and since when
   * @param sink Takes the events; it must not throw
   * @param options When to stop waiting for the answer; the watch itself lasts as long as the connection
   * @returns Resolves when the server has taken it; the first events follow
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, or as any call
   */
  async watch(request: WatchRequest, sink: EventSink, options: CallOptions = {}): Promise<void> {
    this.#requireHello("watch");
    const answer = this.#ask("watch", WATCH, options, encodeRequest(request));
    this.#reader.deliverTo(sink);
    await answer;
  }

  /** Leaves the map and closes the connection. Events that a watch has not taken are lost. See `Client.close`. */
  close(options: CallOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options);
  }

  /** Ends the connection without a Close, as if it had been lost. Needs a {@linkcode hello}. See `Client.detach`. */
  async detach(options: CallOptions = {}): Promise<void> {
    this.#requireHello("detach");
    if (this.#state === "closed") return;
    try {
      await this.ping(options);
      this.#stopSending();
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

  /** Ends the connection at once. Pending calls reject with the reason, and `error` is that from then on. */
  abort(reason: TrackerError = closedError("go on", "the client was aborted")): void {
    this.#fail(reason);
  }

  /** Closes the connection. A broken one is left as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(ignore);
    await this.finished;
  }

  async #close(options: CallOptions): Promise<void> {
    if (this.#state === "closed") return;
    try {
      const answer = this.#ask("close", CLOSE, options);
      this.#stopSending();
      await answer;
      this.#shut();
    } finally {
      this.abort();
    }
    await this.finished;
  }

  #update(state: Uint8Array, options: CallOptions): Promise<void> {
    try {
      if (this.#encoder.carrierOf(state) === OPEN) return this.#ask("update", OPEN, options, state).then(ignore);
      if (options.signal?.aborted) throw abortedError("update", options.signal);
      const batch = this.#send("update", UPDATE, state);
      if (options !== NO_OPTIONS) return bounded("update", batch.written, options, this.#timeout);
      return batch.inTime ??= bounded("update", batch.written, options, this.#timeout);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a message that is answered. Returns the answer; throws when the message cannot be sent. */
  #ask(call: string, type: AnsweredType, options: CallOptions, payload?: Uint8Array): Promise<Uint8Array> {
    if (options.signal?.aborted) throw abortedError(call, options.signal);
    if (this.#reader.isWatching && type !== CLOSE) throw badArgument(call, "the connection watches; make another one");
    this.#send(call, type, payload);
    return bounded(call, this.#pending.add(type), options, this.#timeout, this.#reader);
  }

  /** @internal Sends a request that needs a Hello, and waits for the answer. */
  protected override async request(
    call: string,
    type: AnsweredType,
    options: CallOptions,
    payload?: Uint8Array,
  ): Promise<Uint8Array> {
    this.#requireHello(call);
    return await this.#ask(call, type, options, payload);
  }

  #askForPong(options: CallOptions): Promise<void> {
    if (options.signal?.aborted) throw abortedError("ping", options.signal);
    this.#sendPing();
    return bounded("ping", this.#pending.addPong(), options, this.#timeout);
  }

  #sendPing(): void {
    this.#send("ping", PING);
    this.#pending.countPing();
  }

  #send(call: string, type: MessageType, payload?: Uint8Array): Batch {
    if (this.#state === "closing" || this.#state === "closed") {
      throw this.#error ?? closedError(call, "the client is closed");
    }
    const batch = this.#sender.add(call, type, payload);
    this.#state = "open";
    return batch;
  }

  #stopSending(): void {
    if (this.#state !== "closed") this.#state = "closing";
    this.#reader.dropEvents();
  }

  #requireHello(call: string): void {
    if (this.#hello === null) throw badArgument(call, "the connection did not begin with a Hello");
  }

  /** @internal Decodes a reply. A malformed one ends the connection, since nothing after it can be trusted. */
  protected override decode<T>(payload: Uint8Array, decode: (payload: Uint8Array) => T): T {
    try {
      return decode(payload);
    } catch (error) {
      this.#fail(brokenError(error));
      throw error;
    }
  }

  async #read(): Promise<void> {
    try {
      await this.#reader.read();
      this.#fail(closedError("go on", "the server closed the connection", this.#reader.peer));
    } catch (cause) {
      this.#fail(this.#withReason(brokenError(cause, this.#reader.peer)));
    }
  }

  /** Adds what only this side knows: whether a token was shown that may not write. */
  #withReason(error: TrackerError): TrackerError {
    if (error.code !== "UNAUTHORIZED" || this.#hello?.token === undefined) return error;
    // A refused Hello means an unknown token, unless it asked for a name: that takes a token that may write.
    if (this.#pending.first?.type === HELLO && this.#hello.name === undefined) return error;
    return new TrackerError(error.code, error.message, { cause: error, reason: "write-denied" });
  }

  /** Explains a failed write, once the reader has read what the server said last. */
  async #explain(cause: unknown): Promise<TrackerError> {
    // The reader fails too, and may hold the server's own reason: it decides.
    const timer = setTimeout(() => this.#fail(brokenError(cause)), FINAL_READ_TIMEOUT);
    await this.finished;
    clearTimeout(timer);
    return this.#error ?? brokenError(cause);
  }

  /** Ends the connection with an error. Only the first one counts. */
  #fail(error: TrackerError): void {
    if (this.#state === "closed") return;
    // Once a Close is answered the server ends the connection, as it should.
    const isOrderly = this.#state === "closing" && this.#pending.first === undefined;
    if (!isOrderly) this.#error = error;
    this.#shut();
  }

  /** Closes the duplex and rejects pending calls. */
  #shut(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    try {
      this.#duplex.close();
    } catch {
      // Closed already by its owner.
    }
    const error = this.#error ?? closedError("go on", "the client is closed");
    this.#sender.close(error);
    this.#pending.reject(error);
    this.#reader.stop();
  }
}
