/**
 * A connection that speaks TLS.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { timerTurn, type Turns } from "../base/turns.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import { CipherStream } from "./cipher_stream.ts";
import type { NodeModules, NodeTlsSocket, SecureContext } from "./node_tls.ts";
import { clientHandshakeError } from "./tls_errors.ts";

/** Most bytes that one write takes. A client that takes less is noticed between two. */
const MAX_WRITE = 49_152;

/** How long the last bytes may take to leave once a connection is closed, in milliseconds. */
const LINGER = 2_000;

/** A read that waits for bytes. */
interface PendingRead {
  readonly buffer: Uint8Array;
  resolve(count: number | null): void;
  reject(error: unknown): void;
}

/** A TLS connection from a client. It can be closed at any time, whatever state it is in. */
export class TlsConnection implements Incoming {
  /** Where the client is. */
  readonly remoteAddr: SocketAddress;
  readonly isSecure = true;
  readonly #cipher: CipherStream;
  readonly #socket: NodeTlsSocket;
  /** Settles when both sides have agreed, or cannot any more. */
  readonly #agreed = Promise.withResolvers<void>();
  #hasAgreed = false;
  /** What was decrypted and not read yet, in order; `#offset` bytes of the first were. */
  readonly #plain: Uint8Array[] = [];
  #offset = 0;
  #reading: PendingRead | null = null;
  /** Ends the write that is going on. */
  #rejectWrite: (error: unknown) => void = ignore;
  #hasEnded = false;
  /** Settles when TLS has said its last; `null` before it has anything to say. */
  #flushing: Promise<void> | null = null;
  readonly #released = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why nothing works any more; `null` while it does. */
  #failure: unknown = null;
  #isClosed = false;

  /**
   * Starts agreeing on TLS.
   *
   * @param modules Node's
   * @param connection The client's connection
   * @param secureContext The certificate
   * @param turns How handshakes, each of which takes milliseconds, share the event loop
   */
  constructor(modules: NodeModules, connection: Incoming, secureContext: SecureContext, turns: Turns) {
    this.remoteAddr = connection.remoteAddr;
    // It may be closed by code that never waited for the handshake.
    this.#agreed.promise.catch(ignore);
    this.#cipher = new CipherStream(modules, connection, {
      onEnd: (error) => this.#noteEnd(error),
      pace: () => this.#hasAgreed || !turns.isSpent ? null : turns.rest(),
    });
    this.#socket = new modules.tls.TLSSocket(this.#cipher.stream, { isServer: true, secureContext });
    this.#socket.once("close", () => this.#released.resolve());
    this.#socket.once("secure", () => this.#agree());
    this.#socket.on("data", (bytes: Uint8Array) => this.#take(bytes));
    this.#socket.on("end", () => this.#end());
    this.#socket.on("error", (error) => void this.#fail(error));
    this.#cipher.wants = true;
  }

  /** Resolves when nothing of it is left. Never rejects. */
  get finished(): Promise<void> {
    return this.#released.promise.then(() => this.#flushing ?? undefined);
  }

  async handshake(): Promise<void> {
    await this.#agreed.promise;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (!this.#hasAgreed) await this.#agreed.promise;
    if (this.#plain.length !== 0) return this.#copyTo(buffer);
    if (this.#failure !== null) throw this.#failure;
    if (this.#hasEnded) return null;
    return await new Promise((resolve, reject) => {
      this.#reading = { buffer, resolve, reject };
      this.#cipher.wants = true;
    });
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.#hasAgreed) await this.#agreed.promise;
    if (this.#failure !== null) throw this.#failure;
    const part = bytes.length > MAX_WRITE ? bytes.subarray(0, MAX_WRITE) : bytes;
    await new Promise<void>((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#socket.write(part, (error) => error ? reject(error) : resolve());
    });
    return part.length;
  }

  /** Says in TLS that nothing more comes. The TCP stream ends with the connection. */
  async closeWrite(): Promise<void> {
    await this.#agreed.promise;
    if (this.#failure !== null) throw this.#failure;
    await this.#sayEnd();
  }

  /** Ends the connection. What TLS has to say last is still sent if the client takes it soon. Closing again is safe. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const isWhole = this.#hasAgreed && this.#failure === null;
    this.#give(new Deno.errors.Interrupted("operation canceled"));
    if (this.#flushing === null && !isWhole) return this.abort();
    this.#timer = setTimeout(() => this.abort(), LINGER);
    void this.#sayEnd().then(() => this.abort());
  }

  /** Ends the connection at once. */
  abort(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#give(new Deno.errors.Interrupted("operation canceled"));
    this.#cipher.close();
    this.#socket.destroy();
  }

  #agree(): void {
    this.#hasAgreed = true;
    this.#cipher.wants = this.#reading !== null;
    this.#agreed.resolve();
  }

  /** Takes decrypted bytes, straight to whoever waits for them. */
  #take(bytes: Uint8Array): void {
    this.#plain.push(bytes);
    const reading = this.#reading;
    if (this.#hasAgreed) this.#cipher.wants = false;
    if (reading === null) return;
    this.#reading = null;
    reading.resolve(this.#copyTo(reading.buffer));
  }

  #copyTo(buffer: Uint8Array): number {
    const [first] = this.#plain;
    const rest = first!.subarray(this.#offset, this.#offset + buffer.length);
    buffer.set(rest);
    this.#offset += rest.length;
    if (this.#offset === first!.length) {
      this.#plain.shift();
      this.#offset = 0;
    }
    return rest.length;
  }

  #end(): void {
    this.#hasEnded = true;
    const reading = this.#reading;
    this.#reading = null;
    reading?.resolve(null);
  }

  /** The TCP stream has ended. TLS tells by itself of the end of an orderly one. */
  #noteEnd(error: unknown): void {
    if (this.#flushing !== null && !this.#hasAgreed) return;
    if (!this.#hasAgreed) return this.#give(error ?? new Deno.errors.UnexpectedEof("the client ended the connection"));
    if (error !== null) this.#give(error);
  }

  /** Gives up after TLS has failed, once the client has been told why. */
  async #fail(error: unknown): Promise<void> {
    await (this.#flushing ??= this.#flush());
    this.#give(error);
  }

  /** Rejects whatever waits. */
  #give(error: unknown): void {
    if (!this.#hasAgreed) this.#agreed.reject(clientHandshakeError(error, this.#cipher.hasHeard));
    this.#failure ??= error;
    this.#rejectWrite(error);
    const reading = this.#reading;
    this.#reading = null;
    reading?.reject(error);
  }

  /** Never rejects. */
  #sayEnd(): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#socket.end(() => ended.resolve());
    return this.#flushing ??= Promise.race([ended.promise, this.#released.promise]).then(() => this.#flush());
  }

  /** Waits until what TLS has to say of its own accord is written: it does that a moment later. */
  async #flush(): Promise<void> {
    await timerTurn();
    await this.#cipher.drain();
  }
}
