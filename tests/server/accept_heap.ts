/** Prints the bytes of heap that a server keeps for each connection that has come and gone, where accepting pauses. */

import { type Incoming, type Listener, Server, type SocketAddress } from "../../mod.ts";
import { bytesKept } from "../support/heap.ts";
import { VirtualTime } from "../support/virtual_time.ts";

const ROUNDS = 10_000;

/** Time that passes for each connection, in milliseconds: as long as either pause takes. */
const PAUSE = 100;

const ADDRESS: SocketAddress = { transport: "tcp", hostname: "memory", port: 0 };

/** A connection that has ended before it was accepted. */
class EndedConnection implements Incoming {
  readonly remoteAddr = ADDRESS;

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  close(): void {}
}

/** A listener with a connection always waiting, or without a descriptor for any. */
class BusyListener implements Listener {
  readonly addr = ADDRESS;
  readonly isSecure = false;
  accepted = 0;
  readonly #isExhausted: boolean;

  constructor(isExhausted: boolean) {
    this.#isExhausted = isExhausted;
  }

  accept(): Promise<Incoming> {
    this.accepted++;
    return this.#isExhausted ? Promise.reject(new Error("no descriptor")) : Promise.resolve(new EndedConnection());
  }

  close(): void {}
  abort(): void {}

  finish(): Promise<void> {
    return Promise.resolve();
  }
}

async function measure(isExhausted: boolean): Promise<number> {
  using time = new VirtualTime();
  const listener = new BusyListener(isExhausted);
  const server = new Server([listener], { acceptRate: 1_000 / PAUSE });
  const kept = await bytesKept(ROUNDS, async (rounds) => {
    const before = listener.accepted;
    await time.advance(rounds * PAUSE);
    const accepted = listener.accepted - before;
    if (accepted < rounds) throw new Error(`${accepted} instead of ${rounds} connections were accepted`);
  });
  await server.shutdown();
  return kept;
}

const results = { paced: await measure(false), failing: await measure(true) };

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(results)));
