/** When watchers are told, seen from the feed alone. */

import { assertEquals } from "@std/assert";
import { decodeEvents, Registry } from "../mod.ts";
import { Feed, type Watcher } from "../lib/feed.ts";

/** Takes all there is, and says which states it tells, by their first byte. */
function takeStates(watcher: Watcher): (number | undefined)[] {
  const states: (number | undefined)[] = [];
  for (let frame = watcher.next(); frame !== null; frame = watcher.next()) {
    for (const event of decodeEvents(frame.subarray(8))) {
      if (event.kind === "update") states.push(event.state[0]);
    }
  }
  return states;
}

Deno.test("a full frame does not wait for the tick to be over, and drops nobody who keeps up", async () => {
  const registry = new Registry();
  const feed = new Feed(registry, { tick: 3_600_000 });
  const entry = registry.open("");
  const told: (number | undefined)[] = [];
  const watcher = feed.watch({}, () => told.push(...takeStates(watcher)));
  takeStates(watcher);
  try {
    // The first change after a quiet time is told at once. From there on the tick would last an hour, and all the
    // states of it take more than a watcher may be behind.
    const states = Array.from({ length: 40 }, (_, i) => i);
    for (const i of states) {
      registry.update(entry, new Uint8Array(65_536).fill(i));
      await Promise.resolve();
    }
    assertEquals(told, states);
  } finally {
    watcher.close();
  }
});

Deno.test("small changes are told together when the tick is over", async () => {
  const registry = new Registry();
  const feed = new Feed(registry, { tick: 20 });
  const entry = registry.open("");
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: (number | undefined)[][] = [];
  const watcher = feed.watch({}, () => {
    told.push(takeStates(watcher));
    if (told.length === 2) resolve();
  });
  takeStates(watcher);
  try {
    registry.update(entry, Uint8Array.of(1));
    await Promise.resolve();
    registry.update(entry, Uint8Array.of(2));
    registry.update(entry, Uint8Array.of(3));
    await promise;
    assertEquals(told, [[1], [2, 3]]);
  } finally {
    watcher.close();
  }
});
