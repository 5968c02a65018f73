/**
 * The server: it accepts connections, keeps the map, and ends in order.
 *
 * @module
 */

import { delay } from "../base/async.ts";
import { LONGEST_TIMEOUT } from "../base/deadlines.ts";
import { timerTurn, Turns } from "../base/turns.ts";
import { messageOf, TrackerError } from "../errors.ts";
import { LONGEST_GRACE } from "../protocol.ts";
import { Registry } from "../map/registry.ts";
import type { Incoming, KeyPair, Listener, SocketAddress } from "../transport/listener.ts";
import type { Stats } from "../wire/stats.ts";
import { Admission } from "./admission.ts";
import { closeSessionContext, createSessionContext, type SessionContext, statsOf } from "./context.ts";
import { kickClient } from "./entries.ts";
import type { EventObserver, ServerEvent, SessionEvent } from "./events.ts";
import {
  admissionLimitsOf,
  limitsOf,
  maxPartingOf,
  maxUnauthorizedOf,
  requireInteger,
  rulesOf,
  type ServerOptions,
} from "./options.ts";
import type { OtherProtocol } from "./other_protocol.ts";
import { Roster } from "./roster.ts";
import type { Session, SessionObserver } from "./session.ts";
import { TokenAudit } from "./token_audit.ts";

/** Default time that {@linkcode Server.shutdown} gives clients to read that it ends, in milliseconds. */
export const DEFAULT_DRAIN_TIMEOUT = 5_000;

/** Pause of an accept loop when the system has no descriptor left for another connection, in milliseconds. */
const ACCEPT_PAUSE = 100;

/** Shortest time between two reports that accepting fails, in milliseconds: it may fail ten times a second for hours. */
const ACCEPT_REPORT = 10_000;

/** A running server. `serve` creates one; with `new` it can be given other listeners. */
export class Server implements AsyncDisposable {
  /** Where it listens; if that is both without TLS and with it, where it does without. */
  readonly addr: SocketAddress;
  /** Where it listens with TLS; `null` when it does not. */
  readonly tlsAddr: SocketAddress | null;
  /** Where it speaks HTTP; `null` where it does not. */
  readonly httpAddr: SocketAddress | null;
  /** The live map. */
  readonly registry: Registry;
  /** Resolves when the server has ended and every connection is closed. */
  readonly finished: Promise<void>;
  readonly #listeners: readonly Listener[];
  readonly #context: SessionContext;
  readonly #admission: Admission;
  readonly #onEvent: ((event: ServerEvent) => void) | undefined;
  readonly #observer: SessionObserver;
  readonly #roster: Roster;
  /** Looks whether tokens were removed whose clients are still here. */
  readonly #audit: TokenAudit | null;
  readonly #stop = new AbortController();
  readonly #unlisten: () => void;
  #lastEnded: (() => void) | undefined;
  /** When the next failure to accept may be reported. */
  #acceptReported = -Infinity;

  /**
   * Starts a server.
   *
   * @param listeners Where connections come from, at least one; the server closes them in the end
   * @param options Its limits
   * @param protocols Other protocols that are spoken on its connections, such as HTTP; none unless given
   * @throws {TrackerError} BAD_ARGUMENT when an option cannot be used; the listeners then stay the caller's
   */
  constructor(
    listeners: readonly Listener[],
    options: ServerOptions = {},
    protocols: readonly OtherProtocol[] = [],
  ) {
    const [first] = listeners;
    if (first === undefined) throw new TrackerError("BAD_ARGUMENT", "Cannot start server: it has no listener");
    this.#admission = new Admission(admissionLimitsOf(options));
    this.registry = options.registry ?? new Registry();
    const turns = new Turns(turnOf(listeners));
    const rules = rulesOf(options);
    this.#context = createSessionContext(this.registry, limitsOf(options), rules, turns);
    const groups = { maxUnauthorized: maxUnauthorizedOf(options), maxParting: maxPartingOf(options) };
    this.#roster = new Roster(this.#context, this.#admission, groups);
    const tokens = rules?.tokens ?? null;
    this.#audit = tokens === null ? null : new TokenAudit(tokens, this.#roster.clients, this.#context);
    this.#onEvent = options.onEvent;
    this.#observer = this.#createObserver(protocols);
    this.#listeners = listeners;
    this.addr = first.addr;
    this.tlsAddr = listeners.find(({ isSecure, speaks }) => isSecure && speaks === undefined)?.addr ?? null;
    this.httpAddr = addressOf("http", listeners, protocols);
    this.finished = this.#run();
    const { signal } = options;
    const onAbort = () => void this.shutdown();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#unlisten = () => signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
  }

