/**
 * The server: a listener, its limits, and an orderly end.
 *
 * @module
 */

import { LONGEST_TIMEOUT } from "../base/deadlines.ts";
import { type Entrance, type Incoming, PlainEntrance, TlsEntrance } from "../tcp/tls_listener.ts";
import { TrackerError } from "../errors.ts";
import type { LimitName, Stats } from "./counters.ts";
import { DEFAULT_PORT, DEFAULT_TLS_PORT } from "../protocol.ts";
import { Registry } from "../map/registry.ts";
import {
  DEFAULT_MAX_CLIENTS,
  limitsOf,
  requireInteger,
  rulesOf,
  type ServeOptions,
  type ServerEvent,
} from "./options.ts";
import { Session, type SessionEvent } from "./session.ts";
import { closeSessionContext, createSessionContext, type SessionContext, statsOf } from "./context.ts";
import type { KeyPair } from "../tcp/tls_errors.ts";

/** How long {@linkcode Server.shutdown} lets clients hear the news unless told otherwise, in milliseconds. */
export const DEFAULT_DRAIN_TIMEOUT = 5_000;

/**
 * How many connections above the limit are being told so at any moment. Each is held until it has heard, so their
 * number needs a bound too; past it a connection is closed without a word.
 */
const MAX_REFUSALS = 256;

/** How long the accept loop pauses when the system has no descriptor left for another connection, in milliseconds. */
const ACCEPT_PAUSE = 100;

