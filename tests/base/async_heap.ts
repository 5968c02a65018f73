/** Prints the bytes of heap that a wait leaves behind on a signal, or on a promise, that outlives it. */

import { delay, withTimeout } from "../../lib/base/async.ts";
import { bytesKept } from "../support/heap.ts";

/** Waits at once, so that 100,000 of them take about a second. */
const AT_ONCE = 100;

const ROUNDS = 100_000;

async function inBatches(rounds: number, wait: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < rounds; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, wait));
}

const { signal } = new AbortController();
const onTimeout = () => new Error("too late");

const results = {
  delay: await bytesKept(ROUNDS, (rounds) => inBatches(rounds, () => delay(0, signal))),
  withTimeout: await bytesKept(ROUNDS, (rounds) => {
    return inBatches(rounds, () => withTimeout(Promise.resolve(), { timeout: 60_000, signal, onTimeout }));
  }),
};

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(results)));
