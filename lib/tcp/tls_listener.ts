/**
 * A listener for TLS.
 *
 * @module
 */

import type { Incoming, KeyPair, Listener, SocketAddress } from "../transport/listener.ts";
import { createSecureContext, loadNodeModules, type SecureContext } from "./node_tls.ts";
import { timerTurn, Turns } from "../base/turns.ts";
import { SocketTurn } from "./socket_turn.ts";
import { ignore } from "../base/async.ts";
import type { Conversation, OtherProtocol } from "../server/other_protocol.ts";
import { PrefixedConnection } from "./prefixed_connection.ts";
import { UnintroducedConnection } from "./proxy_listener.ts";
import { TlsConnection } from "./tls_connection.ts";

/** First byte of a TLS connection: the type of the record that a handshake comes in. */
const HANDSHAKE = 22;

/** Brings connections that speak TLS. */
export class TlsListener implements Listener, OtherProtocol {
  readonly name = "tls";
  readonly addr: SocketAddress;
  readonly isSecure = true;
  readonly speaks: string | undefined;
  readonly #modules = loadNodeModules();
  readonly #listener: Listener;
  readonly #connections = new Set<TlsConnection>();
  readonly #socketTurn = new SocketTurn();
  readonly #handshakes = new Turns(() => this.#socketTurn.turn());
  #context: SecureContext;

  /**
   * Starts listening.
   *
   * @param listen Begins to listen, once the certificate is known to be good
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE, ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED; BAD_ARGUMENT when this
   *   version of Deno is too old
   */
  constructor(listen: () => Listener, pair: KeyPair) {
    this.#context = createSecureContext(this.#modules, pair);
    this.#listener = listen();
    this.addr = this.#listener.addr;
    this.speaks = this.#listener.speaks;
  }

  async accept(): Promise<Incoming> {
    const accepted = await this.#listener.accept();
    return accepted instanceof UnintroducedConnection ? accepted : this.#secure(accepted);
  }

  /** A connection of a plain port speaks TLS, too, if it begins like that. */
  isBegunBy(byte: number): boolean {
    return byte === HANDSHAKE;
  }

  converse(connection: Incoming, bytes: Uint8Array): Conversation {
    return {
      run: () => Promise.resolve(this.#secure(new PrefixedConnection(connection, bytes))),
      end: ignore,
      checkProgress: ignore,
    };
  }

  #secure(connection: Incoming): Incoming {
    const secured = new TlsConnection(this.#modules, connection, this.#context, this.#handshakes);
    this.#connections.add(secured);
    void secured.finished.then(() => this.#connections.delete(secured));
    return secured;
  }

  turn(): Promise<void> {
    return this.#listener.turn?.() ?? timerTurn();
  }

  reloadTls(pair: KeyPair): void {
    this.#context = createSecureContext(this.#modules, pair);
  }

  close(): void {
    this.#listener.close();
  }

  abort(): void {
    for (const connection of this.#connections) connection.abort();
  }

  async finish(): Promise<void> {
    await Promise.all(Array.from(this.#connections, ({ finished }) => finished));
    await this.#socketTurn.close();
    await this.#listener.finish();
  }
}
