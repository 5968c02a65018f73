/**
 * A listener for plain TCP.
 *
 * @module
 */

import { messageOf, TrackerError } from "../errors.ts";
import type { Cidr } from "../auth/cidr.ts";
import { formatAddress, type Incoming, type Listener, type SocketAddress } from "../transport/listener.ts";
import { setNoDelay } from "./address.ts";
import { ProxyIntroductions } from "./proxy_listener.ts";
import { SocketTurn } from "./socket_turn.ts";

/** Brings connections as the system accepts them. A `Deno.TcpConn` is a Duplex as it stands: nothing wraps it. */
export class TcpListener implements Listener {
  readonly addr: SocketAddress;
  readonly isSecure = false;
  readonly speaks: string | undefined;
  readonly #listener: Deno.TcpListener;
  readonly #turns = new SocketTurn();
  readonly #introductions: ProxyIntroductions | null;

  /**
   * Starts listening.
   *
   * @param hostname The address
   * @param port The port; 0 takes a free one
   * @param proxies The networks of proxies that say where their connections come from
   * @param speaks The only protocol that is spoken on its connections, if it is not Tracker's
   * @throws {TrackerError} ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED
   */
  constructor(hostname: string, port: number, proxies: readonly Cidr[] = [], speaks?: string) {
    this.speaks = speaks;
    try {
      this.#listener = Deno.listen({ hostname, port });
    } catch (cause) {
      throw listenError(formatAddress({ hostname, port }), cause);
    }
    this.addr = this.#listener.addr;
    const source = { accept: () => this.#acceptOne() };
    this.#introductions = proxies.length === 0 ? null : new ProxyIntroductions(source, proxies);
  }

  accept(): Promise<Incoming> {
    return this.#introductions === null ? this.#acceptOne() : this.#introductions.accept();
  }

  turn(): Promise<void> {
    return this.#turns.turn();
  }

  close(): void {
    this.#listener.close();
  }

  abort(): void {}

  async finish(): Promise<void> {
    await this.#turns.close();
  }

  async #acceptOne(): Promise<Deno.TcpConn> {
    for (;;) {
      try {
        const connection = await this.#listener.accept();
        setNoDelay(connection);
        return connection;
      } catch (error) {
        if (!wasBroken(error)) throw error;
      }
    }
  }
}

/**
 * Whether accepting failed because the connection broke before. Clients that break connections as fast as they make them
 * must not make the others wait, so that is no failure to pause for: the next one can be accepted at once.
 */
function wasBroken(error: unknown): boolean {
  const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  return error instanceof ConnectionAborted || error instanceof ConnectionReset || error instanceof NotConnected;
}

/**
 * Explains why an address cannot be listened on.
 *
 * @param address The address, as people write it
 * @param cause What Deno said
 * @returns ADDRESS_IN_USE, PERMISSION_DENIED or BAD_ADDRESS
 */
export function listenError(address: string, cause: unknown): TrackerError {
  const { AddrInUse, NotCapable, PermissionDenied } = Deno.errors;
  const action = `Cannot listen on ${address}`;
  if (cause instanceof AddrInUse) {
    return new TrackerError("ADDRESS_IN_USE", `${action}: another program already does`, { cause });
  }
  if (cause instanceof NotCapable) {
    const why = "Deno was not given the permission";
    return new TrackerError("PERMISSION_DENIED", `${action}: ${why}`, { cause, reason: "not-granted" });
  }
  if (cause instanceof PermissionDenied) {
    return new TrackerError("PERMISSION_DENIED", `${action}: the system forbids it`, {
      cause,
      reason: "forbidden-port",
    });
  }
  return new TrackerError("BAD_ADDRESS", `${action}: ${messageOf(cause)}`, { cause });
}
