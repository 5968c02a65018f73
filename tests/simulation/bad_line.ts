import type { Duplex, Incoming, SocketAddress } from "../../mod.ts";

/** How long bytes take, in milliseconds. */
const LATENCY = 2;

/** One direction of a line. Whatever happens to it, bytes that arrive do so in order. */
class Direction {
  /** What has arrived and is not read yet. */
  readonly #arrived: Uint8Array[] = [];
  /** What waits for the direction to be let go; `null` stands for the end. */
  readonly #held: (Uint8Array | null)[] = [];
  #isHeld = false;
  #isDead = false;
  #hasEnded = false;
  #failure: Error | null = null;
  #changed = Promise.withResolvers<void>();

  /** Sends bytes, or with `null` the end. */
  send(bytes: Uint8Array | null): void {
    if (this.#isDead) return;
    if (this.#isHeld) this.#held.push(bytes);
    else setTimeout(() => this.#arrive(bytes), LATENCY);
  }

  /** Holds everything back, or lets all of it go. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) { for (const bytes of this.#held.splice(0)) this.send(bytes); }
  }

  /** Loses everything from now on, without a word, as a machine without power does. */
  kill(): void {
    this.#isDead = true;
    this.#held.length = 0;
  }

  /** Breaks it for its reader. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#announce();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const [first] = this.#arrived;
      if (first !== undefined) return this.#take(first, buffer);
      if (this.#hasEnded) return null;
      await this.#changed.promise;
    }
  }

  #take(first: Uint8Array, buffer: Uint8Array): number {
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(count);
    return count;
  }

  #arrive(bytes: Uint8Array | null): void {
    if (this.#isDead) return;
    if (bytes === null) this.#hasEnded = true;
    else this.#arrived.push(bytes);
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** One end of a line. */
class End implements Incoming, Duplex {
  readonly remoteAddr: SocketAddress = { transport: "tcp", hostname: "memory", port: 1 };
  readonly #out: Direction;
  readonly #in: Direction;

  constructor(out: Direction, into: Direction) {
    this.#out = out;
    this.#in = into;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#in.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.#out.send(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    this.#out.send(null);
    return Promise.resolve();
  }

  close(): void {
    this.#out.send(null);
    this.#in.fail(new Deno.errors.Interrupted("operation canceled"));
  }
}

/** A connection over a network that holds bytes back, loses them, or breaks. */
export class BadLine {
  readonly #up = new Direction();
  readonly #down = new Direction();
  readonly client: Duplex = new End(this.#up, this.#down);
  readonly server: Incoming = new End(this.#down, this.#up);

  /** Holds back what the client sends, or what the server answers. */
  hold(direction: "up" | "down", isHeld: boolean): void {
    (direction === "up" ? this.#up : this.#down).hold(isHeld);
  }

  /** Loses everything from now on, in both directions. */
  kill(): void {
    this.#up.kill();
    this.#down.kill();
  }

  /** Resets it, for both sides. */
  reset(): void {
    for (const direction of [this.#up, this.#down]) {
      direction.kill();
      direction.fail(new Deno.errors.ConnectionReset("connection reset"));
    }
  }
}
