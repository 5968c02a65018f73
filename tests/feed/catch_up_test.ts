import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { MAX_HELD } from "../../lib/feed/budget.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { textOf } from "../support/bytes.ts";
import { brief, drain, LONG, Stage, take } from "./stage.ts";

/** Memory of a whole round in these tests, in bytes: 64 for each of 60,000 leaves. */
const WHOLE_ROUND = 60_000 * 64;

/** Memory of a round while memory is short, in bytes. */
const SMALL_ROUND = 512 * 64;

/** A map that 60,000 clients have left. */
function createDesertedStage(): Stage {
  const stage = new Stage();
  for (let i = 0; i < 60_000; i++) stage.registry.close(stage.registry.open("", { id: `passing:${i}` }));
  return stage;
}

Deno.test("watcher that reads more slowly than the map changes gets synced", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = Array.from({ length: 20 }, () => registry.open(LONG));
  const watcher = stage.watch();
  let frames = 0;
  for (let synced = false; !synced; frames++) {
    synced = take(watcher).some(({ kind }) => kind === "synced");
    for (const entry of entries) registry.update(entry, LONG);
    await stage.time.advance(10);
    assertLess(frames, 100, "synced does not come");
  }
  drain(watcher);
  assertEquals(watcher.revision, registry.revision);
});

Deno.test("watchers stuck while they catch up share a bounded memory and miss nothing", () => {
  using stage = createDesertedStage();
  const { feed } = stage;
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

Deno.test("frames prepared for watchers are bounded, and rebuilt after a release", async () => {
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
    // All clients change before they are told, until the rest is prepared: 16 MB, for which there is room four times.
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

Deno.test("stuck watchers release their share to others, and miss nothing when they read again", async () => {
  using stage = createDesertedStage();
  const { registry, feed } = stage;
  const since = { incarnation: "i", revision: 0 };
  const shareOf = (watcher: Watcher) => {
    const before = feed.budget.used;
    const events = take(watcher);
    return { events, share: feed.budget.used - before };
  };
  const stuck = Array.from({ length: 20 }, () => stage.watch({ since }));
  const told = stuck.map((watcher) => take(watcher));
  assertLess(shareOf(stage.watch({ since })).share, SMALL_ROUND + 1);
  for (const watcher of stuck) watcher.releaseMemory();
  assertLess(feed.budget.used, SMALL_ROUND + 1);
  assertEquals(shareOf(stage.watch({ since })).share, WHOLE_ROUND);
  const ada = registry.open("1", { id: "ada" });
  registry.close(registry.open("2", { id: "ben" }));
  registry.update(ada, "3");
  await stage.time.advance(20);
  for (const [at, watcher] of stuck.entries()) {
    const events = [...told[at]!, ...drain(watcher)];
    assertEquals(events.filter(({ kind }) => kind === "leave").length, 60_001);
    assertEquals(new Set(events.map((event) => "id" in event ? event.id : "")).size, 60_003);
    assertEquals(brief(events.slice(-3)), ["120001 join ada 3", "120003 leave ben", "120004 synced"]);
    assertEquals([watcher.revision, watcher.isLost], [120_004, false]);
  }
});

Deno.test("live watcher that fell behind counts what it skips once, also if it releases its memory", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entries = ["a", "b", "c", "d"].map((id) => registry.open("", { id }));
  const watcher = stage.watch();
  drain(watcher);
  for (let i = 0; i < 10; i++) for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
  await stage.time.advance(20);
  assertEquals(brief(take(watcher)), ["41 update a 9 xxxx", "42 update b 9 xxxx"]);
  assertEquals([feed.conflated, feed.budget.used], [36, 4 * 64]);
  watcher.releaseMemory();
  assertEquals([feed.conflated, feed.budget.used, watcher.revision], [36, 0, 42]);
  // Releasing memory twice, or that of a live watcher, does nothing.
  watcher.releaseMemory();
  assertEquals(brief(drain(watcher)), ["43 update c 9 xxxx", "44 update d 9 xxxx"]);
  watcher.releaseMemory();
  assertEquals([feed.conflated, watcher.revision, watcher.hasNews], [36, 44, false]);
});
