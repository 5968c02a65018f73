/** Crowds that send nothing, next to nothing, or garbage, and what well-behaved clients notice of them. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { testUnless } from "../support/program.ts";
import type { CrowdJob, CrowdState } from "./support/crowd.ts";
import type { GoodJob, Latency } from "./support/good.ts";
import { Helper } from "./support/helper.ts";
import { affordable, figure, median, notLinux, scale, size, time } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

/** Duration of one measurement, in milliseconds. */
const MOMENT = scale(200, 1_000);

async function startGood(server: FaultyServer, count: number): Promise<Helper> {
  const helper = new Helper("good.ts", { port: server.port, count } satisfies GoodJob);
  await helper.answer();
  return helper;
}

function startCrowd(server: FaultyServer, kind: CrowdJob["kind"], count: number): Helper {
  return new Helper("crowd.ts", { port: server.port, kind, count } satisfies CrowdJob);
}

function latency(good: Helper): Promise<Latency> {
  return good.ask({ milliseconds: MOMENT });
}

/** Measures good clients without a crowd and beside it, in alternate rounds, so that a slow moment affects both. */
async function compare(
  server: FaultyServer,
  good: Helper,
  kind: CrowdJob["kind"],
  { count, rounds }: { count: number; rounds: number },
): Promise<{ without: Latency[]; beside: Latency[] }> {
  const without: Latency[] = [];
  const beside: Latency[] = [];
  await latency(good);
  for (let round = 0; round < rounds; round++) {
    without.push(await latency(good));
    await using crowd = startCrowd(server, kind, count);
    assertEquals((await crowd.answer<CrowdState>()).connected >= count, true);
    beside.push(await latency(good));
  }
  return { without, beside };
}

function p99(latencies: readonly Latency[]): number {
  return median(latencies.map(({ p99 }) => p99));
}

testUnless(notLinux, "silent connections cost only a little memory", async () => {
  await using server = await startFaulty();
  await using good = await startGood(server, 20);
  const count = affordable(scale(1_000, 5_000));
  await latency(good);
  const without = await latency(good);
  const before = await server.residentBytes();
  await using crowd = startCrowd(server, "idle", count);
  assertEquals((await crowd.answer<CrowdState>()).connected, count);
  await server.until(({ now }) => now.connections === count + 21);
  const each = (await server.residentBytes() - before) / count;
  const beside = await latency(good);
  assertLess(each, 40_000, "bytes of memory for a silent connection");
  // One measurement of each: it only shows that good clients are still served.
  assertLess(beside.p99, Math.max(50, without.p99 * 5));
  figure(`memory for each of ${count} silent connections`, size(each));
  figure("99th percentile of a Get, without and beside them", `${time(without.p99)}, ${time(beside.p99)}`);
});

testUnless(notLinux, "clients that send a byte a second hardly slow down others", async () => {
  await using server = await startFaulty();
  await using good = await startGood(server, 100);
  const count = affordable(scale(500, 2_000));
  // Other work on the machine hits either side at random; a real slowdown shows every time.
  let { without, beside } = await compare(server, good, "slow", { count, rounds: scale(3, 7) });
  for (let more = 0; more < 3 && p99(beside) >= 2 * p99(without); more++) {
    ({ without, beside } = await compare(server, good, "slow", { count, rounds: scale(3, 7) }));
  }
  const ratio = p99(beside) / p99(without);
  assertLess(ratio, 2, `from ${p99(without)} to ${p99(beside)} ms`);
  figure(
    `99th percentile of a Get of 100 clients, without and beside ${count} slow ones`,
    `${time(p99(without))}, ${time(p99(beside))} (${ratio.toFixed(2)} ×; medians of ${without.length} rounds)`,
  );
});

testUnless(notLinux, "a client that sends a byte a second times out", async () => {
  await using server = await startFaulty({ args: ["--log", "json", "--message-timeout", "2s"] });
  await using crowd = startCrowd(server, "slow", 20);
  await crowd.answer();
  const { errors } = await server.until(({ errors }) => (errors["TIMEOUT"] ?? 0) >= 20);
  assertEquals(Object.keys(errors), ["TIMEOUT"]);
});

for (const kind of ["garbage", "late garbage"] as const) {
  testUnless(
    notLinux,
    `a flood of ${kind} leaves the server up, its memory flat and other clients served`,
    async () => {
      await using server = await startFaulty();
      await using good = await startGood(server, 20);
      using asker = await Asker.dial(server);
      const { without, beside } = await compare(server, good, kind, { count: 4, rounds: scale(2, 7) });
      await using crowd = startCrowd(server, kind, 4);
      await crowd.answer();
      await latency(good);
      const before = await server.residentBytes();
      const { sent } = await crowd.ask<CrowdState>({});
      const started = performance.now();
      while (performance.now() - started < scale(800, 5_000)) await latency(good);
      const rate = ((await crowd.ask<CrowdState>({})).sent - sent) / (performance.now() - started) * 1_000;
      const grown = await server.residentBytes() - before;
      assertLess(grown, 100 * 2 ** 20, "bytes of additional memory");
      assertLess(p99(beside), 500, "milliseconds");
      const { errors } = await asker.stats();
      const refused = Object.values(errors).reduce((sum, count) => sum + count, 0);
      assertGreater(refused, 0);
      assert((await asker.map()).includes("=good 19"));
      figure(
        `99th percentile of a Get of 20 clients, without and beside a flood of ${kind}`,
        `${time(p99(without))}, ${time(p99(beside))} (worst ${time(Math.max(...beside.map(({ worst }) => worst)))})`,
      );
      figure("the flood", `${size(rate)} a second, ${refused} refusals; ${size(grown)} of additional memory`);
    },
  );
}
