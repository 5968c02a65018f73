/**
 * The ways into a server: what listens, without TLS and with it.
 *
 * @module
 */

import { ignore } from "../client/calls.ts";
import type { Duplex } from "../transport/duplex.ts";
import { TrackerError } from "../errors.ts";
import { formatAddress, setNoDelay } from "./address.ts";
import { type KeyPair, keyPairError } from "./tls_errors.ts";
import { type Inner, Tunnel } from "./tls_relay.ts";

/** What a connection is to the server: bytes, and where they come from. */
export interface Incoming extends Duplex {
  /** Where the client is. */
  readonly remoteAddr: Deno.NetAddr;
}

/** Something that connections come in by. */
export interface Entrance {
  /** Where it is. */
  readonly addr: Deno.NetAddr;
  /** Waits for the next connection. Rejects when it is closed, and when the system cannot hand over the connection. */
  accept(): Promise<Incoming>;
  /** Lets nobody in any more. */
  close(): void;
  /** Ends at once what its connections have left behind. */
  abort(): void;
  /** Resolves when it is closed and nothing of its connections is left. */
  finish(): Promise<void>;
}

/** Lets clients in that speak no TLS. */
export class PlainEntrance implements Entrance {
  readonly addr: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;

  /**
   * Starts listening.
   *
   * @param hostname The address
   * @param port The port; 0 takes a free one
   * @throws {TrackerError} ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED
   */
  constructor(hostname: string, port: number) {
    this.#listener = listen(hostname, port);
    this.addr = this.#listener.addr;
  }

  async accept(): Promise<Incoming> {
    const connection = await this.#listener.accept();
    setNoDelay(connection);
    return connection;
  }

  close(): void {
    this.#listener.close();
  }

  abort(): void {}

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

/** Lets clients in that speak TLS. See {@linkcode Tunnel} for why they do not talk to Deno's listener directly. */
export class TlsEntrance implements Entrance {
  readonly addr: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;
  readonly #tunnels = new Set<Tunnel>();
  #terminal: Terminal;
  /** Terminals that were replaced, as long as they are in use. */
  #replaced: Promise<void> = Promise.resolve();

  /**
   * Starts listening.
   *
   * @param hostname The address
   * @param port The port; 0 takes a free one
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE, ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED
   */
  constructor(hostname: string, port: number, pair: KeyPair) {
    this.#terminal = new Terminal(pair);
    try {
      this.#listener = listen(hostname, port);
    } catch (error) {
      void this.#terminal.close();
      throw error;
    }
    this.addr = this.#listener.addr;
  }

  async accept(): Promise<Incoming> {
    const connection = await this.#listener.accept();
    const terminal = this.#terminal;
    const tunnel = new Tunnel(connection, () => terminal.connect());
    this.#tunnels.add(tunnel);
    void tunnel.finished.then(() => this.#tunnels.delete(tunnel));
    return tunnel;
  }

  /**
   * Takes another certificate for the connections to come. Those that there are go on with the one they have.
   *
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE when it cannot be used; the old one then stays in use
   */
  replace(pair: KeyPair): void {
    const before = this.#terminal;
    this.#terminal = new Terminal(pair);
    this.#replaced = Promise.all([this.#replaced, before.close()]).then(ignore);
  }

  close(): void {
    this.#listener.close();
  }

  abort(): void {
    for (const tunnel of this.#tunnels) tunnel.abort();
  }

  async finish(): Promise<void> {
    await Promise.all(Array.from(this.#tunnels, ({ finished }) => finished));
    await Promise.all([this.#replaced, this.#terminal.close()]);
  }
}

/** The address that only this machine has. */
const LOOPBACK = "127.0.0.1";

/** Where tunnels end: a listener with a certificate, on a port of this machine that nobody is told. */
class Terminal {
  readonly #listener: Deno.TlsListener;
  /** The last of those that connect, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ cert, key }: KeyPair) {
    try {
      this.#listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key });
    } catch (cause) {
      throw keyPairError(cause) ?? listenError(LOOPBACK, cause);
    }
  }

  /** Makes a connection to ourselves, when those asked for before are made. */
  connect(): Promise<Inner> {
    const connecting = this.#last.then(() => this.#connect());
    this.#last = connecting.catch(ignore);
    return connecting;
  }

  /** Closes when the connections asked for are made. */
  async close(): Promise<void> {
    await this.#last;
    this.#listener.close();
  }

  async #connect(): Promise<Inner> {
    const near = await Deno.connect({ hostname: LOOPBACK, port: this.#listener.addr.port });
    setNoDelay(near);
    try {
      for (;;) {
        const far = await this.#listener.accept();
        if (isSame(far.remoteAddr, near.localAddr)) return { near, far };
        // Some other program of this machine has found the port. It has no business here.
        far.close();
      }
    } catch (error) {
      near.close();
      throw error;
    }
  }
}

/** The port alone would not do: all of 127.0.0.0/8 is this machine, and another program may have it on 127.0.0.2. */
function isSame(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  return one.port === other.port && one.hostname === other.hostname;
}

function listen(hostname: string, port: number): Deno.TcpListener {
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
