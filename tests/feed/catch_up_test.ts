import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { MAX_HELD } from "../../lib/feed/context.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { decodeEvents, type WatchEvent } from "../../lib/wire/mod.ts";
import { textOf } from "../support/bytes.ts";
import { brief, drain, LONG, Stage, take } from "./stage.ts";

/** Applies events to a map, as a client does. Returns whether they end a snapshot. */
function apply(map: Map<string, string>, events: readonly WatchEvent[]): boolean {
  for (const event of events) {
    if (event.kind === "snapshot") map.clear();
    else if (event.kind === "leave") map.delete(event.id);
    else if ("state" in event) map.set(event.id, textOf(event.state.subarray(0, 6)));
  }
  return events.some(({ kind }) => kind === "synced");
}

/** The map of a stage, as {@linkcode apply} would have it. */
function mapOf({ registry }: Stage): Record<string, string> {
  return Object.fromEntries(Array.from(registry.entries(), ({ id, state }) => [id, textOf(state.subarray(0, 6))]));
}

Deno.test("watcher that reads more slowly than the map changes gets synced", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entries = Array.from({ length: 20 }, () => registry.open(LONG));
  const watcher = stage.watch();
  const map = new Map<string, string>();
  let frames = 0;
  let held = 0;
  for (let isSynced = false; !isSynced; frames++) {
    isSynced = apply(map, take(watcher));
    held = Math.max(held, feed.held);
    if (!isSynced) assertEquals(watcher.revision, 0);
    for (const entry of entries) registry.update(entry, `${frames}${LONG}`);
    await stage.time.advance(10);
    assertLess(frames, 100, "synced does not come");
  }
  assertEquals(map.size, 20);
  assertGreater(held, 19 * LONG.length);
  apply(map, drain(watcher));
  assertEquals(Object.fromEntries(map), mapOf(stage));
  assertEquals(watcher.revision, registry.revision);
});

Deno.test("what is prepared for slow watchers is bounded, and they miss nothing", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entries = Array.from({ length: 400 }, () => registry.open(LONG));
  const watchers = Array.from({ length: 6 }, () => ({ watcher: stage.watch(), map: new Map<string, string>() }));
  for (let turn = 0; turn < 900; turn++) {
    if (turn % 150 === 0) { for (const entry of entries) registry.update(entry, `${turn}${LONG}`); }
    for (const { watcher, map } of watchers) apply(map, take(watcher));
    // One more frame than the limit may be made before it is noticed.
    assertLess(feed.held, MAX_HELD / 2 + 200_000);
  }
  // Watchers that take nothing give up what was made for them, and miss nothing either.
  for (const { watcher } of watchers) watcher.releaseMemory();
  assertEquals(feed.held, 0);
  await stage.time.advance(20);
  for (const { watcher, map } of watchers) {
    apply(map, drain(watcher));
    assertEquals(Object.fromEntries(map), mapOf(stage));
    assertEquals(watcher.revision, registry.revision);
  }
  assertEquals(feed.held, 0);
});

Deno.test("watchers at one place take the same bytes, and one that is alone keeps none", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  for (let i = 0; i < 3; i++) registry.open(LONG);
  const since = { incarnation: "i", revision: 0 };
  const alone = stage.watch({ since });
  alone.next();
  assertEquals(feed.held, 0);
  // They fall behind together.
  const group = Array.from({ length: 3 }, () => stage.watch());
  for (const watcher of [alone, ...group]) drain(watcher);
  for (let i = 0; i < 100; i++) for (const entry of [...registry.entries()]) registry.update(entry, `${i} ${LONG}`);
  await stage.time.advance(20);
  const frames = group.map((watcher) => watcher.next());
  assert(frames[0] !== null && frames[0]!.length > LONG.length);
  assertEquals(frames.map((frame) => frame === frames[0]), [true, true, true]);
});

Deno.test("watcher far behind is told each client once, and skips what it has missed", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entries = ["a", "b", "c", "d"].map((id) => registry.open("", { id }));
  const watcher = stage.watch();
  drain(watcher);
  for (let i = 0; i < 10; i++) for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
  await stage.time.advance(20);
  assertEquals(brief(take(watcher)), ["41 update a 9 xxxx", "42 update b 9 xxxx"]);
  assertEquals([feed.held, watcher.revision], [0, 42]);
  assertEquals(brief(drain(watcher)), ["43 update c 9 xxxx", "44 update d 9 xxxx"]);
  assertEquals([feed.conflated, watcher.revision, watcher.hasNews], [36, 44, false]);
});

Deno.test("watchers that read nothing hold no frames beyond the limit of a prefix", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const entry = registry.open("", { id: "a" });
  const watchers = ["", "a"].map((prefix) => stage.watch({ prefix }));
  watchers.forEach(drain);
  for (let i = 0; i < 200; i++) {
    registry.update(entry, `${i} ${LONG}`);
    await stage.time.advance(10);
    assertLess(feed.held, 2 * (1_048_576 + 70_000));
  }
  for (const watcher of watchers) {
    assertEquals(brief(drain(watcher)), ["201 update a 199 xx"]);
  }
});

Deno.test("frames of all prefixes share one limit", async () => {
  using stage = new Stage();
  const { registry, feed } = stage;
  const names = Array.from({ length: 100 }, (_, i) => `p${i}.`);
  const entries = names.map((name) => registry.open("", { id: `${name}x` }));
  const watchers = names.map((prefix) => stage.watch({ prefix }));
  watchers.forEach(drain);
  for (let i = 0; i < 24; i++) {
    for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
    await stage.time.advance(10);
    assertLess(feed.held, MAX_HELD + 100 * 50_000);
  }
  assertGreater(feed.held, MAX_HELD / 2);
  for (const [at, watcher] of watchers.entries()) {
    assertEquals(brief(drain(watcher)).at(-1), `${100 + 24 * 100 - 99 + at} update p${at}.x 23 xxx`);
  }
});

Deno.test("a rare prefix is found in steps, each of which ends soon", () => {
  using stage = new Stage();
  const { registry } = stage;
  for (let i = 0; i < 30_000; i++) registry.open("", { id: `common:${i}` });
  registry.open("here", { id: "rare" });
  const watcher: Watcher = stage.watch({ prefix: "rare" });
  const frames: number[] = [];
  const events: WatchEvent[] = [];
  while (watcher.hasNews) {
    const frame = watcher.next()!;
    frames.push(frame.length);
    if (frame.length !== 0) events.push(...decodeEvents(frame.subarray(8)));
  }
  assertGreater(frames.length, 3);
  assertEquals(brief(events), ["0 snapshot", "30001 present rare here", "30001 synced"]);
});
