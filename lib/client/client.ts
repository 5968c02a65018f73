/**
 * The client: what a program that reports to a server holds on to, whatever becomes of the connection.
 *
 * @module
 */

import { Backoff, type ReconnectOptions } from "./backoff.ts";
import { abortedError, bounded, brokenError, type CallOptions, closedError, DEFAULT_CALL_TIMEOUT } from "./calls.ts";
import { MessageEncoder } from "../codec.ts";
import type { Connection } from "./connection.ts";
import { isTransient, TrackerError } from "../errors.ts";
import { type ClientOptions, heartbeatOf, helloOf } from "./options.ts";
import { ignore } from "../base/async.ts";
import { toBytes } from "../base/bytes.ts";
import type { ListReply } from "../wire/list.ts";
import { establish, type EstablishOptions } from "./establish.ts";
import { Mirror, type MirrorOptions } from "./mirror.ts";
import type { Stats } from "../wire/stats.ts";
import { type Dialect, OPEN } from "../protocol.ts";
import type { Greeting, HelloRequest, PrefixRequest } from "../wire/requests.ts";
import { Watch, type WatchOptions, type WatchSource } from "./watch.ts";

/**
 * How a client is: connecting for the first time, connected, connecting again, or ended for good.
 */
export type ClientStatus = "connecting" | "open" | "reconnecting" | "closed";

/** A client's new status. */
export interface StatusChange {
  /** What it is now. */
  status: ClientStatus;
  /** Why it is not open; `null` when it is, and after an orderly close. */
  error: TrackerError | null;
}

/**
 * A client of a server. Unless told to `reconnect` it is one connection, and ends with that. Otherwise it comes back
 * whenever the connection is lost, with its name and its latest state, until it is closed or the server refuses it.
 *
 * While there is no connection, `update` and `open` keep the latest state, and calls that need an answer wait for as
 * long as their time limit allows. A call that was on its way when the connection broke rejects: only the caller knows
 * whether to make it again.
 *
 * Get one from `connect`. Made with `new` it connects as well, but nobody waits for that, and it has to be told how: see
 * `dialer`.
 *
 * @example A client that outlives its server
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * const first = serve({ port: 0 });
 * const { port } = first.addr;
 * await using client = await connect({ port, name: "pi-7", state: "on", reconnect: { base: 10 } });
 * await first.shutdown();
 * client.update("back");
 * await using second = serve({ port });
 * assertEquals(await client.getText(), "{pi-7=back}");
 * assertEquals(second.registry.size, 1);
 * ```
 */
export class Client implements AsyncDisposable {
  /** Resolves when the client has connected for the first time; rejects when it ended before. */
  readonly connected: Promise<void>;
  /** Resolves when the client has ended for good; `error` then tells why. Never rejects. */
  readonly finished: Promise<void>;
  readonly #link: EstablishOptions;
  readonly #hello: HelloRequest | null;
  readonly #reconnect: boolean | ReconnectOptions;
  readonly #ruler: MessageEncoder;
  readonly #source: WatchSource;
  readonly #listeners = new Set<(change: StatusChange) => void>();
  readonly #stop = new AbortController();
  #status: ClientStatus = "connecting";
  #error: TrackerError | null = null;
  #connection: Connection | null = null;
  #ready = createReady();
  #greeting: Greeting | null = null;
  #closing: Promise<void> | null = null;
  /** The latest state, how many came before it, and up to which one the server was told. */
  #state: Uint8Array | null = null;
  #version = 0;
  #told = 0;
  /** The last promise of the connection for an Update, and what the caller got in its place. */
  #sent: Promise<void> | null = null;
  #excused: Promise<void> | null = null;

  /**
   * Starts connecting.
   *
   * @param options Where to, and how
   * @throws {TrackerError} BAD_ARGUMENT when they make no sense
   */
  constructor(options: ClientOptions) {
    const { reconnect = false, timeout = DEFAULT_CALL_TIMEOUT } = options;
    this.#reconnect = reconnect;
    const heartbeat = heartbeatOf(options);
    this.#link = { dial: options.dial, connection: options, timeout, heartbeat };
    this.#hello = helloOf(options, heartbeat);
    this.#ruler = new MessageEncoder(options.dialect);
    if (options.state !== undefined) this.#keep(options.state, this.#measure("open", options.state));
    const backoff = new Backoff(reconnect);
    this.connected = this.#ready.promise.then(ignore);
    this.connected.catch(ignore);
    this.finished = this.#run(backoff, options.signal);
    this.#source = this.#createSource();
  }

