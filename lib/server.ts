/**
 * The server: a listener, its limits, and an orderly end.
 *
 * @module
 */

import { LONGEST_TIMEOUT } from "./deadlines.ts";
import { TrackerError } from "./errors.ts";
import { DEFAULT_MAX_STATE, DEFAULT_PORT, type Dialect, HIGHEST_MAX_STATE } from "./protocol.ts";
import { Registry } from "./registry.ts";
import {
  closeSessionContext,
  createSessionContext,
  Session,
  type SessionContext,
  type SessionEvent,
} from "./session.ts";
import { formatAddress, setNoDelay } from "./tcp.ts";

/** Connections a server holds at once unless told otherwise. */
export const DEFAULT_MAX_CLIENTS = 16_384;

/** How long a message may take from its first byte to its last unless told otherwise, in milliseconds. */
export const DEFAULT_MESSAGE_TIMEOUT = 10_000;

/** Bytes of changes that a watcher may be behind while it takes nothing, unless told otherwise. */
export const DEFAULT_MAX_UNSENT = 8_388_608;

/** How long a watcher may take nothing of what it is sent before that is looked at, unless told otherwise. */
export const DEFAULT_WRITE_TIMEOUT = 5_000;

/** How long {@linkcode Server.shutdown} lets clients hear the news unless told otherwise, in milliseconds. */
export const DEFAULT_DRAIN_TIMEOUT = 5_000;

/**
 * How many connections above the limit are being told so at any moment. Each is held until it has heard, so their
 * number needs a bound too; past it a connection is closed without a word.
 */
const MAX_REFUSALS = 256;

/** How long the accept loop pauses when the system has no descriptor left for another connection, in milliseconds. */
const ACCEPT_PAUSE = 100;

/** What happened at a server, as it happens. */
export type ServerEvent =
  | (SessionEvent & { peer: Deno.NetAddr })
  | { kind: "accept-error"; error: Error };

/** What {@linkcode serve} can be told. Every member has a default. */
export interface ServeOptions {
  /** The address to listen on. Default `"127.0.0.1"`: only programs on this machine can connect. */
  hostname?: string;
  /** The port to listen on; 0 takes a free one, which `addr` then tells. Default 6789. */
  port?: number;
  /** The dialect to insist on. Default `"auto"`: told from each connection's first bytes. */
  dialect?: Dialect | "auto";
  /** Connections held at once; one more is refused with TOO_MANY_CLIENTS. Default 16,384. */
  maxClients?: number;
  /** Longest state, in bytes; a longer one is refused with STATE_TOO_LARGE. Default 65,536, at most 2^30. */
  maxState?: number;
  /** How long a message may take from first byte to last, in milliseconds; 0 for ever. Default 10,000. */
  messageTimeout?: number;
  /** How long a client may be silent, in milliseconds; 0, the default, for ever. */
  idleTimeout?: number;
  /**
   * Bytes of changes that a watcher may be behind while it takes nothing; one that is further behind is refused with
   * SLOW_CONSUMER. Default 8 MiB.
   */
  maxUnsent?: number;
  /** How long a watcher may take nothing before it is looked at how far behind it is, in milliseconds. Default 5,000. */
  writeTimeout?: number;
  /** Shuts the server down when aborted. */
  signal?: AbortSignal;
  /** The map to keep. Default a new one. */
  registry?: Registry;
  /** Called with what happens, as it happens. It must not throw. */
  onEvent?: (event: ServerEvent) => void;
}

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  /** The live map. */
  readonly registry: Registry;
  /** Resolves when the server has ended and every connection is closed. */
  readonly finished: Promise<void>;
  /**
   * Ends the server: stops accepting, tells every client SHUTTING_DOWN, and closes. Calling it again is safe.
   *
   * @param options `timeout`: how long clients may take to hear it before they are cut off, in milliseconds; 0 cuts
   *   them off at once; default 5,000
   * @returns The same promise as `finished`
   */
  shutdown(options?: { timeout?: number }): Promise<void>;
}

/**
 * Starts a server.
 *
 * @param options Where to listen, and its limits
 * @returns The server, which accepts connections already
 * @throws {TrackerError} ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED when it cannot listen; BAD_ARGUMENT when an
 *   option makes no sense
 *
 * @example Serve on a free port, and look at the map
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = await connect({ port: server.addr.port, state: "hello" });
 * assertEquals(await client.getText(), "{client1=hello}");
 * assertEquals(server.registry.size, 1);
 * ```
 */
export function serve(options: ServeOptions = {}): Server {
  return new TcpServer(options);
}

