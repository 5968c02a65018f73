/** A connection that watches, and what it makes of malformed replies. */

import { assertEquals } from "@std/assert";
import { type Connection, Registry, type WatchedEvent } from "../../mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { ConnectionBench, frame } from "../support/connection_bench.ts";
import { codeOf } from "../support/errors.ts";
import { GREETING, greetingReply } from "../support/greeting.ts";

/** Watches until this many events have come, or the connection has ended. */
async function watchFor(client: Connection, count: number): Promise<WatchedEvent[]> {
  const events: WatchedEvent[] = [];
  const enough = Promise.withResolvers<void>();
  client.hello().catch(() => {});
  await client.watch({}, (more) => {
    events.push(...more);
    if (events.length >= count) enough.resolve();
  });
  await Promise.race([enough.promise, client.finished]);
  if (client.error !== null) throw client.error;
  return events;
}

Deno.test("malformed greeting, list or frame ends the connection", async () => {
  const nonsense: [(client: Connection) => Promise<unknown>, Uint8Array][] = [
    [(client) => client.hello(), greetingReply([])],
    [(client) => client.hello(), greetingReply({ ...GREETING, maxState: "many" })],
    [(client) => client.hello().then(() => client.list()), bytesOf(greetingReply(), longLength(9), "123456789")],
    [(client) => client.hello().then(() => client.list()), bytesOf(greetingReply(), longLength(7), "1234567")],
    [(client) => client.hello().then(() => client.ping()), bytesOf(greetingReply(), 7)],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, longLength(3), "abc")],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, 1)],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, longLength(11), 99, longLength(1), 0, 0)],
  ];
  for (const [call, answer] of nonsense) {
    await using bench = new ConnectionBench();
    const failing = codeOf(call(bench.client));
    await bench.answer(answer);
    assertEquals(await failing, "BAD_REPLY");
    await bench.client.finished;
    assertEquals(bench.client.error?.code, "BAD_REPLY");
  }
});

Deno.test("frames are parsed however they are split, with pongs and the answer to a Close among them", async () => {
  const registry = new Registry();
  const entry = registry.open("x".repeat(5_000), { id: "pi" });
  for (let seed = 0; seed < 20; seed++) {
    await using bench = new ConnectionBench({}, seed);
    const watching = watchFor(bench.client, 4);
    const answering = bench.answer(
      greetingReply(),
      1,
      frame((builder) => {
        builder.present(entry);
        builder.synced(1, "abc");
        builder.pong(1);
      }),
      frame((builder) => builder.pong(1)),
      frame((builder) => {
        builder.state("update", 2, entry);
        builder.leave(3, "pi", "kicked");
      }),
    );
    const events = await watching;
    await answering;
    assertEquals(events.map(({ kind, revision }) => [kind, revision]), [
      ["present", 1],
      ["synced", 1],
      ["update", 2],
      ["leave", 3],
    ]);
    const ping = bench.client.ping();
    const closing = bench.client.close();
    await bench.answer(frame((builder) => builder.pong(3)), frame((builder) => builder.status("suspect", 4, entry)), 1);
    assertEquals(typeof await ping, "number");
    await closing;
    assertEquals([bench.client.error, events.length], [null, 4]);
  }
});

Deno.test("connection that watches takes Updates and Pings, and refuses other calls", async () => {
  await using bench = new ConnectionBench();
  const watching = watchFor(bench.client, 1);
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await watching;
  assertEquals(await codeOf(bench.client.get()), "BAD_ARGUMENT");
  assertEquals(await codeOf(bench.client.open("a")), "BAD_ARGUMENT");
  assertEquals(await codeOf(bench.client.watch({}, () => {})), "BAD_ARGUMENT");
  await bench.client.update("a");
  assertEquals(await codeOf(bench.client.ping({ timeout: 10 })), "TIMEOUT");
  assertEquals(await codeOf(bench.client.ping({ signal: AbortSignal.abort() })), "ABORTED");
  assertEquals(bench.client.error, null);
});

Deno.test("sink holds the server up until it has taken the events", async () => {
  const registry = new Registry();
  const entry = registry.open("x".repeat(10_000), { id: "pi" });
  await using bench = new ConnectionBench();
  const { client } = bench;
  client.hello();
  let taken = 0;
  let proceed = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const watching = client.watch({}, (events) => {
    taken += events.length;
    arrived.resolve();
    return proceed.promise;
  });
  const updates = Array.from({ length: 100 }, (_, at) => frame((builder) => builder.state("update", at + 2, entry)));
  let written = 0;
  const writing = (async () => {
    await bench.answer(greetingReply(), 1);
    for (const update of updates) {
      await bench.answer(update);
      written++;
    }
  })();
  await watching;
  await arrived.promise;
  await client.update("not held up");
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setTimeout(resolve, 0));
  const before = performance.now();
  assertEquals([taken, written < 10, client.heardAt >= before], [1, true, true]);
  proceed.resolve();
  proceed = { ...proceed, promise: Promise.resolve() };
  await writing;
  await client.update("let through");
  while (taken < 100) await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(taken, 100);
});

Deno.test("connection whose sink takes nothing can be closed and aborted, and breaks when the sink fails", async () => {
  for (const end of ["close", "abort"] as const) {
    await using bench = new ConnectionBench();
    const { client } = bench;
    client.hello();
    const arrived = Promise.withResolvers<void>();
    const watching = client.watch({}, () => {
      arrived.resolve();
      return new Promise(() => {});
    });
    await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
    await watching;
    await arrived.promise;
    const ended = client[end]();
    if (end === "close") await bench.answer(frame((builder) => builder.leave(2, "pi", "close")), 1);
    await ended;
    await client.finished;
    assertEquals(client.error?.code, end === "close" ? undefined : "CONNECTION_CLOSED");
  }
  await using inside = new ConnectionBench();
  inside.client.hello();
  const aborting = inside.client.watch({}, () => {
    inside.client.abort();
    return new Promise(() => {});
  });
  await inside.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await aborting;
  await inside.client.finished;

  await using bench = new ConnectionBench();
  bench.client.hello();
  const watching = bench.client.watch({}, () => Promise.reject(new Error("no more")));
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await watching;
  await bench.client.finished;
  assertEquals(bench.client.error?.message, "Connection lost: no more");
});

Deno.test("error reply among frames ends the connection with its code", async () => {
  await using bench = new ConnectionBench();
  const watching = watchFor(bench.client, 2);
  const code = codeOf(watching);
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")), 0, 17, "SLOW_CONSUMER: no");
  assertEquals(await code, "SLOW_CONSUMER");
});

Deno.test("frame above the limit is refused from its length alone", async () => {
  await using bench = new ConnectionBench({ maxMap: 1_000 });
  const code = codeOf(watchFor(bench.client, 1));
  await bench.answer(greetingReply(), 1, longLength(1_001));
  assertEquals(await code, "REPLY_TOO_LARGE");
});

Deno.test("refused watch does not take the events of the first one", async () => {
  await using bench = new ConnectionBench();
  const watching = watchFor(bench.client, 1);
  assertEquals(await codeOf(bench.client.watch({}, () => {})), "BAD_ARGUMENT");
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  assertEquals((await watching).map(({ kind }) => kind), ["synced"]);
});