  /** The dialect this client speaks. */
  get dialect(): Dialect {
    return this.#ruler.dialect;
  }

  /** How the client is. */
  get status(): ClientStatus {
    return this.#status;
  }

  /** Why the client is not open: what broke the last connection or attempt. `null` after an orderly {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** The client's name in the map; `null` when it has asked for none, or is not connected yet. */
  get id(): string | null {
    return this.#greeting?.id ?? null;
  }

  /** What the server answered to the last Hello; `null` before, and without one. */
  get greeting(): Greeting | null {
    return this.#greeting;
  }

  /**
   * Calls a function whenever the status changes, and when another attempt has failed.
   *
   * @param listener Called with the new status
   * @returns Call it to hear no more
   */
  onStatus(listener: (change: StatusChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Enters the map with a state, or replaces the state of a client that has entered it.
   *
   * In the compact dialect an empty first state takes up to 500 ms: only silence tells the server that it is one.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting
   * @returns Resolves when the server has taken it, or a later one
   * @throws {TrackerError} STATE_TOO_LARGE, TIMEOUT, ABORTED, BUFFER_FULL, CONNECTION_CLOSED, or the server's code
   */
  async open(state: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    const bytes = this.#measure("open", state);
    this.#keep(state, bytes);
    if (this.#connection !== null) return await this.#connection.open(bytes, options);
    // Whatever connects next opens with it.
    await this.#reach("open", options);
  }

  /**
   * Replaces this client's state; the first one enters it in the map. The server does not answer an Update, so a
   * refusal shows in the next call and in `finished`. A caller need not wait: a promise left alone does not count as
   * an unhandled rejection, and many Updates called in a row go out in one write.
   *
   * While there is no connection the latest state is kept, and the client opens with it when it is back.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting
   * @returns Resolves when the system has taken the bytes, or they are kept
   * @throws {TrackerError} STATE_TOO_LARGE, TIMEOUT, ABORTED, BUFFER_FULL, or what ended the client
   */
  update(state: string | Uint8Array, options?: CallOptions): Promise<void> {
    const sent = this.#update(state, options);
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
    return this.#call("get", options, (connection, rest) => connection.get(rest));
  }

  /**
   * Reads the flattened map as text. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param options When to stop waiting
   * @returns The map
   * @throws {TrackerError} As {@linkcode get}
   */
  getText(options: CallOptions = {}): Promise<string> {
    return this.#call("get", options, (connection, rest) => connection.getText(rest));
  }

  /**
   * Reads the clients as records, which no state can forge. Needs the Hello.
   *
   * @param options `prefix`: only clients whose identifier begins with it; and when to stop waiting
   * @returns The clients, in the order they opened, and the revision of the map they show
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  async list(options: PrefixRequest & CallOptions = {}): Promise<ListReply> {
    this.#requireHello("list");
    return await this.#call("list", options, (connection, rest) => connection.list({ ...options, ...rest }));
  }

  /**
   * Asks for a sign of life. Needs the Hello.
   *
   * @param options When to stop waiting
   * @returns How long the answer took, in milliseconds
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  async ping(options: CallOptions = {}): Promise<number> {
    this.#requireHello("ping");
    return await this.#call("ping", options, (connection, rest) => connection.ping(rest));
  }

  /**
   * Asks how the server is doing. Needs the Hello.
   *
   * @param options When to stop waiting
   * @returns What it has counted since it started, and what it holds now
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  async stats(options: CallOptions = {}): Promise<Stats> {
    this.#requireHello("ask for stats");
    return await this.#call("ask for stats", options, (connection, rest) => connection.stats(rest));
  }

  /**
   * Watches the map, on a connection of its own. Needs the Hello. See {@linkcode MapEvent} for what is told.
   *
   * @param options Whom to watch, and since when
   * @returns The watch, which begins when it is read
   *
   * @example Hear of whoever comes
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * await using client = await connect({ port: server.addr.port, state: "watching" });
   * const kinds: string[] = [];
   * for await (const event of client.watch()) {
   *   kinds.push(event.kind);
   *   if (event.kind === "synced") client.update("still watching");
   *   if (event.kind === "update") break;
   * }
   * assertEquals(kinds, ["snapshot", "present", "synced", "update"]);
   * ```
   */
  watch(options: WatchOptions = {}): Watch {
    return new Watch(this.#source, options);
  }

  /**
   * Keeps a live copy of the map, by way of a {@linkcode watch}. Needs the Hello.
   *
   * @param options Whom to watch
   * @returns The copy, which shows the map once it is `synced`
   *
   * @example A copy that follows
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * await using client = await connect({ port: server.addr.port, name: "pi-7", state: "idle" });
   * await using mirror = client.mirror({ prefix: "pi-" });
   * await mirror.synced;
   * assertEquals(mirror.getText("pi-7"), "idle");
   *
   * const changed = new Promise((resolve) => mirror.subscribe(resolve));
   * client.update("working");
   * await changed;
   * assertEquals(mirror.getText("pi-7"), "working");
   * ```
   */
  mirror(options: MirrorOptions = {}): Mirror {
    return new Mirror(this.watch(options));
  }

  /**
   * Leaves the map and closes the connection, and with it all watches. Calling it again, or after the client has ended,
   * is safe. A client that has no connection just then ends without a word: the server keeps a named one for its grace.
   *
   * @param options When to stop waiting; the client ends in any case
   * @returns Resolves when the client has ended
   * @throws {TrackerError} TIMEOUT, ABORTED, or what broke the connection before the server had answered
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#closing ??= this.#part((connection) => connection.close(options));
  }

  /**
   * Ends the client without a Close: the server keeps the entry of a named one for its grace, as if the connection had
   * been lost. Needs the Hello. Calling it again, or after the client has ended, is safe.
   *
   * @param options When to stop waiting; the client ends in any case
   * @returns Resolves when the server has taken all that was sent, and has noticed the end
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, TIMEOUT, ABORTED, or what broke the connection before
   *
   * @example A state that stays
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * const client = await connect({ port: server.addr.port, name: "backup", state: "done", grace: 3_600 });
   * await client.detach();
   * assertEquals(server.registry.get("backup")?.status, "suspect");
   * ```
   */
  async detach(options: CallOptions = {}): Promise<void> {
    this.#requireHello("detach");
    await (this.#closing ??= this.#part((connection) => connection.detach(options)));
  }

  /** Ends the client at once. The server takes it out of the map as soon as it notices. */
  abort(): void {
    const error = closedError("go on", "the client was aborted");
    this.#stop.abort(error);
    this.#connection?.abort(error);
  }

  /** Closes the client; one that has ended already is left at that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(ignore);
    await this.finished;
  }

  async #part(leave: (connection: Connection) => Promise<void>): Promise<void> {
    try {
      if (this.#connection !== null) await leave(this.#connection);
    } finally {
      this.#stop.abort(null);
      await this.finished;
    }
  }

  #update(state: string | Uint8Array, options: CallOptions | undefined): Promise<void> {
    try {
      if (options?.signal?.aborted) throw abortedError("update", options.signal);
      const bytes = this.#measure("update", state);
      this.#keep(state, bytes);
      const connection = this.#connection;
      if (connection !== null) return this.#excuse(connection.update(bytes, options), connection);
      if (this.#status === "closed") throw this.#closedError("update");
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Of an Update that was on its way when the connection broke, the state is kept: no failure, if the client comes back.
   * Updates of one turn share a promise, and so do their excuses.
   */
  #excuse(sent: Promise<void>, connection: Connection): Promise<void> {
    if (!this.#reconnect) return sent;
    if (sent === this.#sent && this.#excused !== null) return this.#excused;
    this.#sent = sent;
    return this.#excused = sent.catch((error) => {
      const lost = connection.error;
      if (lost === null || !isTransient(lost.code) || this.#isEnding) throw error;
    });
  }

  /** The bytes of a state, if they can be sent: too long a one would end the client for good. */
  #measure(call: string, state: string | Uint8Array): Uint8Array {
    const bytes = toBytes(state);
    this.#ruler.sizeOf(OPEN, bytes);
    const limit = this.#greeting?.maxState ?? Infinity;
    if (bytes.length <= limit) return bytes;
    const why = `${bytes.length} bytes is above the server's limit of ${limit}`;
    throw new TrackerError("STATE_TOO_LARGE", `Cannot ${call}: ${why}`);
  }

  /** Remembers a state for the next connection, if there can be one. */
  #keep(state: string | Uint8Array, bytes: Uint8Array): void {
    if (!this.#reconnect && this.#status !== "connecting") return;
    // The caller's bytes are the caller's to change.
    this.#state = state === bytes ? bytes.slice() : bytes;
    this.#version++;
  }

  /** Makes a call that needs an answer, on the next connection if there is none now. */
  async #call<T>(
    call: string,
    options: CallOptions,
    ask: (connection: Connection, rest: CallOptions) => Promise<T>,
  ): Promise<T> {
    // Called before anything is waited for, so that calls keep their order.
    if (this.#connection !== null) return await ask(this.#connection, options);
    const { signal, timeout = this.#link.timeout } = options;
    const start = performance.now();
    const connection = await this.#reach(call, options);
    const rest = timeout === 0 ? 0 : Math.max(1, timeout - (performance.now() - start));
    return await ask(connection, { signal, timeout: rest });
  }

  async #reach(call: string, options: CallOptions): Promise<Connection> {
    if (this.#status === "closed") throw this.#closedError(call);
    return await bounded(call, this.#ready.promise, options, this.#link.timeout);
  }

  #requireHello(call: string): void {
    if (this.#hello !== null) return;
    throw new TrackerError("BAD_ARGUMENT", `Cannot ${call}: the client did not begin with a Hello`);
  }

  #closedError(call: string): TrackerError {
    return this.#error ?? closedError(call, "the client is closed");
  }

  get #isEnding(): boolean {
    return this.#stop.signal.aborted || this.#closing !== null;
  }

  /** Lives on one connection after the other, for as long as it makes sense. */
  async #run(backoff: Backoff, signal: AbortSignal | undefined): Promise<void> {
    const { signal: stop } = this.#stop;
    // The caller's signal stops only the first connecting.
    let connecting = signal === undefined ? stop : AbortSignal.any([stop, signal]);
    try {
      for (;;) {
        const error = await this.#live(connecting, () => {
          backoff.opened();
          connecting = stop;
        });
        if (error === null || this.#isEnding) return this.#end(error);
        this.#lose(error);
        await backoff.pause(error, connecting);
      }
    } catch (error) {
      this.#end(stop.aborted ? stop.reason : brokenError(error));
    }
  }

  /** Connects, and stays for as long as the connection lasts. Returns what ended it, or kept it from coming about. */
  async #live(signal: AbortSignal, onOpen: () => void): Promise<TrackerError | null> {
    let connection: Connection | null = null;
    try {
      const made = await establish(this.#link, (connection, call) => this.#greet(connection, call), signal);
      connection = made.connection;
      // What was reported while the server was greeted; once only, or a busy client would never be done.
      if (this.#told !== this.#version) await this.#tell(connection, { signal });
      // A greeting that says nothing does not notice.
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

  /** Says who it is and what its state is, in one write. */
  async #greet(connection: Connection, call: CallOptions): Promise<Greeting | null> {
    const greeting = this.#hello === null ? null : connection.hello(this.#nextHello(this.#hello), call);
    const [answer] = await Promise.all([greeting, this.#tell(connection, call)]);
    return answer;
  }

  async #tell(connection: Connection, call: CallOptions): Promise<void> {
    const version = this.#version;
    if (this.#state !== null) await connection.open(this.#state, call);
    this.#told = version;
  }

  /** Coming back it shows its key; it takes nothing over from whoever may have its name by now. */
  #nextHello(hello: HelloRequest): HelloRequest {
    if (this.#greeting === null) return hello;
    const { takeover: _, ...rest } = hello;
    return this.#greeting.resume === null ? rest : { ...rest, resume: this.#greeting.resume };
  }

  #enter(connection: Connection, greeting: Greeting | null): void {
    this.#connection = connection;
    this.#greeting = greeting;
    if (this.#told !== this.#version && this.#state !== null) connection.update(this.#state);
    this.#ready.resolve(connection);
    this.#announce("open", null);
  }

  #lose(error: TrackerError): void {
    const wasOpen = this.#connection !== null;
    this.#connection = null;
    if (wasOpen) this.#ready = createReady();
    // If it is not to come back, the next thing to be told is that it has ended.
    if (this.#reconnect && isTransient(error.code)) this.#announce(wasOpen ? "reconnecting" : this.#status, error);
  }

  #end(error: TrackerError | null): void {
    this.#connection = null;
    this.#announce("closed", error);
    this.#ready.reject(this.#closedError("go on"));
    this.#stop.abort(error);
  }

  /** A listener that throws is its owner's fault: it stops neither the others nor the client. */
  #announce(status: ClientStatus, error: TrackerError | null): void {
    this.#status = status;
    this.#error = error;
    for (const listener of this.#listeners) {
      try {
        listener({ status, error });
      } catch (error) {
        reportError(error);
      }
    }
  }

  #createSource(): WatchSource {
    const { token, heartbeat } = this.#hello ?? {};
    return {
      link: this.#link,
      hello: { ...token !== undefined && { token }, ...heartbeat !== undefined && { heartbeat } },
      isExtended: this.#hello !== null,
      backoff: () => new Backoff(this.#reconnect),
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
