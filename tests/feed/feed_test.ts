import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { decodeEvents, MAX_TOMBSTONES, Registry } from "../../mod.ts";
import { MAX_HELD } from "../../lib/feed/budget.ts";
import { Feed } from "../../lib/feed/feed.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { EventWriter, type WatchEvent } from "../../lib/wire/event_writer.ts";
import type { WatchRequest } from "../../lib/wire/requests.ts";
import { textOf } from "../support/bytes.ts";
import { VirtualTime } from "../support/virtual_time.ts";

const LONG = "x".repeat(40_000);

/** A map with a feed, in time that passes when told to. */
class Stage implements Disposable {
  readonly time = new VirtualTime();
  readonly registry = new Registry({ incarnation: "i" });
  readonly feed = new Feed(this.registry, () => new EventWriter());
  readonly #watchers: Watcher[] = [];

  watch(request: WatchRequest = {}): Watcher {
    const watcher = this.feed.watch(request, () => {});
    this.#watchers.push(watcher);
    return watcher;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
    this.time[Symbol.dispose]();
    assertEquals(this.time.running, 0);
  }
}

function take(watcher: Watcher): WatchEvent[] {
  const frame = watcher.hasNews ? watcher.next() : null;
  return frame === null ? [] : decodeEvents(frame.subarray(8));
}

function drain(watcher: Watcher): WatchEvent[] {
  const events: WatchEvent[] = [];
  while (watcher.hasNews && !watcher.isLost) events.push(...take(watcher));
  return events;
}

/** Opens clients and closes them until the registry has forgotten the first of these leaves. */
function forgetLeaves(registry: Registry): void {
  for (let i = 0; i < MAX_TOMBSTONES; i++) registry.close(registry.open("", { id: `passing:${i}` }));
}

function brief(events: readonly WatchEvent[]): string[] {
  return events.map((event) => {
    const state = "state" in event ? ` ${textOf(event.state).slice(0, 6)}` : "";
    return `${event.revision} ${event.kind} ${"id" in event ? event.id : ""}${state}`.trim();
  });
}

Deno.test("a watcher says to have been told no more than it was", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["1", "2", "3", "4"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  while (!take(watcher).some(({ kind }) => kind === "synced")) assertEquals(watcher.revision, 0);
  assertEquals(watcher.revision, 4);
  watcher.close();
  for (const entry of entries) registry.update(entry, `5${LONG}`);
  const again = stage.watch({ since: { incarnation: "i", revision: 4 } });
  assertEquals(brief(take(again)), ["5 update client1 5xxxxx", "6 update client2 5xxxxx"]);
  assertEquals(again.revision, 6);
  // Whoever comes back to that revision gets the rest.
  assertEquals(brief(drain(stage.watch({ since: { incarnation: "i", revision: again.revision } }))).slice(0, 2), [
    "7 update client3 5xxxxx",
    "8 update client4 5xxxxx",
  ]);
  drain(again);
  assertEquals(again.revision, 8);
  await stage.time.advance(20);
});

Deno.test("a watcher of quiet clients is not lost because of others that come and go", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const quiet = registry.open("quiet", { id: "quiet:1" });
  const watcher = stage.watch({ prefix: "quiet:" });
  drain(watcher);
  forgetLeaves(registry);
  await stage.time.advance(20);
  for (let i = 0; i < 40; i++) registry.update(quiet, `${i} ${LONG}`);
  await stage.time.advance(20);
  assert(!watcher.isLost, "it was told everything until just now");
  assertEquals(brief(drain(watcher)), [`${registry.revision} update quiet:1 39 xxx`]);
});

Deno.test("a watcher that leaves were forgotten of in the middle of catching up is lost, and not left in the dark", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["a", "b", "c"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  drain(watcher);
  for (let i = 0; i < 10; i++) for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
  await stage.time.advance(20);
  take(watcher);
  registry.close(entries[0]!);
  forgetLeaves(registry);
  await stage.time.advance(20);
  const events = drain(watcher);
  const isTold = events.some((event) => event.kind === "leave" && event.id === "client1");
  assert(isTold || watcher.isLost, "client1 left, and the watcher will never know");
});

