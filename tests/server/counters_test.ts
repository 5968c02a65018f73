/** What a server counts. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { TrackerError } from "../../mod.ts";
import { HISTOGRAM_BOUNDS } from "../../lib/wire/mod.ts";
import { delay } from "../../lib/base/async.ts";
import { UPDATE } from "../../lib/protocol.ts";
import { Counters } from "../../lib/server/counters.ts";
import { longLength, readToEnd, textOf } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("messages are counted by dialect and type, and those that never came are left out", () => {
  const counters = new Counters();
  counters.messagesOf("wide")[UPDATE]! += 3;
  counters.messagesOf("java")[UPDATE]! += 1;
  counters.messagesOf("wide")[UPDATE]! += 4;
  assertEquals(counters.counted.messages, { java: { update: 1 }, wide: { update: 7 } });
});

Deno.test("an error is counted by its code, and by the limit that it reports", () => {
  const counters = new Counters();
  counters.countError(new TrackerError("BAD_TYPE", "for the test"));
  counters.countError(new TrackerError("TOO_MANY_CLIENTS", "for the test", { limit: "watchers" }));
  counters.countError(new TrackerError("TOO_MANY_CLIENTS", "for the test", { limit: "clients" }));
  counters.countRefusal("clients");
  const { errors, refused } = counters.counted;
  assertEquals([errors, refused], [{ BAD_TYPE: 1, TOO_MANY_CLIENTS: 2 }, { watchers: 1, clients: 2 }]);
});

Deno.test("a ghost is counted in the first bucket whose bound it does not exceed, or in the last", () => {
  const counters = new Counters();
  for (const milliseconds of [0, 1, 1.5, 10, 300_000, 300_001, 1e9]) counters.countGhost(milliseconds);
  const { bounds, counts, count, sum } = counters.counted.ghost;
  assertEquals([bounds, counts.length], [HISTOGRAM_BOUNDS, HISTOGRAM_BOUNDS.length + 1]);
  assertEquals(counts, [2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
  assertEquals([count, sum], [7, 1_000_600_014]);
});

Deno.test("the server's metrics and a client's Stats count what happened", async () => {
  await using bench = new TcpBench();
  const old = await bench.dial();
  await old.send(66, 1, 0, longLength(1), "a", 66, 1, 2, longLength(1), "b", 66, 1, 2, longLength(1), "c");
  await old.expect(1);
  const modern = await bench.dial();
  await modern.hello({ name: "ada", grace: 60 });
  await modern.open("state");
  await modern.send(42, 8);
  const reply = JSON.parse(textOf(await modern.readPayload()));
  const stats = bench.server.metrics();
  assertEquals(reply.messages, { java: { open: 1, update: 2 }, wide: { hello: 1, open: 1, stats: 1 } });
  assertEquals(reply.now, { connections: 2, unauthorized: 0, clients: 2, suspects: 0, watchers: 0, stateBytes: 6 });
  assertEquals([stats.accepted, stats.incarnation, stats.revision], [2, bench.registry.incarnation, reply.revision]);
  assertEquals(stats.bytes.received, 12 + 24 + 35 + 15 + 2);
  assertGreater(stats.bytes.sent, 100);
  assertEquals([stats.errors, stats.refused, stats.conflated], [{}, {}, 0]);
  assertGreater(stats.uptime, -1);
  assertLess(stats.lag.last, 10_000);
});

Deno.test("ghost time runs from a client's last sign of life to its leave", async () => {
  await using bench = new TcpBench({ idleTimeout: 100 });
  const polite = await bench.dial();
  await polite.hello();
  await polite.open("x");
  await polite.send(42, 1);
  await readToEnd(polite.connection);
  const wrong = await bench.dial();
  await wrong.hello();
  await wrong.open("x");
  await wrong.send(42, 99);
  await wrong.readError();
  assertEquals(bench.server.metrics().ghost.count, 0);
  const ghosts = async (count: number) => {
    while (bench.server.metrics().ghost.count !== count) await delay(1);
    return bench.server.metrics().ghost.sum;
  };
  const hasty = await bench.dial();
  await hasty.hello();
  await hasty.open("x");
  hasty.close();
  const first = await ghosts(1);
  assert(first < 90, `the end of a connection is a sign of life, but the ghost lasted ${first} ms`);
  const missed = await bench.dial();
  await missed.hello({ name: "ada", grace: 0.2 });
  await missed.open("x");
  missed.close();
  const second = await ghosts(2) - first;
  assert(second >= 190 && second < 5_000, `a grace of 200 ms, and a ghost of ${second} ms`);
  const silent = await bench.dial();
  await silent.hello();
  await silent.open("x");
  const third = await ghosts(3) - first - second;
  assert(third >= 99 && third < 5_000, `100 ms of silence, and a ghost of ${third} ms`);
});
