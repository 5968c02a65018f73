/**
 * A client's life on one connection after the other.
 *
 * @module
 */

import { ignore, timeLeft } from "../base/async.ts";
import { randomHex } from "../base/bytes.ts";
import { Listeners } from "../base/listeners.ts";
import { isTransient, type TrackerError } from "../errors.ts";
import { HEARTBEAT_PATIENCE } from "../protocol.ts";
import type { Greeting, HelloRequest } from "../wire/requests.ts";
import { Backoff } from "./backoff.ts";
import {
  abortedError,
  badArgument,
  bounded,
  brokenError,
  type CallOptions,
  closedError,
  DEFAULT_CALL_TIMEOUT,
} from "./calls.ts";
import type { Connection } from "./connection.ts";
import { establish, type EstablishOptions } from "./establish.ts";
import type { LatestState } from "./latest_state.ts";
import { type ClientOptions, heartbeatOf, helloOf } from "./options.ts";
import type { ClientStatus, StatusChange } from "./status.ts";
import { currentToken, type TokenSource } from "./token_source.ts";
import type { WatchSource } from "./watch.ts";

/** Random bytes in what tells a client from others. */
const INSTANCE_BYTES = 16;

/** Shortest time that a name which another connection has is asked for again, in milliseconds. */
const LEAST_TAKEN_PATIENCE = 15_000;

/** How much longer that is than it takes a server to give a dead connection up, in milliseconds. */
const TAKEN_MARGIN = 5_000;

/** How long a client asks again for its name: a machine that lost its power meets the connection that it had before. */
function takenPatienceOf(heartbeat: number): number {
  return Math.max(LEAST_TAKEN_PATIENCE, heartbeat * 1_000 * HEARTBEAT_PATIENCE + TAKEN_MARGIN);
}

/** Connects, stays, loses the connection, backs off and connects again, and announces each step. */
export class Reconnector {
  /** Resolves when it has connected for the first time; rejects if it ends before. */
  readonly connected: Promise<void>;
  /** Resolves when it has ended. Never rejects. */
  readonly finished: Promise<void>;
  /** How watches connect. */
  readonly source: WatchSource;
  readonly #link: EstablishOptions;
  readonly #hello: HelloRequest | null;
  readonly #reconnect: NonNullable<ClientOptions["reconnect"]>;
  readonly #latest: LatestState;
  readonly #listeners = new Listeners<StatusChange>();
  readonly #stop = new AbortController();
  /** What tells this client from others on every connection. */
  readonly #instance = randomHex(INSTANCE_BYTES);
  /** How many connections it has greeted the server on. */
  #attempts = 0;
  readonly #backoff: Backoff;
  readonly #token: TokenSource;
  /** How long a token that may be replaced is shown again after it was refused, in milliseconds. */
  readonly #denialPatience: number;
  #status: ClientStatus = "connecting";
  #error: TrackerError | null = null;
  #connection: Connection | null = null;
  #ready = createReady();
  #greeting: Greeting | null = null;
  #leaving: Promise<void> | null = null;
  /** The connection's last promise for an Update, and the one the caller got in its place. */
  #sent: Promise<void> | null = null;
  #forgiven: Promise<void> | null = null;

  /**
   * Starts connecting.
   *
   * @param options Where to, and how
   * @param latest The state to open with, on every connection
   * @throws {TrackerError} BAD_ARGUMENT when an option is invalid
   */
  constructor(options: ClientOptions, latest: LatestState) {
    const { dial, reconnect = false, timeout = DEFAULT_CALL_TIMEOUT } = options;
    if (typeof dial !== "function") throw badArgument("connect", "it has no dial; make one with dialer()");
    const heartbeat = heartbeatOf(options);
    this.#link = { dial, connection: options, timeout, heartbeat };
    this.#hello = helloOf(options, heartbeat);
    this.#reconnect = reconnect;
    this.#latest = latest;
    this.#token = options.token;
    const patience = takenPatienceOf(heartbeat);
    const denied = typeof options.token === "function" ? patience : 0;
    this.#backoff = new Backoff(reconnect, { taken: this.#hello?.name === undefined ? 0 : patience, denied });
    this.#denialPatience = denied;
    if (options.onStatus !== undefined) this.#listeners.add(options.onStatus);
    this.connected = this.#ready.promise.then(ignore);
    this.connected.catch(ignore);
    this.finished = this.#run(options.signal);
    this.source = this.#createSource();
  }

