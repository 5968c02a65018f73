/**
 * A connection of which something has been read already.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";

/** A connection of which something has been read already: it is read again, before the rest. */
export class PrefixedConnection implements Incoming {
  readonly remoteAddr: SocketAddress;
  readonly #connection: Incoming;
  /** What has been read already. */
  #rest: Uint8Array;

  /**
   * @param connection The connection
   * @param rest What has been read already
   * @param remoteAddr Where its client is; where the connection comes from unless given
   */
  constructor(connection: Incoming, rest: Uint8Array, remoteAddr: SocketAddress = connection.remoteAddr) {
    this.#connection = connection;
    this.#rest = rest;
    this.remoteAddr = remoteAddr;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) return this.#connection.read(buffer);
    const count = Math.min(buffer.length, this.#rest.length);
    buffer.set(this.#rest.subarray(0, count));
    this.#rest = count === this.#rest.length ? EMPTY : this.#rest.subarray(count);
    return Promise.resolve(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite?.();
  }

  close(): void {
    this.#connection.close();
  }
}
