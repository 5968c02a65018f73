/** Prints the bytes of heap that a server keeps for each client in its grace, states and identifiers included. */

import { bytesOf, longLength } from "../support/bytes.ts";
import { bytesKept } from "../support/heap.ts";
import { SessionHost } from "./support/session_host.ts";

const ROUNDS = 1_000;

/** Half of an Update whose state is as long as may be. */
const HALF = bytesOf(42, 2, longLength(65_536), new Uint8Array(32_768));

async function measure(rest: Uint8Array): Promise<number> {
  await using host = new SessionHost({ maxSuspects: 100_000 });
  let names = 0;
  return await bytesKept(ROUNDS, async (rounds) => {
    for (let round = 0; round < rounds; round++) {
      // The host would keep every peer it has made.
      const peer = host.connectOnce();
      await peer.hello({ name: `robot:${names++}`, grace: 3_600 });
      await peer.open("idle");
      if (rest.length !== 0) await peer.send(rest);
      await peer.vanish();
    }
    host.events.length = 0;
  });
}

const results = { idle: await measure(new Uint8Array()), halfSent: await measure(HALF) };

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(results)));
