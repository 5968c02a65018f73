/**
 * A listener for TLS.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import type { Incoming, KeyPair, Listener, SocketAddress } from "../transport/listener.ts";
import { TcpListener } from "./tcp_listener.ts";
import { TlsRelay } from "./tls_relay.ts";
import { TlsTerminator } from "./tls_terminator.ts";

/** Brings connections that speak TLS. See {@linkcode TlsRelay} for why clients do not reach Deno's listener directly. */
export class TlsListener implements Listener {
  readonly addr: SocketAddress;
  readonly isSecure = true;
  readonly #listener: TcpListener;
  readonly #relays = new Set<TlsRelay>();
  #terminator: TlsTerminator;
  /** Settles when every terminator that was replaced is out of use. */
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
    this.#terminator = new TlsTerminator(pair);
    try {
      this.#listener = new TcpListener(hostname, port);
    } catch (error) {
      void this.#terminator.close();
      throw error;
    }
    this.addr = this.#listener.addr;
  }

  async accept(): Promise<Incoming> {
    return this.#relay(await this.#listener.accept());
  }

  reloadTls(pair: KeyPair): void {
    const before = this.#terminator;
    this.#terminator = new TlsTerminator(pair);
    this.#replaced = Promise.all([this.#replaced, before.close()]).then(ignore);
  }

  close(): void {
    this.#listener.close();
  }

  abort(): void {
    for (const relay of this.#relays) relay.abort();
  }

  #relay(connection: Deno.TcpConn): TlsRelay {
    const terminator = this.#terminator;
    const relay = new TlsRelay(connection, () => terminator.connect());
    this.#relays.add(relay);
    void relay.finished.then(() => this.#relays.delete(relay));
    return relay;
  }

  async finish(): Promise<void> {
    await Promise.all(Array.from(this.#relays, ({ finished }) => finished));
    await Promise.all([this.#replaced, this.#terminator.close()]);
  }
}
