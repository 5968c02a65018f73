/**
 * The inner end of TLS.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import type { KeyPair } from "../transport/listener.ts";
import { setNoDelay } from "./address.ts";
import { listenError } from "./tcp_listener.ts";
import { keyPairError } from "./tls_errors.ts";

/** The address that only this machine has. */
const LOOPBACK = "127.0.0.1";

/** An inner connection: our end, and the end that speaks TLS. */
export interface Inner {
  readonly near: Deno.TcpConn;
  readonly far: Deno.TlsConn;
}

/** Where relays end: a listener with a certificate, on a port of this machine that nobody is told. */
export class TlsTerminator {
  readonly #listener: Deno.TlsListener;
  /** The last of the connections being made: they are made one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Starts listening on a free port of the loopback address.
   *
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE when it cannot be used
   */
  constructor({ cert, key }: KeyPair) {
    try {
      this.#listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key });
    } catch (cause) {
      throw keyPairError(cause) ?? listenError(LOOPBACK, cause);
    }
  }

  /** Makes a connection to itself, once those requested before are made. */
  connect(): Promise<Inner> {
    const connecting = this.#last.then(() => this.#connect());
    this.#last = connecting.catch(ignore);
    return connecting;
  }

  /** Closes once the requested connections are made. */
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
        // Another program of this machine has found the port. It has no business here.
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
