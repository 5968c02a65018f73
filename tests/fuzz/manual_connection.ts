/**
 * A connection in memory whose other end is operated by hand: it delivers bytes when told to, and knows when they have
 * been handled. No clock is involved, so a case is the same each time.
 *
 * @module
 */

import type { Incoming, SocketAddress } from "../../mod.ts";

/** A pending `read`. */
interface PendingRead {
  readonly buffer: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** State of a connection. */
type State = "open" | "ended" | "reset" | "closed";

/** The server's end, as a session sees it, and the controls of the other. */
export class ManualConnection implements Incoming {
  readonly remoteAddr: SocketAddress = { transport: "tcp", hostname: "memory", port: 0 };
  /** The bytes that the session has written. */
  readonly output: number[] = [];
  /** Whether it was reset, which may destroy bytes in flight. */
  isBroken = false;
  /** Most bytes per read and per write: TCP may handle as few as it likes. */
  readonly #most: number;
  #pending: Uint8Array = new Uint8Array();
  #pendingRead: PendingRead | null = null;
  #idle = Promise.withResolvers<void>();
  #state: State = "open";

  /** @param most Most bytes per read and per write */
  constructor(most: number) {
    this.#most = most;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#pendingRead = { buffer, resolve, reject };
      this.#serve();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#state === "closed" || this.#state === "reset") return Promise.reject(new Deno.errors.BrokenPipe());
    const taken = bytes.subarray(0, this.#most);
    for (const byte of taken) this.output.push(byte);
    return Promise.resolve(taken.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#finish("closed");
  }

  /** Delivers bytes; resolves when the session has read them all and reads again, or has closed the connection. */
  async deliver(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "open") return;
    this.#pending = bytes;
    this.#idle = Promise.withResolvers();
    this.#serve();
    await this.#idle.promise;
  }

  /** Ends the stream in an orderly way. */
  end(): void {
    this.#finish("ended");
  }

  /** Resets the connection. */
  reset(): void {
    this.isBroken = true;
    this.#finish("reset");
  }

  #finish(state: State): void {
    if (this.#state === "open" || state === "closed") this.#state = state;
    this.#serve();
  }

  /** Completes a pending read, if it can. */
  #serve(): void {
    const pending = this.#pendingRead;
    if (this.#state === "closed") this.#idle.resolve();
    if (pending === null) return;
    if (this.#state === "closed" || this.#state === "reset") return this.#release().reject(new Error(this.#state));
    if (this.#pending.length !== 0) return this.#release().resolve(this.#give(pending.buffer));
    if (this.#state === "ended") return this.#release().resolve(null);
    this.#idle.resolve();
  }

  #release(): PendingRead {
    const pending = this.#pendingRead!;
    this.#pendingRead = null;
    return pending;
  }

  #give(buffer: Uint8Array): number {
    const given = this.#pending.subarray(0, Math.min(this.#most, buffer.length));
    buffer.set(given);
    this.#pending = this.#pending.subarray(given.length);
    return given.length;
  }
}
