/**
 * A TLS connection that can be ended at any time.
 *
 * A connection that Deno's own TLS listener has accepted cannot be closed before both sides have agreed: `close()`
 * returns, but the socket and its memory live on for as long as the client likes, which may be forever. Clients that open
 * connections and say nothing could fill the server up. So clients connect to plain TCP, and every byte is relayed
 * through a second connection, inside this machine, to a TLS listener that only this program talks to. Closing that
 * connection from this side ends its other end as well, whatever state it is in.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { Pool } from "../base/pool.ts";
import { writeAll } from "../transport/duplex.ts";
import type { Incoming } from "../transport/listener.ts";
import { clientHandshakeError } from "./tls_errors.ts";
import type { Inner } from "./tls_terminator.ts";

/** Size of the buffer that a quiet direction reads into, in bytes. Most connections carry little at a time. */
const QUIET_BUFFER = 1_024;

/** Size of the buffer that a busy direction reads into, in bytes. */
const BUSY_BUFFER = 65_536;

/** How long bytes already written may take to leave once a connection is closed, in milliseconds. */
const LINGER = 2_000;

const quietBuffers = new Pool(256, () => new Uint8Array(QUIET_BUFFER));
const busyBuffers = new Pool(16, () => new Uint8Array(BUSY_BUFFER));

/** A TLS connection from a client. */
export class TlsRelay implements Incoming {
  /** Where the client is. */
  readonly remoteAddr: Deno.NetAddr;
  /** Resolves when nothing of it is left. Never rejects. */
  readonly finished: Promise<void>;
  readonly #outer: Deno.TcpConn;
  /** Settles when both sides have agreed, or cannot any more. */
  readonly #agreed = Promise.withResolvers<Deno.TlsConn>();
  readonly #ended = Promise.withResolvers<void>();
  /** The sockets that are still open. */
  readonly #open = new Set<{ close(): void }>();
  /** The end that speaks TLS, once the inner connection is made. */
  #far: Deno.TlsConn | null = null;
  #isAgreeing = true;
  /** Whether everything that will be sent has been sent. */
  #isFlushed = false;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts agreeing on TLS.
   *
   * @param outer The client's connection
   * @param connect Makes the inner connection
   */
  constructor(outer: Deno.TcpConn, connect: () => Promise<Inner>) {
    this.remoteAddr = outer.remoteAddr;
    this.#outer = outer;
    this.#open.add(outer);
    // It may be closed by code that never waited for the handshake.
    this.#agreed.promise.catch(ignore);
    this.finished = this.#run(connect);
  }

  async handshake(): Promise<void> {
    await this.#agreed.promise;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    return await (await this.#agreed.promise).read(buffer);
  }

  async write(bytes: Uint8Array): Promise<number> {
    return await (await this.#agreed.promise).write(bytes);
  }

  async closeWrite(): Promise<void> {
    await (await this.#agreed.promise).closeWrite();
  }

  /** Ends the connection. Bytes already written are still sent if the client takes them soon. Closing again is safe. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isAgreeing || this.#isFlushed || this.#far === null) return this.abort();
    this.#close(this.#far);
    this.#timer = setTimeout(() => this.abort(), LINGER);
  }

  /** Ends the connection at once. */
  abort(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const each of this.#open) this.#close(each);
    if (this.#isAgreeing) this.#agreed.reject(clientHandshakeError(new Deno.errors.Interrupted("operation canceled")));
    this.#ended.resolve();
  }

  async #run(connect: () => Promise<Inner>): Promise<void> {
    try {
      const { near, far } = await connect();
      this.#open.add(near).add(far);
      if (this.#isClosed) return;
      this.#far = far;
      const relays = Promise.all([this.#carryIn(near), this.#carryOut(near)]);
      // When one side breaks, the other is of no use.
      relays.catch(() => this.abort());
      await this.#handshake(far);
      await this.#ended.promise;
      await relays.catch(ignore);
    } catch (error) {
      this.#agreed.reject(clientHandshakeError(error));
    } finally {
      this.abort();
    }
  }

  /** Reports a failure to those who wait for the handshake. They close the connection, and TLS's own alert is still sent. */
  async #handshake(far: Deno.TlsConn): Promise<void> {
    try {
      await far.handshake();
      this.#agreed.resolve(far);
    } catch (error) {
      this.#agreed.reject(clientHandshakeError(error));
    }
    this.#isAgreeing = false;
  }

  /** Carries in what the client sends, until it ends its stream. Once the connection is closed, it is thrown away. */
  async #carryIn(near: Deno.TcpConn): Promise<void> {
    await carry(this.#outer, (bytes) => this.#isClosed ? Promise.resolve() : writeAll(near, bytes));
    if (!this.#isClosed) await near.closeWrite();
  }

  async #carryOut(near: Deno.TcpConn): Promise<void> {
    await carry(near, (bytes) => writeAll(this.#outer, bytes));
    await this.#outer.closeWrite();
    this.#isFlushed = true;
    if (this.#isClosed) this.abort();
  }

  /** Closes a socket, once. */
  #close(each: { close(): void }): void {
    if (!this.#open.delete(each)) return;
    try {
      each.close();
    } catch {
      // The system has closed it already.
    }
  }
}

/** Relays bytes until the stream ends, through a buffer that is large only while there are many. */
async function carry(from: Deno.TcpConn, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  let pool = quietBuffers;
  let buffer = pool.take();
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      await write(buffer.subarray(0, count));
      const fit = count === buffer.length || count > QUIET_BUFFER ? busyBuffers : quietBuffers;
      if (fit === pool) continue;
      pool.give(buffer);
      pool = fit;
      buffer = pool.take();
    }
  } finally {
    pool.give(buffer);
  }
}