Deno.test("a watcher with a prefix is told of a leave between two rounds of catching up, or is lost", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["1", "2", "3", "4"].map((name) => registry.open(LONG, { id: `quiet:${name}` }));
  const watcher = stage.watch({ prefix: "quiet:" });
  const rounds = () => {
    for (const entry of entries) registry.update(entry, LONG);
  };
  take(watcher);
  rounds();
  // The rest of the snapshot, then half of a round that is overtaken before it ends.
  for (let frames = 0; frames < 2; frames++) take(watcher);
  rounds();
  assert(!take(watcher).some(({ kind }) => kind === "synced"));
  registry.close(entries[0]!);
  forgetLeaves(registry);
  await stage.time.advance(20);
  const events = drain(watcher);
  const isTold = events.some((event) => event.kind === "leave" && event.id === "quiet:1");
  assert(isTold || watcher.isLost, "quiet:1 left, and the watcher will never know");
});

Deno.test("a client is told to join before anything else of it, also to a watcher cut off in between", () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["a", "b", "c"].map((state) => registry.open(state));
  for (const entry of entries) registry.update(entry, LONG);
  const since = { incarnation: "i", revision: 0 };
  const [first] = [take(stage.watch({ since }))];
  const rest = drain(stage.watch({ since: { incarnation: "i", revision: first.at(-1)!.revision } }));
  const told = [...first, ...rest].filter((event) => event.kind === "join");
  assertEquals(told.map(({ id }) => id), ["client1", "client2", "client3"]);
});

Deno.test("a client that joined, got lost and was updated is told to be suspect", () => {
  using stage = new Stage();
  const { registry } = stage;
  const entry = registry.open("1");
  registry.mark(entry, "suspect");
  registry.update(entry, "2");
  const watcher = stage.watch({ since: { incarnation: "i", revision: 0 } });
  assertEquals(brief(drain(watcher)), ["1 join client1 2", "2 suspect client1", "3 synced"]);
});

Deno.test("a watcher that reads more slowly than the map changes is synced all the same", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = Array.from({ length: 20 }, () => registry.open(LONG));
  const watcher = stage.watch();
  let frames = 0;
  for (let synced = false; !synced; frames++) {
    synced = take(watcher).some(({ kind }) => kind === "synced");
    for (const entry of entries) registry.update(entry, LONG);
    await stage.time.advance(10);
    assertLess(frames, 100, "synced never comes");
  }
  drain(watcher);
  assertEquals(watcher.revision, registry.revision);
});

Deno.test("a watcher that stops in the middle of its snapshot does not keep those who come and go meanwhile", () => {
  using stage = new Stage();
  const { registry } = stage;
  const state = new Uint8Array(65_536);
  let entries = Array.from({ length: 100 }, () => registry.open(state));
  const watcher = stage.watch();
  assertEquals(brief(take(watcher)).length, 1);
  const before = Deno.memoryUsage().external;
  for (let turn = 0; turn < 80; turn++) {
    entries = entries.map((entry) => {
      registry.close(entry);
      return registry.open(state);
    });
  }
  // 500 MiB have come and gone.
  assertLess(Deno.memoryUsage().external - before, 250 * 2 ** 20);
  const events = drain(watcher);
  assertEquals(events.length, 8_000 + 100 + 1);
  assertEquals(events.at(-1)?.kind, "synced");
});

Deno.test("a snapshot goes on where it was, whoever has come, gone or changed meanwhile", () => {
  using stage = new Stage();
  const { registry } = stage;
  const [one, two, three, four] = ["1", "2", "3", "4"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  assertEquals(brief(take(watcher)), ["1 present client1 1xxxxx", "2 present client2 2xxxxx"]);
  registry.close(two!);
  registry.close(three!);
  registry.update(one!, "one");
  registry.update(four!, "four");
  registry.open("five");
  assertEquals(brief(drain(watcher)), [
    "8 present client4 four",
    "5 leave client2",
    "6 leave client3",
    "7 update client1 one",
    "8 update client4 four",
    "9 join client5 five",
    "9 synced",
  ]);
});

Deno.test("watchers that stop while they catch up share what memory there is for that, and miss nothing", () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  for (let i = 0; i < 60_000; i++) registry.close(registry.open("", { id: `passing:${i}` }));
  const since = { incarnation: "i", revision: 0 };
  const watchers = Array.from({ length: 40 }, () => stage.watch({ since }));
  const told = watchers.map((watcher) => take(watcher).length);
  assertGreater(feed.budget.used, MAX_HELD / 2);
  assertLess(feed.budget.used, MAX_HELD + 1);
  for (const [at, watcher] of watchers.entries()) {
    if (at % 13 !== 0) continue;
    const events = drain(watcher);
    assertEquals(told[at]! + events.length, 60_001);
    assertEquals(events[0]?.revision, told[at]! * 2 + 2);
    assertEquals(brief(events.slice(-2)), ["120000 leave passing:59999", "120000 synced"]);
  }
  for (const watcher of watchers) watcher.close();
  assertEquals(feed.budget.used, 0);
  assertEquals(feed.conflated, 0);
});

