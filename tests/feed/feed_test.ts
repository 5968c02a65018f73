import { assert, assertEquals } from "@std/assert";
import { Feed } from "../../lib/feed/feed.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { EventWriter } from "../../lib/wire/event_writer.ts";
import { Registry } from "../../mod.ts";
import { decodeEvents } from "../../lib/wire/mod.ts";
import { brief, drain, dropLeaves, LONG, Stage, take } from "./stage.ts";

Deno.test("feed tells the changes of a tick in one frame, to each prefix", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const [one, other] = [stage.watch(), stage.watch({ prefix: "client" })];
  for (const watcher of [one, other]) drain(watcher);
  registry.open("1", { id: "ada" });
  registry.open("2");
  await stage.time.advance(0);
  assertEquals(brief(take(one)), ["1 join ada 1", "2 join client1 2"]);
  assertEquals(brief(take(other)), ["2 join client1 2"]);
  registry.open("3");
  await stage.time.advance(0);
  assertEquals(drain(one), []);
  await stage.time.advance(10);
  assertEquals(brief(drain(one)), ["3 join client2 3"]);
  assertEquals(one.next(), null);
});

/** Takes all frames and returns the first byte of each state in them. */
function takeStates(watcher: Watcher): (number | undefined)[] {
  const states: (number | undefined)[] = [];
  for (let frame = watcher.next(); frame !== null; frame = watcher.next()) {
    for (const event of decodeEvents(frame.subarray(8))) {
      if (event.kind === "update") states.push(event.state[0]);
    }
  }
  return states;
}

Deno.test("feed gathers small changes until the end of the tick", async () => {
  const registry = new Registry();
  const feed = new Feed(registry, () => new EventWriter(), { tick: 20 });
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

Deno.test("feed tells a full frame before the end of the tick, and watchers that keep up stay live", async () => {
  const registry = new Registry();
  const feed = new Feed(registry, () => new EventWriter(), { tick: 3_600_000 });
  const entry = registry.open("");
  const told: (number | undefined)[] = [];
  const watcher = feed.watch({}, () => told.push(...takeStates(watcher)));
  takeStates(watcher);
  try {
    // The first change after a quiet time is told at once. From there on the tick would last an hour, and all its states
    // are more than a watcher may be behind.
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

Deno.test("watcher of quiet clients is not lost while others come and go", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const quiet = registry.open("quiet", { id: "quiet:1" });
  const watcher = stage.watch({ prefix: "quiet:" });
  drain(watcher);
  dropLeaves(registry);
  await stage.time.advance(20);
  for (let i = 0; i < 40; i++) registry.update(quiet, `${i} ${LONG}`);
  await stage.time.advance(20);
  assert(!watcher.isLost, "it was told everything until just now");
  assertEquals(brief(drain(watcher)), [`${registry.revision} update quiet:1 39 xxx`]);
});
