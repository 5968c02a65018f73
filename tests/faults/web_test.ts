/** Crowds that misuse HTTP and WebSocket, and what clients of Tracker's own protocol notice of them. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { Connection, dial } from "../../mod.ts";
import { testUnless } from "../support/program.ts";
import type { CrowdJob, CrowdState } from "./support/crowd.ts";
import type { GoodJob, Latency } from "./support/good.ts";
import { Helper } from "./support/helper.ts";
import { affordable, figure, median, notLinux, scale, size, time } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

/** Clients that must not notice. */
const GOOD = 50;

const MOMENT = scale(300, 1_000);

function startCrowd(server: FaultyServer, kind: CrowdJob["kind"], count: number, port = server.port): Helper {
  return new Helper("crowd.ts", { port, kind, count } satisfies CrowdJob);
}

async function startGood(server: FaultyServer): Promise<Helper> {
  const helper = new Helper("good.ts", { port: server.port, count: GOOD } satisfies GoodJob);
  await helper.answer();
  await helper.ask({ milliseconds: MOMENT });
  return helper;
}

/** The 99th percentile of the good clients' Gets, in milliseconds. */
async function p99(good: Helper, rounds: number): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push((await good.ask<Latency>({ milliseconds: MOMENT })).p99);
  return median(values);
}

/** Each ends by itself, after the time that it has, in milliseconds. */
const KINDS: readonly [kind: CrowdJob["kind"], limit: number][] = [
  ["half head", 10_000],
  ["dripped head", 10_000],
  ["half body", 10_000],
  ["kept alive", 60_000],
];

testUnless(notLinux, "whoever asks for half of something over HTTP is ended in time, and holds nobody up", async () => {
  const count = affordable(scale(200, 2_000));
  for (const [kind, limit] of KINDS.slice(0, scale(3, 4))) {
    await using server = await startFaulty();
    await using good = await startGood(server);
    const without = await p99(good, scale(3, 7));
    const before = await server.residentBytes();
    const started = performance.now();
    await using crowd = startCrowd(server, kind, count);
    assertEquals((await crowd.answer<CrowdState>()).connected, count);
    await server.until(({ now }) => now.connections >= count);
    const each = (await server.residentBytes() - before) / count;
    let beside = await p99(good, scale(3, 7));
    // Other work on the machine hits either side at random; a real slowdown shows every time.
    for (let more = 0; more < 3 && beside > 2 * without; more++) beside = await p99(good, scale(3, 7));
    assertLess(beside, Math.max(5, 2 * without), `${kind}: from ${without} to ${beside} ms`);
    await server.until(({ now }) => now.connections <= GOOD + 2, limit + 15_000);
    const took = performance.now() - started;
    assert(took > limit - 1_000, `${kind}: ended after ${took} ms`);
    assertEquals((await server.stats()).now.clients, GOOD);
    figure(
      `99th percentile of a Get of ${GOOD} clients, without and beside ${count} × ${kind}`,
      `${time(without)}, ${time(beside)}`,
    );
    figure(`until all ${count} × ${kind} were ended, with a limit of ${time(limit)}`, time(took));
    figure(`memory for each × ${kind}`, size(each));
  }
});

testUnless(notLinux, "whoever says nothing on a port of HTTP's own is ended", async () => {
  const count = scale(50, 2_000);
  if (scale(0, 1) === 0) return await sayNothing(count, 0);
  await sayNothing(affordable(count), 60_000);
});

async function sayNothing(count: number, limit: number): Promise<void> {
  await using server = await startFaulty({ args: ["--log", "json", "--http-port", "0"] });
  const [, port] = /:(\d+) with HTTP$/.exec(await server.stdout.line()) ?? [];
  await using crowd = startCrowd(server, "idle", count, Number(port));
  assertEquals((await crowd.answer<CrowdState>()).connected, count);
  await server.until(({ now }) => now.connections === count + 1);
  if (limit === 0) return;
  const started = performance.now();
  await server.until(({ now }) => now.connections <= 2, limit + 10_000);
  figure(`until ${count} silent connections to a port of HTTP's own were ended`, time(performance.now() - started));
}

for (const kind of ["deaf stream", "deaf socket"] as const) {
  testUnless(notLinux, `20 clients that read nothing (${kind}) take next to nothing`, async () => {
    await using server = await startFaulty({ args: ["--log", "json", "--max-unsent", `${2 ** 30}`] });
    const writers = await Promise.all(Array.from({ length: 32 }, async () => {
      return new Connection(await dial("127.0.0.1", server.port, undefined, 5_000));
    }));
    let round = 0;
    const change = async () => {
      for (let count = 0; count < 20; count++) {
        await Promise.all(writers.map((writer) => writer.open(`${round++}`.padEnd(30_000, "."))));
      }
    };
    // One that reads makes the frames that all of them share, and the garbage of making them.
    await using keen = startCrowd(server, kind === "deaf stream" ? "stream" : "watcher", 1);
    await keen.answer();
    for (let warmUp = 0; warmUp < 8; warmUp++) await change();
    /** The most memory while the map changes, so that garbage counts on both sides. */
    const mostWhileChanging = async () => {
      let most = 0;
      for (let times = 0; times < 5; times++) {
        await change();
        most = Math.max(most, await server.residentBytes());
      }
      return most;
    };
    /** Until the system's buffers are full, those who read nothing take something. */
    const fill = async () => {
      for (let times = 0; times < 15; times++) await change();
    };
    // With one of them, everything has happened that happens once.
    await using first = startCrowd(server, kind, 1);
    await first.answer();
    await fill();
    const without = await mostWhileChanging();
    await using crowd = startCrowd(server, kind, 20);
    assertEquals((await crowd.answer<CrowdState>()).connected, 20);
    await server.until(({ now }) => now.watchers === 22);
    await fill();
    const most = await mostWhileChanging() - without;
    assertEquals((await server.stats()).now.watchers, 22);
    // Garbage that waits to be collected comes and goes by as much.
    assertLess(most, 50 * 2 ** 20, "bytes of additional memory");
    figure(`memory for 20 × ${kind}, while 20 MB of changes passed by five times`, size(most));
    for (const writer of writers) await writer.close();
  });
}

testUnless(notLinux, "a message of 50 MB is refused from its length", async () => {
  await using server = await startFaulty();
  await using _good = await startGood(server);
  const before = await server.residentBytes();
  await using crowd = startCrowd(server, "huge message", 20);
  await crowd.answer();
  await server.until(({ now }) => now.connections <= GOOD + 1);
  const { sent } = await crowd.ask<CrowdState>({});
  const grown = await server.residentBytes() - before;
  // What fits into the buffers of the system may still be sent.
  assertLess(sent, 20 * 16 * 2 ** 20, "bytes sent");
  assertLess(grown, 40 * 2 ** 20, "bytes of additional memory");
  using asker = await Asker.dial(server);
  assert((await asker.map()).includes("=good"));
  figure("memory for 20 unfinished messages of 50 MB, and bytes of them sent", `${size(grown)}, ${size(sent)}`);
});