Deno.test("what is prepared for watchers has a bound, and one that gives its own up is told it all the same", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entries = Array.from({ length: 400 }, () => registry.open(LONG));
  const maps: Map<string, string>[] = [];
  const follow = (watcher: Watcher, map: Map<string, string>): boolean => {
    const events = take(watcher);
    for (const event of events) if ("state" in event) map.set(event.id, textOf(event.state.subarray(0, 2)));
    return events.some(({ kind }) => kind === "synced");
  };
  const watchers = ["a", "b", "c", "d", "e", "f"].map((name) => {
    const watcher = stage.watch();
    const map = new Map<string, string>();
    maps.push(map);
    const held = feed.budget.used;
    // Everything changes before it has been told, until the rest is prepared: 16 MB, for which there is room four times.
    for (let turn = 0; turn < 800 && feed.budget.used < held + 10_000_000; turn++) {
      if (turn % 150 === 0) { for (const entry of entries) registry.update(entry, `${name}${turn / 150}${LONG}`); }
      follow(watcher, map);
    }
    return watcher;
  });
  assertGreater(feed.budget.used, MAX_HELD / 2);
  assertLess(feed.budget.used, MAX_HELD + 1);
  for (const watcher of watchers.slice(0, 2)) watcher.releaseMemory();
  assertLess(feed.budget.used, MAX_HELD / 2 + 4_000_000);
  await stage.time.advance(20);
  for (const [at, watcher] of watchers.entries()) {
    let synced = 0;
    while (watcher.hasNews) if (follow(watcher, maps[at]!)) synced++;
    assertEquals(synced, 1);
    assertEquals([...new Set(maps[at]!.values())], [textOf(entries[0]!.state.subarray(0, 2))]);
    assertEquals(maps[at]!.size, entries.length);
    assertEquals(watcher.revision, registry.revision);
  }
  assertEquals(feed.budget.used, 0);
});

Deno.test("the map is looked through for what a watcher has not been told only when that may be too much", async () => {
  let looks = 0;
  class Observed extends Registry {
    override entries(): ReturnType<Registry["entries"]> {
      looks++;
      return super.entries();
    }
  }
  using time = new VirtualTime();
  const registry = new Observed();
  const entries = Array.from({ length: 10 }, () => registry.open(LONG));
  const feed = new Feed(registry, () => new EventWriter());
  const watcher = feed.watch({}, () => {});
  watcher.next();
  const exact = watcher.pendingBytes();
  assert(exact > 8 * LONG.length && exact < 9 * LONG.length, `${exact}`);
  looks = 0;
  registry.update(entries[9]!, LONG);
  assertEquals(watcher.pendingBytes(10 * LONG.length) <= 10 * LONG.length, true);
  assertEquals(looks, 0);
  registry.update(entries[9]!, LONG);
  // It could be more than that by now, and is not.
  assertEquals(watcher.pendingBytes(10 * LONG.length), exact);
  assertEquals(looks, 1);
  await time.advance(20);
  watcher.close();
});

Deno.test("what a watcher says to have been told never goes back", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const watcher = stage.watch({ prefix: "ada" });
  const said: number[] = [];
  const ada = registry.open("1", { id: "ada" });
  drain(watcher);
  for (const act of [() => registry.open("2"), () => registry.update(ada, "3"), () => registry.open("4")]) {
    act();
    said.push(watcher.revision);
    await stage.time.advance(20);
    said.push(watcher.revision);
    drain(watcher);
  }
  assertEquals(said, [2, 2, 2, 2, 4, 4]);
});

Deno.test("what is told twice in a turn costs one frame, whoever asks for it", async () => {
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
  const feed = new Feed(registry, () => new EventWriter(), { tick: 3_600_000 });
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