  /** @internal What those need who answer from its map in another way. */
  get internals(): { readonly context: SessionContext; readonly observer: EventObserver } {
    return { context: this.#context, observer: this.#observer };
  }

  /**
   * Reports its state and statistics.
   *
   * @returns What it has counted since it started, and what it holds now
   */
  metrics(): Stats {
    return statsOf(this.#context);
  }

  /**
   * Replaces the certificate. Existing connections keep the old one; new ones get the new one, and none is lost in between.
   *
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE when it cannot be used, which leaves the old one in use; BAD_ARGUMENT when the
   *   server speaks no TLS; SHUTTING_DOWN when it is being stopped
   */
  reloadTls(pair: KeyPair): void {
    const secure = this.#listeners.filter((listener) => listener.reloadTls !== undefined);
    if (secure.length === 0) {
      throw new TrackerError("BAD_ARGUMENT", "Cannot replace certificate: the server speaks no TLS");
    }
    if (this.#isStopped) {
      throw new TrackerError("SHUTTING_DOWN", "Cannot replace certificate: the server is being stopped");
    }
    for (const listener of secure) listener.reloadTls?.(pair);
  }

  /**
   * Ends a client, with KICKED: it leaves the map, and does not come back by itself.
   *
   * @param id The client's identifier
   * @param reason What to tell it
   * @param options `for`: for how long its name is refused, or its address if it is numbered, in seconds; default 0
   * @returns Whether there was such a client
   * @throws {TrackerError} BAD_ARGUMENT when `for` is not from 0 to 86,400; TOO_MANY_CLIENTS when 16,384 names and addresses
   *   are being refused already
   *
   * @example One client has to go
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assert, assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * const client = await connect({ port: server.addr.port, name: "pi-7", state: "on" });
   * assert(server.kick("pi-7", "out of order"));
   * await client.finished;
   * assertEquals(client.error?.code, "KICKED");
   * ```
   */
  kick(id: string, reason?: string, options: { for?: number } = {}): boolean {
    const { for: seconds = 0 } = options;
    if (!(seconds >= 0 && seconds <= LONGEST_GRACE)) {
      throw new TrackerError("BAD_ARGUMENT", `Cannot kick: for is ${seconds}, not from 0 to ${LONGEST_GRACE} seconds`);
    }
    return kickClient(this.#context, { id, for: seconds, ...reason !== undefined && { reason } });
  }

  /**
   * Ends the server: stops accepting, tells every client SHUTTING_DOWN, and closes. Calling it again is safe.
   *
   * @param options `timeout`: how long clients may take to hear it before they are cut off, in milliseconds; 0 cuts
   *   them off at once; default 5,000
   * @returns The same promise as `finished`
   */
  shutdown(options: { timeout?: number } = {}): Promise<void> {
    const { timeout = DEFAULT_DRAIN_TIMEOUT } = options;
    requireInteger("timeout", timeout, 0, LONGEST_TIMEOUT);
    if (!this.#isStopped) {
      this.#stop.abort();
      this.#context.isStopping = true;
      this.#unlisten();
      for (const listener of this.#listeners) listener.close();
      this.#sayGoodbye();
    }
    if (timeout === 0) this.#cutOff();
    else this.#cutOffAfter(timeout);
    return this.finished;
  }

  /** Ends the server, as {@linkcode shutdown} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Creates one observer for all sessions: a closure each would cost every client memory. */
  #createObserver(protocols: readonly OtherProtocol[]): SessionObserver {
    const onEvent = this.#onEvent;
    return {
      protocols,
      onAuthorized: (session) => this.#welcome(session),
      onPart: (session) => this.#roster.part(session, this.#isStopped),
      onEnd: (session) => this.#forget(session),
      onHandedOn: (connection) => this.#admit(connection),
      ...onEvent !== undefined && {
        onEvent: (peer: SocketAddress, event: SessionEvent) => onEvent({ ...event, peer }),
      },
    };
  }

  async #run(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => this.#accept(listener)));
    if (!this.#roster.isEmpty) {
      await new Promise<void>((resolve) => this.#lastEnded = resolve);
    }
    await Promise.all(this.#listeners.map((listener) => listener.finish()));
    closeSessionContext(this.#context);
  }

  /** Accepts until the listener is closed. An error in between, such as having no descriptor left, is no reason to stop. */
  async #accept(listener: Listener): Promise<void> {
    const { signal } = this.#stop;
    const { turns } = this.#context;
    while (!this.#isStopped) {
      try {
        const connection = await listener.accept();
        this.#context.counters.accepted++;
        this.#admit(connection, listener.speaks);
        const wait = this.#admission.pace();
        if (wait > 0) await delay(wait, signal);
        else if (turns.isSpent) await turns.rest();
      } catch (error) {
        if (this.#isStopped) return;
        this.#reportAcceptError(error instanceof Error ? error : new Error(messageOf(error)));
        await delay(ACCEPT_PAUSE, signal);
      }
    }
  }

  #reportAcceptError(error: Error): void {
    const now = performance.now();
    if (now < this.#acceptReported) return;
    this.#acceptReported = now + ACCEPT_REPORT;
    this.#onEvent?.({ kind: "accept-error", error });
  }

  #admit(connection: Incoming, speaks?: string): void {
    // Accepted in the very turn in which the server was stopped.
    if (this.#isStopped) return connection.close();
    this.#roster.admit(connection, this.#observer, speaks);
  }

  #welcome(session: Session): TrackerError | null {
    const refusal = this.#roster.welcome(session);
    this.#audit?.begin();
    return refusal;
  }

  /** Called at the end of every session. */
  #forget(session: Session): void {
    this.#roster.forget(session);
    if (this.#roster.isEmpty) this.#lastEnded?.();
  }

  /** Tells all clients. Watchers go last, and are told of the leaves of all others. */
  #sayGoodbye(): void {
    const error = new TrackerError("SHUTTING_DOWN", "Cannot keep connection: the server is being stopped");
    const { true: watching = [], false: others = [] } = Object.groupBy(
      this.#roster.clients,
      ({ watcher }) => `${watcher !== null}`,
    );
    for (const session of [...others, ...this.#roster.strangers]) session.close(error);
    this.#context.names.clear();
    for (const session of watching) session.close(error);
  }

  #cutOff(): void {
    for (const session of this.#roster.all) session.abort();
    for (const listener of this.#listeners) listener.abort();
  }

  #cutOffAfter(milliseconds: number): void {
    const timer = setTimeout(() => this.#cutOff(), milliseconds);
    this.finished.finally(() => clearTimeout(timer));
  }
}

/** Where a protocol is spoken: on a port of its own, or on the server's. */
function addressOf(
  protocol: string,
  listeners: readonly Listener[],
  protocols: readonly OtherProtocol[],
): SocketAddress | null {
  if (!protocols.some(({ name }) => name === protocol)) return null;
  return listeners.find(({ speaks }) => speaks === protocol)?.addr ?? listeners[0]?.addr ?? null;
}

/** The best way to wait for a turn of the event loop that a listener knows. */
function turnOf(listeners: readonly Listener[]): () => Promise<void> {
  const listener = listeners.find(({ turn }) => turn !== undefined);
  return listener?.turn?.bind(listener) ?? timerTurn;
}
