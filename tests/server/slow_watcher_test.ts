/** Watchers that read too little, or too slowly. */

import { assert, assertEquals } from "@std/assert";
import type { WatchEvent } from "../../lib/wire/mod.ts";
import { delay } from "../../lib/base/async.ts";
import { Registry } from "../../mod.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { SessionHost, summarize } from "./support/session_host.ts";

/** How long a watcher may take nothing, in milliseconds. */
const WATCHER_PATIENCE = 60_000;

Deno.test("a watcher that does not read gets the latest state of each client, and every leave", async () => {
  await using host = new SessionHost({ maxUnsent: 2 ** 30 });
  const { registry } = host;
  const watcher = await host.watch();
  await watcher.readUntil("synced");
  const busy = registry.open("0");
  const filler = "x".repeat(50_000);
  for (let round = 1; round <= 100; round++) {
    registry.update(busy, `${round} ${filler}`);
    registry.close(registry.open(filler));
    await delay(0);
  }
  registry.update(busy, "last");
  const events: WatchEvent[] = [];
  while (events.at(-1)?.revision !== registry.revision) events.push(...await watcher.readFrame());
  const leaves = events.filter(({ kind }) => kind === "leave");
  assertEquals(leaves.length, 100);
  const updates = events.filter((event) => event.kind === "update");
  assert(updates.length < 60, `${updates.length} updates were sent`);
  assertEquals(events.map(summarize).at(-1), `${registry.revision} update client1 last`);
  for (let i = 1; i < events.length; i++) assert(events[i - 1]!.revision < events[i]!.revision);
});

Deno.test("a watcher that reads nothing while too much changes is closed, and no other is", async () => {
  await using host = new SessionHost({ maxUnsent: 100_000, writeTimeout: 100 });
  const { registry } = host;
  const [stuck, fine] = [await host.watch(), await host.watch()];
  await fine.readUntil("synced");
  const entries = Array.from({ length: 20 }, () => registry.open("x".repeat(10_000)));
  await fine.readUntil("join");
  assertEquals(host.events.find(({ kind }) => kind === "error"), undefined);
  await stuck.ended;
  const [error] = host.events.filter((event) => event.kind === "error");
  assertEquals(error?.error.code, "SLOW_CONSUMER");
  registry.close(entries[0]!);
  await fine.readUntil("leave");
});

Deno.test("a watcher that is far behind is kept while few bytes are pending", async () => {
  await using host = new SessionHost({ maxUnsent: 100_000, writeTimeout: 100 });
  const watcher = await host.watch();
  const entry = host.registry.open("");
  for (let i = 0; i < 200; i++) {
    host.registry.update(entry, `${i} ${"x".repeat(20_000)}`);
    await delay(0);
  }
  await delay(500);
  assertEquals(host.events, []);
  assertEquals((await watcher.readUntil("synced")).at(-1)?.kind, "synced");
});

Deno.test("a watcher is heard while there is always more to send it, however often it has pinged", async () => {
  using time = new VirtualTime();
  await using host = new SessionHost({ maxUnsent: 2 ** 30 });
  const { registry } = host;
  const watcher = await host.watch();
  await watcher.readUntil("synced");
  const busy = registry.open("");
  const change = async () => {
    registry.update(busy, "x".repeat(40_000));
    await time.advance(10);
  };
  for (let i = 0; i < 3; i++) await change();
  for (let i = 0; i < 1_000; i++) await watcher.send(42, 7);
  await watcher.update("mine");
  for (let events = 0; registry.size < 2; events++) {
    await change();
    await watcher.readFrame();
    assert(events < 2_000, "the Update behind the Pings was not handled");
  }
});

Deno.test("a watcher that stops reading while it catches up holds nothing, and misses nothing", async () => {
  using time = new VirtualTime();
  await using host = new SessionHost({ writeTimeout: 1_000 });
  const { incarnation, revision } = host.registry;
  for (let i = 0; i < 2_000; i++) host.registry.open("x".repeat(60));
  const watcher = await host.watch({ since: { incarnation, revision } });
  await time.advance(2_000);
  assertEquals(host.heldMemory, 0);
  const events = await watcher.readUntil("synced");
  assertEquals(events.filter(({ kind }) => kind === "join").length, 2_000);
  assertEquals(host.events, []);
});

Deno.test("a watcher that takes nothing for a minute is refused, however little waits", async () => {
  using time = new VirtualTime();
  await using host = new SessionHost();
  host.registry.open("x".repeat(200_000));
  await host.watch();
  await time.advance(WATCHER_PATIENCE - 5_000);
  assertEquals(host.events, []);
  await time.advance(10_000);
  assertEquals(codesOf(host), ["SLOW_CONSUMER"]);
});

Deno.test("a watcher that reads nothing is refused once leaves that it needs are dropped", async () => {
  using time = new VirtualTime();
  const registry = new Registry({ maxTombstones: 64 });
  await using host = new SessionHost({ writeTimeout: 1_000 }, registry);
  for (let i = 0; i < 10; i++) registry.open("x".repeat(65_000));
  await host.watch();
  await time.advance(500);
  for (let i = 0; i < 1_000; i++) registry.close(registry.open(""));
  await time.advance(1_000);
  assertEquals(codesOf(host), ["SLOW_CONSUMER"]);
});

/** The codes of the errors that sessions were closed with. */
function codesOf({ events }: SessionHost): string[] {
  return events.flatMap((event) => event.kind === "error" ? [event.error.code] : []);
}
