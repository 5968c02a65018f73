/**
 * The client: reports a state to a server, and reads the map, whatever becomes of the connection.
 *
 * @module
 */

import { DEFAULT_MAX_MAP } from "../wire/replies.ts";
import { ignore } from "../base/async.ts";
import type { TrackerError } from "../errors.ts";
import type { Dialect } from "../protocol.ts";
import type { Greeting } from "../wire/requests.ts";
import { abortedError, badArgument, type CallOptions } from "./calls.ts";
import { ClientCalls } from "./client_calls.ts";
import type { Connection } from "./connection.ts";
import { LatestState } from "./latest_state.ts";
import { Mirror, type MirrorOptions } from "./mirror.ts";
import type { ClientOptions } from "./options.ts";
import { Reconnector } from "./reconnector.ts";
import type { ClientStatus, StatusChange } from "./status.ts";
import { Watch, type WatchOptions } from "./watch.ts";

/**
 * A client of a server. Without `reconnect` it is one connection, and ends with that. Otherwise it comes back whenever
 * the connection is lost, with its name and its latest state, until it is closed or the server refuses it.
 *
 * While there is no connection, `update` and `open` keep the latest state, and calls that need an answer wait within
 * their time limit. A call that was under way when the connection broke rejects: only the caller knows whether to
 * repeat it.
 *
 * `connect` creates one and waits until it is connected. One created with `new` connects in the background, and needs a
 * `dial`: see `dialer`.
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
export class Client extends ClientCalls implements AsyncDisposable {
  readonly #latest: LatestState;
  readonly #reconnector: Reconnector;
  readonly #maxMap: number;

  /**
   * Starts connecting.
   *
   * @param options Where to, and how
   * @throws {TrackerError} BAD_ARGUMENT when an option is invalid; STATE_TOO_LARGE
   */
  constructor(options: ClientOptions) {
    super();
    this.#maxMap = options.maxMap ?? DEFAULT_MAX_MAP;
    this.#latest = new LatestState(options.dialect);
    if (options.state !== undefined) this.#keep(options.state, this.#latest.encode("open", options.state));
    this.#reconnector = new Reconnector(options, this.#latest);
  }

  /** Resolves when the client has connected for the first time; rejects if it ends before. */
  get connected(): Promise<void> {
    return this.#reconnector.connected;
  }

  /** Resolves when the client has ended for good; `error` then tells why. Never rejects. */
  get finished(): Promise<void> {
    return this.#reconnector.finished;
  }

  /** The dialect this client speaks. */
  get dialect(): Dialect {
    return this.#latest.dialect;
  }

  /** The current status. */
  get status(): ClientStatus {
    return this.#reconnector.status;
  }

  /** What broke the last connection or attempt; `null` while it is open and after an orderly {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#reconnector.error;
  }

  /** The client's name in the map; `null` when it has asked for none, or is not connected yet. */
  get id(): string | null {
    return this.greeting?.id ?? null;
  }

  /** The server's answer to the last Hello; `null` before, and without one. */
  get greeting(): Greeting | null {
    return this.#reconnector.greeting;
  }

  /**
   * Calls a function whenever the status changes, and after each further attempt that fails.
   *
   * @param listener Called with the new status
   * @returns Removes the listener
   */
  onStatus(listener: (change: StatusChange) => void): () => void {
    return this.#reconnector.onStatus(listener);
  }

  /**
   * Enters the map with a state, or replaces the client's state if it is in the map.
   *
   * In the compact dialect an empty first state takes up to 500 ms: only silence tells the server that it is one.
   *
   * @param state The state; a string is sent as UTF-8
   * @param options When to stop waiting
   * @returns Resolves when the server has taken it, or a later one
   * @throws {TrackerError} STATE_TOO_LARGE, TIMEOUT, ABORTED, BUFFER_FULL, CONNECTION_CLOSED, or the server's code
   */
  async open(state: string | Uint8Array, options: CallOptions = {}): Promise<void> {
    const bytes = this.#take("open", state);
    const { connection } = this.#reconnector;
    if (connection !== null) return await connection.open(bytes, options);
    // The next connection opens with it.
    await this.#reconnector.reach("open", options);
  }

  /**
   * Replaces the client's state; the first one enters it in the map. The server does not answer an Update, so a refusal
   * shows in the next call and in `finished`. There is no need to wait: a promise left alone is no unhandled rejection,
   * and consecutive Updates go out in one write.
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
    return this.#reconnector.call("get", options, (connection, rest) => connection.get(rest));
  }

  /**
   * Reads the flattened map as text. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param options When to stop waiting
   * @returns The map
   * @throws {TrackerError} As {@linkcode get}
   */
  getText(options: CallOptions = {}): Promise<string> {
    return this.#reconnector.call("get", options, (connection, rest) => connection.getText(rest));
  }

  /**
   * Watches the map, on a connection of its own. Needs the Hello. See {@linkcode MapEvent} for the events.
   *
   * @param options Which clients to watch, and since when
   * @returns The watch, which begins when it is read
   *
   * @example Hear of every change
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
    return new Watch(this.#reconnector.source, options);
  }

  /**
   * Keeps a live copy of the map, by means of a {@linkcode watch}. Needs the Hello.
   *
   * @param options Which clients to copy
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
    return new Mirror(this.watch(options), this.#maxMap);
  }

  /**
   * Leaves the map and closes the connection, and with it all watches. Safe to repeat, and after the client has ended.
   * A client without a connection just then sends nothing: the server keeps a named one for its grace.
   *
   * @param options When to stop waiting; the client ends in any case
   * @returns Resolves when the client has ended
   * @throws {TrackerError} TIMEOUT, ABORTED, or what broke the connection before the server had answered
   */
  close(options: CallOptions = {}): Promise<void> {
    return this.#reconnector.leave((connection) => connection.close(options));
  }

  /**
   * Ends the client without a Close: the server keeps the entry of a named one for its grace, as if the connection had
   * been lost. Needs the Hello. Safe to repeat, and after the client has ended.
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
    await this.#reconnector.leave((connection) => connection.detach(options));
  }

  /** Ends the client at once. The server removes it from the map as soon as it notices. */
  abort(): void {
    this.#reconnector.abort();
  }

  /** Closes the client. One that has ended is left as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(ignore);
    await this.finished;
  }

  #update(state: string | Uint8Array, options: CallOptions | undefined): Promise<void> {
    try {
      if (options?.signal?.aborted) throw abortedError("update", options.signal);
      const bytes = this.#take("update", state);
      const { connection, status } = this.#reconnector;
      if (connection !== null) return this.#reconnector.forgive(connection.update(bytes, options), connection);
      if (status === "closed") throw this.#reconnector.closedError("update");
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Encodes a state, and keeps it if there will be a connection that has to be told. */
  #take(call: string, state: string | Uint8Array): Uint8Array {
    const bytes = this.#latest.encode(call, state, this.greeting?.maxState);
    if (this.#reconnector.willConnect) this.#keep(state, bytes);
    return bytes;
  }

  #keep(state: string | Uint8Array, bytes: Uint8Array): void {
    // The caller may change its own bytes later.
    this.#latest.keep(state === bytes ? bytes.slice() : bytes);
  }

  /** @internal Makes a call that needs the Hello. */
  protected override async call<T>(
    call: string,
    options: CallOptions,
    use: (connection: Connection, rest: CallOptions) => Promise<T>,
  ): Promise<T> {
    this.#requireHello(call);
    return await this.#reconnector.call(call, options, use);
  }

  #requireHello(call: string): void {
    if (!this.#reconnector.source.isExtended) throw badArgument(call, "the client did not begin with a Hello");
  }
}
