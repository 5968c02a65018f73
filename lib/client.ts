/**
 * The client: one connection to a server, its calls in order, none of which can hang.
 *
 * @module
 */

import {
  type Expected,
  INVALID,
  MessageEncoder,
  NEED_MORE,
  REPLY_DONE,
  REPLY_ERROR,
  REPLY_MAP,
  ReplyParser,
} from "./codec.ts";
import { type Duplex, writeAll } from "./duplex.ts";
import { TrackerError } from "./errors.ts";
import { CLOSE, DEFAULT_PORT, type Dialect, GET, type MessageType, OPEN, UPDATE } from "./protocol.ts";
import { formatAddress, setNoDelay } from "./tcp.ts";

/** How long a call waits unless told otherwise, in milliseconds. */
export const DEFAULT_CALL_TIMEOUT = 10_000;

/** Bytes a client holds for a server that does not read, before further calls are refused with BUFFER_FULL. */
const MAX_BUFFERED = 2 ** 24;

/** First size of the buffers, in bytes. They grow as needed. */
const SMALLEST_BUFFER = 4_096;

/** Largest read buffer a client keeps between replies, in bytes. */
const KEPT_BUFFER = 65_536;

/** What every call can be told. */
export interface CallOptions {
  /** Stops the waiting when aborted: the call rejects with ABORTED. What was sent stays sent. */
  signal?: AbortSignal;
  /** How long to wait, in milliseconds, before the call rejects with TIMEOUT; 0 for ever. */
  timeout?: number;
}

/** What a {@linkcode Client} can be told about its connection. */
export interface ClientOptions {
  /** The dialect to speak. Default `"wide"`, which carries states of any length. */
  dialect?: Dialect;
  /** How long each call waits unless told otherwise, in milliseconds; 0 for ever. Default 10,000. */
  timeout?: number;
  /** Longest map accepted, in bytes. Default 256 MiB. */
  maxMap?: number;
}

/** What {@linkcode connect} can be told. */
export interface ConnectOptions extends ClientOptions {
  /** The server's address. Default `"127.0.0.1"`. */
  hostname?: string;
  /** The server's port. Default 6789. */
  port?: number;
  /** A state to open with at once; without it the client is an observer until it opens or updates. */
  state?: string | Uint8Array;
  /** Stops the connecting when aborted. */
  signal?: AbortSignal;
}

/**
 * Connects to a server and, if there is a state, opens with it.
 *
 * @param options Where to connect to, and how
 * @returns The client, connected
 * @throws {TrackerError} CONNECTION_REFUSED when nothing listens there; CONNECTION_FAILED, PERMISSION_DENIED, TIMEOUT
 *   or ABORTED when it cannot connect; the server's own code when it refuses
 *
 * @example Report a state, change it, read the map
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = await connect({ port: server.addr.port, state: "idle" });
 * client.update("working");
 * assertEquals(await client.getText(), "{client1=working}");
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const { hostname = "127.0.0.1", port = DEFAULT_PORT, state, signal, timeout = DEFAULT_CALL_TIMEOUT } = options;
  const connection = await dial(hostname, port, signal, timeout);
  const client = new Client(connection, options);
  if (state === undefined) return client;
  try {
    await client.open(state, signal === undefined ? {} : { signal });
    return client;
  } catch (error) {
    client.abort();
    throw error;
  }
}

/**
 * Makes the connection alone, for a caller that puts something of its own between it and a {@linkcode Client}. It has
 * a deadline of its own: the system's is minutes.
 *
 * @param hostname The server's address
 * @param port The server's port
 * @param signal Stops the connecting when aborted
 * @param timeout How long to try, in milliseconds; 0 for as long as the system does
 * @returns The connection
 * @throws {TrackerError} As {@linkcode connect}
 */
export async function dial(
  hostname: string,
  port: number,
  signal: AbortSignal | undefined,
  timeout: number,
): Promise<Deno.TcpConn> {
  const address = formatAddress({ hostname, port });
  const late = new AbortController();
  const timer = timeout === 0 ? undefined : setTimeout(() => late.abort(), timeout);
  const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  try {
    either.throwIfAborted();
    const connection = await Deno.connect({ hostname, port, signal: either });
    setNoDelay(connection);
    return connection;
  } catch (cause) {
    if (signal?.aborted) {
      throw new TrackerError("ABORTED", `Cannot connect to ${address}: the call was aborted`, { cause: signal.reason });
    }
    if (late.signal.aborted) {
      throw new TrackerError("TIMEOUT", `Cannot connect to ${address}: no answer within ${timeout} ms`, { cause });
    }
    throw dialError(address, cause);
  } finally {
    clearTimeout(timer);
  }
}

