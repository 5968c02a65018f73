/** The calls of a connection. */

import { assertEquals, assertRejects } from "@std/assert";
import { Connection, DIALECTS, Registry, TrackerError } from "../../mod.ts";
import { ListWriter } from "../../lib/wire/mod.ts";
import { AWKWARD_STATES } from "../fixtures/conversations.ts";
import { bytesOf, longLength, readExactly } from "../support/bytes.ts";
import { ConnectionBench, openConnection } from "../support/connection_bench.ts";
import { codeOf } from "../support/errors.ts";
import { GREETING, greetingReply } from "../support/greeting.ts";
import { createPair } from "../support/memory.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("connection opens, updates, reads and closes in every dialect", async () => {
  for (const dialect of DIALECTS) {
    await using bench = new TcpBench();
    const client = await openConnection({ port: bench.port, dialect, state: "first" });
    assertEquals(client.dialect, dialect);
    assertEquals(bench.map, "{client1=first}");
    await client.update("second");
    assertEquals(await client.get(), bytesOf("{client1=second}"));
    assertEquals(await client.getText(), "{client1=second}");
    await client.open(bytesOf("third"));
    assertEquals(await client.getText(), "{client1=third}");
    await client.close();
    assertEquals(bench.map, "{}");
    assertEquals(client.error, null);
    await client.finished;
  }
});

Deno.test("connection carries awkward states through Open and Update in every dialect", async () => {
  await using bench = new TcpBench();
  for (const dialect of DIALECTS) {
    for (const [name, state] of Object.entries(AWKWARD_STATES)) {
      if (dialect === "compact" && state.length > 255) continue;
      await using client = await openConnection({ port: bench.port, dialect, state });
      const [entry] = [...bench.registry.entries()];
      assertEquals(entry?.state, state, name);
      client.update("between");
      client.update(state);
      const map = await client.get();
      assertEquals(map.subarray(map.indexOf(61) + 1, -1), state, name);
    }
  }
});

Deno.test("compact connection sends states that an Update cannot carry as an Open", async () => {
  await using bench = new TcpBench();
  await using client = await openConnection({ port: bench.port, dialect: "compact", state: "x" });
  const awkward = bytesOf(254, "y".repeat(254));
  await client.update(awkward);
  assertEquals(await client.get(), bytesOf("{client1=", awkward, "}"));
  await client.update(bytesOf(3, "abc"));
  assertEquals(await client.get(), bytesOf("{client1=", 3, "abc}"));
  const { message } = await assertRejects(() => client.update("z".repeat(256)), TrackerError);
  assertEquals(message, "Cannot encode state: 256 bytes is above the compact dialect's limit of 255");
});

Deno.test("compact connection reads a map longer than 255 bytes", async () => {
  await using bench = new TcpBench();
  await using client = await openConnection({ port: bench.port, dialect: "compact", state: "x" });
  bench.registry.open("y".repeat(100_000), { id: "big" });
  assertEquals(await client.getText(), `{client1=x, big=${"y".repeat(100_000)}}`);
});

Deno.test("observer reads the map without being in it", async () => {
  await using bench = new TcpBench();
  await using client = await openConnection({ port: bench.port });
  assertEquals(await client.getText(), "{}");
  await client.update("now I am");
  assertEquals(await client.getText(), "{client1=now I am}");
});

Deno.test("overlapping calls are answered in order", async () => {
  await using bench = new TcpBench();
  await using client = await openConnection({ port: bench.port });
  const calls: Promise<unknown>[] = [];
  for (let round = 0; round < 200; round++) {
    calls.push(client.open(`o${round}`), client.getText(), client.update(`u${round}`), client.getText());
  }
  const results = await Promise.all(calls);
  for (let round = 0; round < 200; round++) {
    assertEquals(results[round * 4 + 1], `{client1=o${round}}`);
    assertEquals(results[round * 4 + 3], `{client1=u${round}}`);
  }
});

Deno.test("Updates of one turn go out in one write", async () => {
  let writes = 0;
  const [near, far] = createPair();
  const write = near.write.bind(near);
  near.write = (bytes) => {
    writes++;
    return write(bytes);
  };
  const client = new Connection(near);
  for (let round = 0; round < 500; round++) client.update("x");
  await client.update("y");
  assertEquals(writes, 1);
  const sent = await readExactly(far, 501 * 11);
  assertEquals(sent.subarray(-11), bytesOf(42, 2, longLength(1), "y"));
  client.abort();
  await client.finished;
  far.close();
});

Deno.test("replies are parsed however they are split", async () => {
  for (let seed = 0; seed < 30; seed++) {
    await using bench = new ConnectionBench({}, seed);
    const calls = [bench.client.open("a"), bench.client.getText(), bench.client.getText(), bench.client.getText()];
    const long = `{a=${"x".repeat(20_000)}}`;
    const answering = bench.answer(1, 2, "{}", longLength(long.length), long, 5, "{a=b}");
    assertEquals(await Promise.all(calls), [undefined, "{}", long, "{a=b}"]);
    await answering;
  }
});

Deno.test("getText keeps a byte order mark and replaces invalid UTF-8", async () => {
  await using bench = new TcpBench();
  await using client = await openConnection({ port: bench.port, state: bytesOf(0xef, 0xbb, 0xbf, 0xff) });
  assertEquals(await client.getText(), "{client1=\ufeff\ufffd}");
});

Deno.test("Hello must come first, and calls that need it are refused without", async () => {
  await using bench = new ConnectionBench();
  for (const call of [() => bench.client.list(), () => bench.client.ping(), () => bench.client.watch({}, () => {})]) {
    assertEquals(await codeOf(call()), "BAD_ARGUMENT");
  }
  bench.client.update("x");
  assertEquals(await codeOf(bench.client.hello()), "BAD_ARGUMENT");
  await using java = new ConnectionBench({ dialect: "java" });
  assertEquals(await codeOf(java.client.hello()), "BAD_ARGUMENT");
  await using long = new ConnectionBench();
  assertEquals(await codeOf(long.client.hello({ token: "x".repeat(4_096) })), "BAD_ARGUMENT");
});

Deno.test("Hello, List and Ping are sent and answered in order with other calls", async () => {
  await using bench = new ConnectionBench();
  const { client } = bench;
  const calls = [
    client.hello({ name: "pi" }),
    client.open("a"),
    client.list({ prefix: "p" }),
    client.ping(),
    client.get(),
  ];
  const hello = '{"name":"pi"}';
  const list = '{"prefix":"p"}';
  await bench.receive(
    42,
    4,
    longLength(13),
    hello,
    42,
    0,
    longLength(1),
    "a",
    42,
    6,
    longLength(14),
    list,
    42,
    7,
    42,
    3,
  );
  const registry = new Registry({ now: () => 7 });
  registry.open("a", { id: "pi" });
  const lists = new ListWriter();
  lists.begin(registry.revision);
  for (const entry of registry.entries()) lists.record(entry);
  await bench.answer(greetingReply(), 1, lists.finish(), 1, longLength(6), "{pi=a}");
  const [greeting, opened, listed, took, map] = await Promise.all(calls);
  const records = [{ id: "pi", status: "live", revision: 1, openedAt: 7, updatedAt: 7, state: bytesOf("a") }];
  assertEquals([greeting, opened, listed, map], [GREETING, undefined, { revision: 1, records }, bytesOf("{pi=a}")]);
  assertEquals(typeof took, "number");
});
