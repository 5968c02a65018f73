import type { Incoming, SocketAddress } from "../../mod.ts";
import { Random } from "./random.ts";

/** Bytes that one direction holds before a writer must wait, so that back pressure is real. */
const CAPACITY = 16_384;

/** One direction of a connection. */
class Pipe {
  readonly #queue: Uint8Array[] = [];
  #held = 0;
  #ended = false;
  #reset = false;
  #stalled = false;
  #changed = Promise.withResolvers<void>();

  get hasUnread(): boolean {
    return this.#held !== 0;
  }

  end(): void {
    this.#ended = true;
    this.#announce();
  }

  reset(): void {
    this.#queue.length = 0;
    this.#held = 0;
    this.#reset = true;
    this.#announce();
  }

  /** Holds back the bytes written so far and later, or lets them through again. */
  stall(isStalled: boolean): void {
    this.#stalled = isStalled;
    this.#announce();
  }

  /** Wakes pending reads and writes, so that they check again. */
  poke(): void {
    this.#announce();
  }

  async put(bytes: Uint8Array, isClosed: () => boolean): Promise<number> {
    for (;;) {
      if (isClosed()) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#reset) throw new Deno.errors.ConnectionReset("connection reset");
      if (this.#ended) throw new Deno.errors.BrokenPipe("broken pipe");
      if (this.#held < CAPACITY) break;
      await this.#changed.promise;
    }
    const taken = bytes.slice(0, CAPACITY - this.#held);
    this.#queue.push(taken);
    this.#held += taken.length;
    this.#announce();
    return taken.length;
  }

  async take(buffer: Uint8Array, isClosed: () => boolean): Promise<number | null> {
    for (;;) {
      if (isClosed()) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#reset) throw new Deno.errors.ConnectionReset("connection reset");
      if (!this.#stalled && this.#held !== 0) break;
      if (!this.#stalled && this.#ended) return null;
      await this.#changed.promise;
    }
    let copied = 0;
    while (copied < buffer.length) {
      const first = this.#queue[0];
      if (first === undefined) break;
      const part = first.subarray(0, buffer.length - copied);
      buffer.set(part, copied);
      copied += part.length;
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
    }
    this.#held -= copied;
    this.#announce();
    return copied;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** One end of a connection in memory, as harsh as TCP: short reads, short writes, resets, back pressure. */
export class MemoryConnection implements Incoming {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  readonly #random: Random | null;
  #closed = false;

  constructor(incoming: Pipe, outgoing: Pipe, random: Random | null) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#random = random;
  }

  /** An address that no network has. */
  readonly remoteAddr: SocketAddress = { transport: "tcp", hostname: "memory", port: 0 };

  get closed(): boolean {
    return this.#closed;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    return await this.#incoming.take(this.#shorten(buffer), () => this.#closed);
  }

  async write(bytes: Uint8Array): Promise<number> {
    return await this.#outgoing.put(this.#shorten(bytes), () => this.#closed);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  /** Closes. As with TCP, unread input resets the connection, and the other end loses what it has not read. */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.#closed = true;
    if (this.#incoming.hasUnread) this.#outgoing.reset();
    else this.#outgoing.end();
    this.#incoming.reset();
    this.#outgoing.poke();
  }

  /** Lets nothing arrive here, as a stalled network or program does, or lets it arrive again. */
  stall(isStalled = true): void {
    this.#incoming.stall(isStalled);
  }

  /** Breaks the connection in both directions, as a crash does. */
  reset(): void {
    this.#incoming.reset();
    this.#outgoing.reset();
  }

  #shorten(bytes: Uint8Array): Uint8Array {
    if (this.#random === null || bytes.length < 2 || this.#random.next() < 0.5) return bytes;
    return bytes.subarray(0, this.#random.integer(1, bytes.length));
  }
}

/**
 * Creates a connection in memory.
 *
 * @param seed Cuts reads and writes short at random; without one they take everything there is
 * @returns Its two ends
 */
export function createPair(seed?: number): [MemoryConnection, MemoryConnection] {
  const random = seed === undefined ? null : new Random(seed);
  const there = new Pipe();
  const back = new Pipe();
  return [new MemoryConnection(back, there, random), new MemoryConnection(there, back, random)];
}