function dialError(address: string, cause: unknown): TrackerError {
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new TrackerError("CONNECTION_REFUSED", `Cannot connect to ${address}: nothing listens there`, { cause });
  }
  if (cause instanceof Deno.errors.NotCapable) {
    const why = "Deno was not given the permission (-N grants it)";
    return new TrackerError("PERMISSION_DENIED", `Cannot connect to ${address}: ${why}`, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackerError("CONNECTION_FAILED", `Cannot connect to ${address}: ${why}`, { cause });
}

/** A call that waits for a reply. It keeps its place in the line even when nobody waits for it any more. */
interface Waiting {
  expected: Exclude<Expected, "nothing">;
  resolve: (payload: Uint8Array) => void;
  reject: (error: TrackerError) => void;
}

/** Messages that go out together, and the promise all their senders share. */
interface Batch {
  written: Promise<void>;
  /** The same within the client's own time limit, made once for all Updates that ask for no other. */
  inTime?: Promise<void>;
  resolve: () => void;
  reject: (error: TrackerError) => void;
}

/**
 * One connection to a server. Calls may overlap: messages go out in the order of the calls, many in one write, and
 * replies are matched to them in that order. When the connection ends, whatever waits is rejected.
 *
 * Get one from {@linkcode connect}, or construct it over any {@linkcode Duplex}.
 */
export class Client implements AsyncDisposable {
  /** Resolves when the connection has ended, for whatever reason; `error` then tells which. Never rejects. */
  readonly finished: Promise<void>;
  readonly #duplex: Duplex;
  readonly #encoder: MessageEncoder;
  readonly #parser: ReplyParser;
  readonly #timeout: number;
  readonly #waiting: Waiting[] = [];
  #output = new Uint8Array(SMALLEST_BUFFER);
  #outputLength = 0;
  #batch: Batch | null = null;
  #writing = false;
  #error: TrackerError | null = null;
  #closing: Promise<void> | null = null;
  #leaving = false;
  #closed = false;

  /**
   * Starts a client on a connection that is established.
   *
   * @param duplex The connection; the client closes it in the end
   * @param options The dialect and limits
   */
  constructor(duplex: Duplex, options: ClientOptions = {}) {
    this.#duplex = duplex;
    this.#encoder = new MessageEncoder(options.dialect);
    this.#parser = new ReplyParser(options);
    this.#timeout = options.timeout ?? DEFAULT_CALL_TIMEOUT;
    this.finished = this.#read();
  }

  /** The dialect this client speaks. */
  get dialect(): Dialect {
    return this.#encoder.dialect;
  }

  /** What ended the connection, or `null` while it lasts and after an orderly {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
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
    await this.#ask("open", OPEN, "done", options, toBytes(state));
  }

  /**
   * Replaces this client's state; the first one enters it in the map. The server does not answer an Update, so a
   * refusal shows in the next call and in `finished`. A caller need not wait: a promise left alone does not count as
   * an unhandled rejection, and many Updates called in a row go out in one write.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting
   * @returns Resolves when the system has taken the bytes
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
    return this.#ask("get", GET, "map", options);
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
   * Leaves the map and closes the connection. Calling it again, or after the connection has ended, is safe.
   *
   * @param options When to stop waiting; the connection is closed in any case
   * @returns Resolves when the connection is closed
   * @throws {TrackerError} TIMEOUT, ABORTED, or what broke the connection before the server had answered
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(options);
  }

  /** Ends the connection at once. The server takes the client out of the map as soon as it notices. */
  abort(): void {
    this.#fail(closedError("go on", "the client was aborted"));
  }

  /** Closes the client; a connection that is broken already is left at that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
    await this.finished;
  }

  async #close(options: CallOptions): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#ask("close", CLOSE, "done", options);
      this.#shut();
    } finally {
      this.abort();
    }
    await this.finished;
  }

  #update(state: Uint8Array, options: CallOptions): Promise<void> {
    if (this.#encoder.carrierOf(state) === OPEN) {
      return this.#ask("update", OPEN, "done", options, state).then(ignore);
    }
    try {
      options.signal?.throwIfAborted();
      const batch = this.#send("update", UPDATE, state);
      if (options !== UNBOUNDED) return this.#within("update", batch.written, options);
      return batch.inTime ??= this.#within("update", batch.written, options);
    } catch (error) {
      return Promise.reject(error instanceof TrackerError ? error : abortedError("update", options.signal));
    }
  }

  /** Sends a message that will be answered, and waits for the answer. */
  #ask(
    call: string,
    type: MessageType,
    expected: Waiting["expected"],
    options: CallOptions,
    state?: Uint8Array,
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    try {
      options.signal?.throwIfAborted();
      this.#send(call, type, state);
      this.#waiting.push({ expected, resolve, reject });
    } catch (error) {
      reject(error instanceof TrackerError ? error : abortedError(call, options.signal));
    }
    return this.#within(call, promise, options);
  }

  /** Puts a message into the batch that goes out next. */
  #send(call: string, type: MessageType, state?: Uint8Array): Batch {
    if (this.#closed || this.#leaving) throw this.#error ?? closedError(call, "the client is closed");
    const size = this.#encoder.sizeOf(type, state);
    // A Close ends the waiting of all the others: it is always let through.
    if (this.#outputLength + size > MAX_BUFFERED && this.#outputLength !== 0 && type !== CLOSE) {
      const why = `the server does not read, and ${this.#outputLength} bytes wait already`;
      throw new TrackerError("BUFFER_FULL", `Cannot ${call}: ${why}; wait for earlier calls before making more`);
    }
    this.#leaving = type === CLOSE;
    this.#reserve(size);
    this.#outputLength = this.#encoder.encodeInto(this.#output, this.#outputLength, type, state);
    this.#batch ??= createBatch();
    if (!this.#writing) {
      this.#writing = true;
      // A microtask later every call of this turn has added its message.
      queueMicrotask(() => void this.#write());
    }
    return this.#batch;
  }

  #reserve(bytes: number): void {
    const needed = this.#outputLength + bytes;
    if (needed <= this.#output.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#output.length * 2));
    larger.set(this.#output.subarray(0, this.#outputLength));
    this.#output = larger;
  }

  /** The only writer of the connection. While one batch is written the next gathers. */
  async #write(): Promise<void> {
    let spare = EMPTY;
    while (this.#batch !== null && !this.#closed) {
      const batch = this.#batch;
      const output = this.#output;
      const bytes = output.subarray(0, this.#outputLength);
      this.#batch = null;
      this.#output = spare;
      this.#outputLength = 0;
      try {
        await writeAll(this.#duplex, bytes);
        batch.resolve();
      } catch (cause) {
        // The reader hears of it as well, and may hold the server's own word on why: it decides.
        batch.reject(await this.#brokenBy(cause));
      }
      spare = output;
    }
    this.#writing = false;
  }

  /** Waits for the reader to have read what the server said last, then tells what ended the connection. */
  async #brokenBy(cause: unknown): Promise<TrackerError> {
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
      for (;;) {
        const count = await this.#duplex.read(length === 0 ? buffer : buffer.subarray(length));
        if (count === null) break;
        const rest = this.#dispatch(buffer, length += count);
        buffer = makeRoom(buffer, length - rest, length, this.#parser.needed);
        length = rest;
      }
      this.#fail(closedError("go on", "the server closed the connection"));
    } catch (cause) {
      this.#fail(cause instanceof TrackerError ? cause : brokenError(cause));
    }
  }

  /** Takes the replies out of the buffer and returns how many bytes of it are left over. */
  #dispatch(buffer: Uint8Array, length: number): number {
    let from = 0;
    while (from < length) {
      const waiting = this.#waiting[0];
      const token = this.#parser.next(buffer, from, length, waiting?.expected ?? "nothing");
      if (token === NEED_MORE) break;
      if (token === INVALID || token === REPLY_ERROR) throw this.#parser.error;
      const { payloadStart, payloadEnd, position } = this.#parser;
      this.#waiting.shift();
      if (token === REPLY_DONE) waiting?.resolve(EMPTY);
      else if (token === REPLY_MAP) waiting?.resolve(buffer.slice(payloadStart, payloadEnd));
      from = position;
    }
    return length - from;
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
    this.#duplex.close();
    const error = this.#error ?? closedError("go on", "the client is closed");
    this.#batch?.reject(error);
    this.#batch = null;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Bounds a call in time. Giving up leaves its place in the line of replies, so the others still match. */
  #within<T>(call: string, result: Promise<T>, options: CallOptions): Promise<T> {
    const { signal, timeout = this.#timeout } = options;
    if (signal === undefined && timeout === 0) return result;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = () => reject(abortedError(call, signal));
    const timer = timeout === 0 ? undefined : setTimeout(() => {
      reject(new TrackerError("TIMEOUT", `Cannot ${call}: no answer within ${timeout} ms`));
    }, timeout);
    signal?.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    });
  }
}

/** How long a client whose writing failed goes on reading for the server's last words, in milliseconds. */
const LAST_WORDS = 1_000;

const EMPTY = new Uint8Array(0);

/** Stands for "no options" and is told apart by identity: Updates that ask for nothing of their own share a timer. */
const UNBOUNDED: CallOptions = Object.freeze({});

function ignore(): void {}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Senders that do not wait must not turn a broken connection into an unhandled rejection.
  promise.catch(ignore);
  return { written: promise, resolve, reject };
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

function toBytes(state: string | Uint8Array): Uint8Array {
  return typeof state === "string" ? new TextEncoder().encode(state) : state;
}

function abortedError(call: string, signal: AbortSignal | undefined): TrackerError {
  return new TrackerError("ABORTED", `Cannot ${call}: the call was aborted`, { cause: signal?.reason });
}

function closedError(call: string, why: string): TrackerError {
  return new TrackerError("CONNECTION_CLOSED", `Cannot ${call}: ${why}`);
}

function brokenError(cause: unknown): TrackerError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackerError("CONNECTION_FAILED", `Cannot go on: the connection broke (${why})`, { cause });
}
