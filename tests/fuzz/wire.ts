/**
 * A connection in memory of which the other end is in somebody's hands: it delivers when told to, and knows when what it
 * has delivered has been dealt with. No clock is involved, so that a case is the same each time.
 *
 * @module
 */

import type { Incoming, SocketAddress } from "../../mod.ts";

/** A `read` that waits for bytes. */
interface Reader {
  readonly buffer: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** How a connection may end. */
type Ending = "open" | "ended" | "reset" | "closed";

/** One end, as a session sees it, and what to do to it. */
export class Wire implements Incoming {
  readonly remoteAddr: SocketAddress = { transport: "tcp", hostname: "memory", port: 0 };
  /** What has been written to it. */
  readonly output: number[] = [];
  /** Whether it was reset, which may destroy what was on its way. */
  isBroken = false;
  /** Most bytes taken by one write and given by one read: as little as TCP likes. */
  readonly #most: number;
  #pending: Uint8Array = new Uint8Array();
  #reader: Reader | null = null;
  #idle = Promise.withResolvers<void>();
  #state: Ending = "open";

  /** @param most Most bytes taken by one write and given by one read */
  constructor(most: number) {
    this.#most = most;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#reader = { buffer, resolve, reject };
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

  /** Delivers bytes; resolves when whoever reads them has come back for more, or has gone. */
  async deliver(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "open") return;
    this.#pending = bytes;
    this.#idle = Promise.withResolvers();
    this.#serve();
    await this.#idle.promise;
  }

  /** Ends the stream, in order. */
  end(): void {
    this.#finish("ended");
  }

  /** Breaks the connection. */
  reset(): void {
    this.isBroken = true;
    this.#finish("reset");
  }

  #finish(state: Ending): void {
    if (this.#state === "open" || state === "closed") this.#state = state;
    this.#serve();
  }

  /** Gives a waiting reader what there is for it. */
  #serve(): void {
    const reader = this.#reader;
    if (this.#state === "closed") this.#idle.resolve();
    if (reader === null) return;
    if (this.#state === "closed" || this.#state === "reset") return this.#release().reject(new Error(this.#state));
    if (this.#pending.length !== 0) return this.#release().resolve(this.#give(reader.buffer));
    if (this.#state === "ended") return this.#release().resolve(null);
    this.#idle.resolve();
  }

  #release(): Reader {
    const reader = this.#reader!;
    this.#reader = null;
    return reader;
  }

  #give(buffer: Uint8Array): number {
    const given = this.#pending.subarray(0, Math.min(this.#most, buffer.length));
    buffer.set(given);
    this.#pending = this.#pending.subarray(given.length);
    return given.length;
  }
}
