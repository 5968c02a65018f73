/** Clients that never read their output. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { Connection, dial } from "../../mod.ts";
import { eventually, testUnless } from "../support/program.ts";
import type { CrowdJob, CrowdState } from "./support/crowd.ts";
import type { GoodJob, Latency } from "./support/good.ts";
import { Helper } from "./support/helper.ts";
import { figure, notLinux, scale, size, time } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

const COUNT = scale(20, 100);

/** How long a client may leave output unread. */
const TIMEOUT = `${scale(1, 2)}s`;

/** Waits until the server has dropped the whole crowd, and returns its peak memory until then. */
async function watchMemory(server: FaultyServer, code: string, whileWaiting: () => Promise<unknown>): Promise<number> {
  using asker = await Asker.dial(server);
  let most = await server.residentBytes();
  const end = performance.now() + 60_000;
  while (((await asker.stats()).errors[code] ?? 0) < COUNT) {
    assert(performance.now() < end, JSON.stringify(await asker.stats()));
    await whileWaiting();
    most = Math.max(most, await server.residentBytes());
  }
  return most;
}

testUnless(notLinux, "clients that ask without reading are dropped, and cost next to nothing until then", async () => {
  await using server = await startFaulty({ args: ["--log", "json", "--write-timeout", TIMEOUT] });
  await using good = new Helper("good.ts", { port: server.port, count: 20 } satisfies GoodJob);
  await good.answer();
  await good.ask({ milliseconds: 300 });
  const before = await server.residentBytes();
  const started = performance.now();
  const job: CrowdJob = { port: server.port, kind: "deaf asker", count: COUNT };
  await using crowd = new Helper("crowd.ts", job);
  await crowd.answer();
  let worst = 0;
  const most = await watchMemory(server, "TIMEOUT", async () => {
    worst = Math.max(worst, (await good.ask<Latency>({ milliseconds: 100 })).p99);
  });
  const took = performance.now() - started;
  await server.until(({ now }) => now.connections === 21);
  await eventually(async () => (await crowd.ask<CrowdState>({})).ended, COUNT);
  assertLess(most - before, 60 * 2 ** 20, "bytes of memory");
  assertLess(worst, 5_000, "milliseconds that other clients waited");
  figure(`memory for ${COUNT} clients that ask without reading`, size(most - before));
  figure(`until all of them were dropped, with --write-timeout ${TIMEOUT}`, time(took));
  figure("worst 99th percentile of other clients' Gets meanwhile", time(worst));
});

testUnless(notLinux, "watchers that never read are dropped when they are too far behind", async () => {
  const args = ["--log", "json", "--write-timeout", TIMEOUT, "--max-unsent", `${2 ** 20}`];
  await using server = await startFaulty({ args });
  const writers = await Promise.all(Array.from({ length: 64 }, async () => {
    return new Connection(await dial("127.0.0.1", server.port, undefined, 5_000));
  }));
  let round = 0;
  const change = () => Promise.all(writers.map((writer) => writer.open(`${round++}`.padEnd(32_768, "."))));
  await change();
  const job: CrowdJob = { port: server.port, count: COUNT, kind: "deaf watcher" };
  await using keen = new Helper("crowd.ts", { port: server.port, count: 1, kind: "watcher" } satisfies CrowdJob);
  await keen.answer();
  for (let warmUp = 0; warmUp < 50; warmUp++) await change();
  const before = await server.residentBytes();
  const started = performance.now();
  await using crowd = new Helper("crowd.ts", job);
  await crowd.answer();
  const most = await watchMemory(server, "SLOW_CONSUMER", change);
  const took = performance.now() - started;
  await server.until(({ now }) => now.watchers === 1 && now.connections === 66);
  assertEquals((await keen.ask<CrowdState>({})).ended, 0, "the watcher that reads keeps its watch");
  assertLess(most - before, 100 * 2 ** 20, "bytes of memory");
  figure(`memory for ${COUNT} watchers that never read, ${round * 32} KiB of changes`, size(most - before));
  figure(`until all of them were dropped, with --write-timeout ${TIMEOUT} and --max-unsent 1 MiB`, time(took));
  for (const writer of writers) await writer.close();
});

testUnless(notLinux, "a watcher that never reads but is hardly behind is kept", async () => {
  await using server = await startFaulty({ args: ["--log", "json", "--write-timeout", "1s"] });
  await using crowd = new Helper("crowd.ts", { port: server.port, count: 5, kind: "deaf watcher" } satisfies CrowdJob);
  await crowd.answer();
  await server.until(({ now }) => now.watchers === 5);
  await delay(1_500);
  assertEquals((await server.stats()).now.watchers, 5);
});