/** That accepting fails is reported at most this often, in milliseconds: it may fail ten times a second for hours. */
const ACCEPT_REPORT = 10_000;

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens; if that is both without TLS and with it, where it does without. */
  readonly addr: Deno.NetAddr;
  /** Where it listens with TLS, if it does. */
  readonly tlsAddr: Deno.NetAddr | null;
  /** The live map. */
  readonly registry: Registry;
  /**
   * How it is doing.
   *
   * @returns What it has counted since it started, and what it holds now
   */
  metrics(): Stats;
  /**
   * Takes another certificate. Connections that there are go on with the old one, those to come get the new one; none
   * is lost in between.
   *
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE when it cannot be used, which leaves the old one in use; BAD_ARGUMENT when the
   *   server speaks no TLS; SHUTTING_DOWN when it is being stopped
   */
  reloadTls(pair: KeyPair): void;
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
 * @throws {TrackerError} ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED when it cannot listen; BAD_CERTIFICATE when the
 *   certificate or its key cannot be used; BAD_ARGUMENT when an option makes no sense
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
  readonly tlsAddr: Deno.NetAddr | null;
  readonly registry: Registry;
  readonly finished: Promise<void>;
  readonly #entrances: readonly Entrance[];
  readonly #tlsEntrance: TlsEntrance | null;
  readonly #context: SessionContext;
  readonly #maxClients: number;
  readonly #maxPerAddress: number;
  /** How many connections there are from each address; nothing is kept of it where that is not limited. */
  readonly #addresses = new Map<string, number>();
  /** Least time between two connections, in milliseconds, and when the next one is due. */
  readonly #acceptInterval: number;
  #nextAccept = 0;
  /** Until when a failure to accept is not worth another report. */
  #acceptReported = -Infinity;
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
    const { signal, maxClients = DEFAULT_MAX_CLIENTS, maxPerAddress = 0, acceptRate = 0 } = options;
    requireInteger("maxClients", maxClients, 1, 2 ** 31);
    requireInteger("maxPerAddress", maxPerAddress, 0, 2 ** 31);
    requireInteger("acceptRate", acceptRate, 0, 2 ** 31);
    this.registry = options.registry ?? new Registry();
    this.#context = createSessionContext(this.registry, limitsOf(options), rulesOf(options));
    this.#maxClients = maxClients;
    this.#maxPerAddress = maxPerAddress;
    this.#acceptInterval = acceptRate === 0 ? 0 : 1_000 / acceptRate;
    this.#onEvent = options.onEvent;
    const { plain, tls } = openEntrances(options);
    this.#tlsEntrance = tls;
    this.#entrances = [plain, tls].filter((entrance) => entrance !== null);
    this.addr = this.#entrances[0]!.addr;
    this.tlsAddr = tls?.addr ?? null;
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
      for (const entrance of this.#entrances) entrance.close();
      this.#stop.resolve();
      const error = new TrackerError("SHUTTING_DOWN", "Cannot keep connection: the server is being stopped");
      // Those who watch go last, and are told of all the others.
      const [watching, others] = partition(this.#sessions, (session) => session.isWatching);
      for (const session of others) session.refuse(error);
      this.#context.names.clear();
      for (const session of watching) session.refuse(error);
    }
    if (timeout === 0) this.#cutOff();
    else this.#cutOffAfter(timeout);
    return this.finished;
  }

  metrics(): Stats {
    return statsOf(this.#context);
  }

  reloadTls(pair: KeyPair): void {
    if (this.#tlsEntrance === null) {
      throw new TrackerError("BAD_ARGUMENT", "Cannot replace certificate: the server speaks no TLS");
    }
    if (this.#stopped) {
      throw new TrackerError("SHUTTING_DOWN", "Cannot replace certificate: the server is being stopped");
    }
    this.#tlsEntrance.replace(pair);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #run(): Promise<void> {
    await Promise.all(this.#entrances.map((entrance) => this.#accept(entrance)));
    if (this.#sessions.size + this.#refusals.size !== 0) {
      await new Promise<void>((resolve) => this.#lastEnded = resolve);
    }
    await Promise.all(this.#entrances.map((entrance) => entrance.finish()));
    closeSessionContext(this.#context);
  }

  /**
   * Accepts until the entrance is closed. An error in between, such as having no descriptor left, is no reason to
   * stop: `for await` over the listener would end there.
   */
  async #accept(entrance: Entrance): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#admit(await entrance.accept());
        if (this.#acceptInterval !== 0) await this.#slowDown();
      } catch (error) {
        if (this.#stopped) return;
        // Whoever breaks connections as fast as they are made must not make the others wait.
        if (wasGone(error)) continue;
        this.#reportAcceptError(error instanceof Error ? error : new Error(String(error)));
        await this.#pause(ACCEPT_PAUSE);
      }
    }
  }

  #reportAcceptError(error: Error): void {
    const now = performance.now();
    if (now < this.#acceptReported) return;
    this.#acceptReported = now + ACCEPT_REPORT;
    this.#onEvent?.({ kind: "accept-error", error });
  }

  /** Leaves the next connection in the system's queue until it is due. A burst of a second's worth may come at once. */
  async #slowDown(): Promise<void> {
    const now = performance.now();
    this.#nextAccept = Math.max(this.#nextAccept, now - 1_000) + this.#acceptInterval;
    if (this.#nextAccept > now) await this.#pause(this.#nextAccept - now);
  }

  #admit(connection: Incoming): void {
    const { metrics } = this.#context;
    metrics.accepted++;
    // A connection that was accepted in the very turn in which the server was stopped has nobody to talk to.
    if (this.#stopped) return connection.close();
    const { hostname } = connection.remoteAddr;
    const refusal = this.#refusalOf(hostname);
    if (refusal === null) {
      this.#start(connection, this.#sessions);
      return;
    }
    metrics.countRefusal(refusal.limit);
    if (this.#refusals.size < MAX_REFUSALS) this.#start(connection, this.#refusals).refuse(refusal.error);
    else connection.close();
  }

  /** Why a connection from an address cannot be taken, if it cannot. */
  #refusalOf(hostname: string): { limit: LimitName; error: TrackerError } | null {
    if (this.#sessions.size >= this.#maxClients) {
      return { limit: "clients", error: fullError(`the limit of ${this.#maxClients} is reached`) };
    }
    if (this.#maxPerAddress !== 0 && (this.#addresses.get(hostname) ?? 0) >= this.#maxPerAddress) {
      const why = `the limit of ${this.#maxPerAddress} from one address is reached`;
      return { limit: "perAddress", error: fullError(why) };
    }
    return null;
  }

  #start(connection: Incoming, group: Set<Session>): Session {
    const { hostname } = connection.remoteAddr;
    const forget = this.#maxPerAddress === 0 ? this.#forget : this.#countAddress(hostname);
    const session = new Session(connection, this.#context, this.#reporter(connection), forget, hostname);
    group.add(session);
    void session.run();
    return session;
  }

  /** Counts a connection in, and returns what counts it out. */
  #countAddress(hostname: string): (session: Session) => void {
    const addresses = this.#addresses;
    addresses.set(hostname, (addresses.get(hostname) ?? 0) + 1);
    return (session) => {
      const left = (addresses.get(hostname) ?? 1) - 1;
      if (left === 0) addresses.delete(hostname);
      else addresses.set(hostname, left);
      this.#forget(session);
    };
  }

  #reporter(connection: Incoming): ((event: SessionEvent) => void) | undefined {
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
    for (const entrance of this.#entrances) entrance.abort();
  }

  #cutOffAfter(milliseconds: number): void {
    const timer = setTimeout(() => this.#cutOff(), milliseconds);
    this.finished.finally(() => clearTimeout(timer));
  }
}

/** Whether a connection broke before it was accepted: no matter of the system's, and no reason to pause. */
function wasGone(error: unknown): boolean {
  const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  return error instanceof ConnectionAborted || error instanceof ConnectionReset || error instanceof NotConnected;
}

function partition<T>(things: Iterable<T>, belongs: (thing: T) => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []];
  for (const thing of things) (belongs(thing) ? first : second).push(thing);
  return [first, second];
}

function fullError(why: string): TrackerError {
  return new TrackerError("TOO_MANY_CLIENTS", `Cannot accept connection: ${why}`);
}

/** Listens wherever the options say, or nowhere. */
function openEntrances(options: ServeOptions): { plain: Entrance | null; tls: TlsEntrance | null } {
  const { hostname = "127.0.0.1", tls, port = tls === undefined ? DEFAULT_PORT : undefined } = options;
  if (port !== undefined) requireInteger("port", port, 0, 65_535);
  const tlsPort = tls?.port ?? DEFAULT_TLS_PORT;
  requireInteger("tls.port", tlsPort, 0, 65_535);
  const plain = port === undefined ? null : new PlainEntrance(hostname, port);
  try {
    return { plain, tls: tls === undefined ? null : new TlsEntrance(tls.hostname ?? hostname, tlsPort, tls) };
  } catch (error) {
    plain?.close();
    throw error;
  }
}