  /** The current status. */
  get status(): ClientStatus {
    return this.#status;
  }

  /** What broke the last connection or attempt; `null` while it is open and after an orderly end. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** The current connection; `null` while there is none. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** The server's answer to the last Hello; `null` before, and without one. */
  get greeting(): Greeting | null {
    return this.#greeting;
  }

  /** Whether a connection is to come that has to be told the latest state. */
  get willConnect(): boolean {
    return this.#reconnect !== false || this.#status === "connecting";
  }

  /** Calls a function with each new status, until the returned function is called. */
  onStatus(listener: (change: StatusChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Makes a call that needs an answer, on the next connection if there is none now.
   *
   * @param call What the call does
   * @param options When to stop waiting for the connection and for the answer together
   * @param ask Makes the call, with what is left of the time
   * @returns The answer
   * @throws {TrackerError} TIMEOUT, ABORTED, what ended the client, or whatever the call rejects with
   */
  async call<T>(
    call: string,
    options: CallOptions,
    ask: (connection: Connection, rest: CallOptions) => Promise<T>,
  ): Promise<T> {
    // Called before anything is awaited, so that calls keep their order.
    if (this.#connection !== null) return await ask(this.#connection, options);
    const { signal, timeout = this.#link.timeout } = options;
    const start = performance.now();
    const connection = await this.reach(call, options);
    return await ask(connection, { signal, timeout: timeLeft(timeout, start) });
  }

  /**
   * Waits for a connection.
   *
   * @param call What it is needed for
   * @param options When to stop waiting
   * @returns The connection
   * @throws {TrackerError} TIMEOUT, ABORTED, or what ended the client
   */
  async reach(call: string, options: CallOptions): Promise<Connection> {
    if (this.#status === "closed") throw this.closedError(call);
    return await bounded(call, this.#ready.promise, options, this.#link.timeout);
  }

  /**
   * Forgives an Update that was under way when the connection broke, if the client comes back: the state is kept.
   * Updates of one turn share a promise, and the forgiven one too.
   *
   * @param sent The connection's promise
   * @param connection The connection
   * @returns The promise for the caller
   */
  forgive(sent: Promise<void>, connection: Connection): Promise<void> {
    if (!this.#reconnect) return sent;
    if (sent === this.#sent && this.#forgiven !== null) return this.#forgiven;
    this.#sent = sent;
    return this.#forgiven = sent.catch((error) => {
      const lost = connection.error;
      if (lost === null || !isTransient(lost.code) || this.#isEnding) throw error;
    });
  }

  /**
   * Ends for good. Repeated calls share the result of the first.
   *
   * @param leave Ends the current connection, if there is one
   * @returns Resolves when it has ended
   * @throws {TrackerError} Whatever `leave` rejects with
   */
  leave(leave: (connection: Connection) => Promise<void>): Promise<void> {
    return this.#leaving ??= this.#leave(leave);
  }

  /** Ends at once. */
  abort(): void {
    const error = closedError("go on", "the client was aborted");
    this.#stop.abort(error);
    this.#connection?.abort(error);
  }

  /** Creates the error of a call on a client that has ended. */
  closedError(call: string): TrackerError {
    return this.#error ?? closedError(call, "the client is closed");
  }

  get #isEnding(): boolean {
    return this.#stop.signal.aborted || this.#leaving !== null;
  }

  async #leave(leave: (connection: Connection) => Promise<void>): Promise<void> {
    try {
      if (this.#connection !== null) await leave(this.#connection);
    } finally {
      this.#stop.abort(null);
      await this.finished;
    }
  }

  /** Uses one connection after the other, until it is closed or an error does not pass. */
  async #run(signal: AbortSignal | undefined): Promise<void> {
    const { signal: stop } = this.#stop;
    // The caller's signal stops only the first connecting.
    let connecting = signal === undefined ? stop : AbortSignal.any([stop, signal]);
    try {
      for (;;) {
        const error = await this.#stay(connecting, () => {
          this.#backoff.opened();
          connecting = stop;
        });
        if (error === null || this.#isEnding) return this.#end(error);
        this.#lose(error);
        await this.#backoff.pause(error, connecting);
      }
    } catch (error) {
      this.#end(stop.aborted ? stop.reason : brokenError(error));
    }
  }

  /** Connects, and stays for as long as the connection lasts. Returns what ended or prevented it. */
  async #stay(signal: AbortSignal, onOpen: () => void): Promise<TrackerError | null> {
    let connection: Connection | null = null;
    try {
      const made = await establish(this.#link, (connection, call) => this.#greet(connection, call), signal);
      connection = made.connection;
      // States reported during the greeting. Only once, or a busy client would never be done.
      if (!this.#latest.isTold) await this.#latest.openOn(connection, { signal });
      // A greeting that sends nothing does not notice.
      if (signal.aborted) throw abortedError("connect", signal);
      this.#enter(connection, made.greeting);
    } catch (error) {
      connection?.abort();
      if (this.#stop.signal.aborted) throw error;
      return brokenError(error);
    }
    onOpen();
    await connection.finished;
    return connection.error;
  }

  /** Sends the Hello and the latest state in one write. */
  async #greet(connection: Connection, call: CallOptions): Promise<Greeting | null> {
    const hello = this.#hello === null ? null : await currentToken(this.#token, this.#hello);
    const greeting = hello === null ? null : connection.hello(this.#nextHello(hello), call);
    const [answer] = await Promise.all([greeting, this.#latest.openOn(connection, call)]);
    return answer;
  }

  /** A client that comes back says so, and takes nothing over from another that may have its name by now. */
  #nextHello({ takeover, ...hello }: HelloRequest): HelloRequest {
    if (hello.name === undefined) return hello;
    const attempt = ++this.#attempts;
    const isFirst = this.#greeting === null && takeover !== undefined;
    return { ...hello, ...isFirst && { takeover }, instance: this.#instance, attempt };
  }

  #enter(connection: Connection, greeting: Greeting | null): void {
    this.#connection = connection;
    this.#greeting = greeting;
    this.#latest.updateOn(connection);
    this.#ready.resolve(connection);
    this.#announce("open", null);
  }

  #lose(error: TrackerError): void {
    const wasOpen = this.#connection !== null;
    this.#connection = null;
    if (wasOpen) this.#ready = createReady();
    // If it does not come back, the next announcement is its end.
    if (this.#backoff.passes(error)) this.#announce(wasOpen ? "reconnecting" : this.#status, error);
  }

  #end(error: TrackerError | null): void {
    this.#connection = null;
    this.#announce("closed", error);
    this.#ready.reject(this.closedError("go on"));
    this.#stop.abort(error);
  }

  #announce(status: ClientStatus, error: TrackerError | null): void {
    this.#status = status;
    this.#error = error;
    this.#listeners.notify({ status, error });
  }

  #createSource(): WatchSource {
    const { token, heartbeat } = this.#hello ?? {};
    const hello = { ...token !== undefined && { token }, ...heartbeat !== undefined && { heartbeat } };
    return {
      link: this.#link,
      hello: () => currentToken(this.#token, hello),
      isExtended: this.#hello !== null,
      backoff: () => new Backoff(this.#reconnect, { denied: this.#denialPatience }),
      stop: this.#stop.signal,
      ended: this.finished.then(() => this.#error),
    };
  }
}

function createReady(): PromiseWithResolvers<Connection> {
  const ready = Promise.withResolvers<Connection>();
  ready.promise.catch(ignore);
  return ready;
}
