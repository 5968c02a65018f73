/**
 * Turns of the event loop, by way of a socket.
 *
 * @module
 */

import { timerTurn } from "../base/turns.ts";
import { isSameAddress, LOOPBACK, setNoDelay } from "./address.ts";

/** Shortest time between two attempts to make the pair, in milliseconds. */
const RETRY = 1_000;

const BYTE = new Uint8Array(1);

/** Two ends of one connection. */
type Pair = readonly [near: Deno.TcpConn, far: Deno.TcpConn];

/**
 * Waits until the runtime has looked at its sockets, by waiting for a byte on one of its own.
 *
 * The runtime asks the system for news only when it has nothing else to do, or after many turns of a kind that leave
 * sockets alone. A byte that is written after it was asked for cannot be ready at once: to bring it, the runtime must ask
 * the system, and then it hears of all other sockets too. That takes a hundredth of a millisecond; a timer takes one or
 * two, in which nothing happens.
 *
 * The sockets are made when the first turn is waited for. Where that is not allowed, timers do the work.
 */
export class SocketTurn {
  readonly #buffer = new Uint8Array(16);
  #pair: Pair | null = null;
  /** When a pair may be made, on the monotonic clock. */
  #requestableAt = -Infinity;
  /** Settles when the pair that was asked for last is made, or cannot be. */
  #requested: Promise<void> = Promise.resolve();
  /** Settles when the turn that was waited for last has come. */
  #turning: Promise<void> = Promise.resolve();
  #isClosed = false;

  /**
   * Waits for a turn. One at a time.
   *
   * @returns Resolves when the runtime has looked at every socket; never rejects
   */
  turn(): Promise<void> {
    return this.#turning = this.#take();
  }

  /**
   * Closes the sockets. A turn that is waited for comes all the same.
   *
   * @returns Resolves when none of them is left, and nobody waits any more
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#release();
    await this.#requested;
    await this.#turning;
  }

  async #take(): Promise<void> {
    if (this.#pair === null) {
      this.#request();
      return await timerTurn();
    }
    const [near, far] = this.#pair;
    try {
      const reading = near.read(this.#buffer);
      await Promise.all([reading, far.write(BYTE)]);
    } catch {
      // Closed meanwhile, or broken by the system.
      this.#release();
      await timerTurn();
    }
  }

  /** Makes the pair, without waiting for it. If that fails, such as for want of descriptors, it is tried again later. */
  #request(): void {
    const now = performance.now();
    if (this.#isClosed || now < this.#requestableAt) return;
    this.#requestableAt = now + RETRY;
    this.#requested = connectPair().then((pair) => {
      this.#pair = pair;
      if (this.#isClosed) this.#release();
    });
  }

  #release(): void {
    const pair = this.#pair;
    this.#pair = null;
    for (const each of pair ?? []) each.close();
  }
}

/** Connects to itself. Returns `null` where that is not allowed, or the system has no descriptor left. */
async function connectPair(): Promise<Pair | null> {
  // Without asking first, Deno would ask the user.
  if (Deno.permissions.querySync({ name: "net", host: LOOPBACK }).state !== "granted") return null;
  let near: Deno.TcpConn | null = null;
  try {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    const far = await acceptFrom(listener, near.localAddr);
    setNoDelay(far);
    return [near, far];
  } catch {
    near?.close();
    return null;
  }
}

/** Accepts our own connection. Any other program of this machine that has found the port has no business here. */
async function acceptFrom(listener: Deno.TcpListener, address: Deno.NetAddr): Promise<Deno.TcpConn> {
  for (;;) {
    const connection = await listener.accept();
    if (isSameAddress(connection.remoteAddr, address)) return connection;
    connection.close();
  }
}
