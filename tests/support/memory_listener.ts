import type { Incoming, Listener, SocketAddress } from "../../mod.ts";
import { createPair, type MemoryConnection } from "./memory.ts";

/** Options for {@linkcode MemoryListener}. */
export interface MemoryListenerOptions {
  port?: number;
  isSecure?: boolean;
}

/** A listener whose connections are in memory. */
export class MemoryListener implements Listener {
  readonly addr: SocketAddress;
  readonly isSecure: boolean;
  /** How often it was aborted. */
  aborts = 0;
  isClosed = false;
  /** What {@linkcode finish} waits for. */
  finishing: Promise<void> = Promise.resolve();
  /** What each {@linkcode accept} to come settles with, in order. */
  readonly #arrivals: Promise<Incoming>[] = [];
  #accepting: PromiseWithResolvers<Incoming> | null = null;

  constructor({ port = 1, isSecure = false }: MemoryListenerOptions = {}) {
    this.addr = { transport: "tcp", hostname: "memory", port };
    this.isSecure = isSecure;
  }

  /**
   * Connects to the server.
   *
   * @param hostname The client's address
   * @returns The client's end
   */
  connect(hostname = "memory"): MemoryConnection {
    const [client, server] = createPair();
    this.arrive(Object.assign(server, { remoteAddr: { ...server.remoteAddr, hostname } }));
    return client;
  }

  /** Hands a connection to the server. */
  arrive(connection: Incoming): void {
    this.#settle(Promise.resolve(connection));
  }

  /** Makes one call of {@linkcode accept} fail. */
  fail(reason: unknown): void {
    this.#settle(Promise.reject(reason));
  }

  accept(): Promise<Incoming> {
    const arrival = this.#arrivals.shift();
    if (arrival !== undefined) return arrival;
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  /** In memory there is no socket to look at. */
  turn(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.#accepting?.reject(new Deno.errors.BadResource("Listener has been closed"));
  }

  abort(): void {
    this.aborts++;
  }

  finish(): Promise<void> {
    return this.finishing;
  }

  #settle(arrival: Promise<Incoming>): void {
    // A rejection may have to wait for the next call.
    arrival.catch(() => {});
    if (this.#accepting === null) this.#arrivals.push(arrival);
    else this.#accepting.resolve(arrival);
    this.#accepting = null;
  }
}