class TcpServer implements Server {
  readonly addr: Deno.NetAddr;
  readonly registry: Registry;
  readonly finished: Promise<void>;
  readonly #listener: Deno.TcpListener;
  readonly #context: SessionContext;
  readonly #maxClients: number;
  readonly #onEvent: ((event: ServerEvent) => void) | undefined;
  readonly #sessions = new Set<Session>();
  readonly #refusals = new Set<Session>();
  readonly #stop = Promise.withResolvers<void>();
  readonly #unlisten: () => void;
  /** What every session calls in the end, whichever group it is in. */
  readonly #forget = (session: Session): void => {
    if (!this.#sessions.delete(session)) this.#refusals.delete(session);
    if (this.#sessions.size + this.#refusals.size === 0) this.#lastEnded?.();
  };
  #stopped = false;
  #lastEnded: (() => void) | undefined;

  constructor(options: ServeOptions) {
    const { signal, maxState = DEFAULT_MAX_STATE, maxClients = DEFAULT_MAX_CLIENTS } = options;
    const { messageTimeout = DEFAULT_MESSAGE_TIMEOUT, idleTimeout = 0, dialect = "auto" } = options;
    const { maxUnsent = DEFAULT_MAX_UNSENT, writeTimeout = DEFAULT_WRITE_TIMEOUT } = options;
    requireInteger("maxState", maxState, 0, HIGHEST_MAX_STATE);
    requireInteger("maxClients", maxClients, 1, 2 ** 31);
    requireInteger("messageTimeout", messageTimeout, 0, LONGEST_TIMEOUT);
    requireInteger("idleTimeout", idleTimeout, 0, LONGEST_TIMEOUT);
    requireInteger("writeTimeout", writeTimeout, 1, LONGEST_TIMEOUT);
    requireInteger("maxUnsent", maxUnsent, 0, Number.MAX_SAFE_INTEGER);
    this.registry = options.registry ?? new Registry();
    const limits = { dialect, maxState, messageTimeout, idleTimeout, writeTimeout, maxUnsent, maxSuspects: maxClients };
    this.#context = createSessionContext(this.registry, limits);
    this.#maxClients = maxClients;
    this.#onEvent = options.onEvent;
    this.#listener = listen(options.hostname ?? "127.0.0.1", options.port ?? DEFAULT_PORT);
    this.addr = this.#listener.addr;
    this.finished = this.#run();
    const onAbort = () => void this.shutdown();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
  }

  shutdown(options: { timeout?: number } = {}): Promise<void> {
    const { timeout = DEFAULT_DRAIN_TIMEOUT } = options;
    requireInteger("timeout", timeout, 0, LONGEST_TIMEOUT);
    if (!this.#stopped) {
      this.#stopped = true;
      this.#unlisten();
      this.#listener.close();
      this.#stop.resolve();
      const error = new TrackerError("SHUTTING_DOWN", "Cannot keep connection: the server is being stopped");
      for (const session of this.#sessions) session.refuse(error);
    }
    if (timeout === 0) this.#cutOff();
    else this.#cutOffAfter(timeout);
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #run(): Promise<void> {
    await this.#accept();
    if (this.#sessions.size + this.#refusals.size !== 0) {
      await new Promise<void>((resolve) => this.#lastEnded = resolve);
    }
    closeSessionContext(this.#context);
  }

  /**
   * Accepts until the listener is closed. An error in between, such as having no descriptor left, is no reason to
   * stop: `for await` over the listener would end there.
   */
  async #accept(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#admit(await this.#listener.accept());
      } catch (error) {
        if (this.#stopped) return;
        this.#onEvent?.({ kind: "accept-error", error: error instanceof Error ? error : new Error(String(error)) });
        if (!(error instanceof Deno.errors.ConnectionAborted)) await this.#pause(ACCEPT_PAUSE);
      }
    }
  }

  #admit(connection: Deno.TcpConn): void {
    if (this.#stopped) {
      // Accepted in the very turn in which the server was stopped.
      connection.close();
    } else if (this.#sessions.size < this.#maxClients) {
      this.#start(connection, this.#sessions);
    } else if (this.#refusals.size < MAX_REFUSALS) {
      this.#start(connection, this.#refusals).refuse(
        new TrackerError("TOO_MANY_CLIENTS", `Cannot accept connection: the limit of ${this.#maxClients} is reached`),
      );
    } else {
      connection.close();
    }
  }

  #start(connection: Deno.TcpConn, group: Set<Session>): Session {
    setNoDelay(connection);
    const session = new Session(connection, this.#context, this.#reporter(connection), this.#forget);
    group.add(session);
    void session.run();
    return session;
  }

  #reporter(connection: Deno.TcpConn): ((event: SessionEvent) => void) | undefined {
    const onEvent = this.#onEvent;
    if (onEvent === undefined) return undefined;
    const peer = connection.remoteAddr;
    return (event) => onEvent({ ...event, peer });
  }

  #pause(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    return Promise.race([promise, this.#stop.promise]).finally(() => clearTimeout(timer));
  }

  #cutOff(): void {
    for (const session of [...this.#sessions, ...this.#refusals]) session.abort();
  }

  #cutOffAfter(milliseconds: number): void {
    const timer = setTimeout(() => this.#cutOff(), milliseconds);
    this.finished.finally(() => clearTimeout(timer));
  }
}

function requireInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new TrackerError(
      "BAD_ARGUMENT",
      `Cannot start server: ${name} is ${value}, not an integer from ${low} to ${high}`,
    );
  }
}

function listen(hostname: string, port: number): Deno.TcpListener {
  requireInteger("port", port, 0, 65_535);
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    throw listenError(formatAddress({ hostname, port }), cause);
  }
}

function listenError(address: string, cause: unknown): TrackerError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new TrackerError("ADDRESS_IN_USE", `Cannot listen on ${address}: another program already does`, { cause });
  }
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    const why = cause instanceof Deno.errors.NotCapable ? "Deno was not given the permission" : "the system forbids it";
    return new TrackerError("PERMISSION_DENIED", `Cannot listen on ${address}: ${why}`, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackerError("BAD_ADDRESS", `Cannot listen on ${address}: ${why}`, { cause });
}
