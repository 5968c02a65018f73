/** Limits of a server, over TCP. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { serve, type ServeOptions, Tokens, TrackerError } from "../../mod.ts";
import { delay } from "../../lib/base/async.ts";
import { longLength, readExactly, readToEnd, textOf } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("a state beyond maxTotalState is refused, and the map stays as it was", async () => {
  await using bench = new TcpBench({ maxTotalState: 10 });
  const first = await bench.dial();
  await first.hello();
  await first.open("12345");
  const second = await bench.dial();
  await second.hello();
  await second.open("12345");
  // A state that shrinks or keeps its length fits, and makes room.
  await first.send(42, 2, longLength(5), "abcde", 42, 2, longLength(2), "ab", 42, 2, longLength(4), "abcd", 42, 7);
  await first.expect(1);
  assertEquals(bench.registry.stateBytes, 9);
  for (const message of [0, 2]) {
    const third = await bench.dial();
    await third.hello();
    await third.send(42, message, longLength(2), "xy");
    const why = "all states together would be above the limit of 10 bytes";
    assertEquals(await third.readError(), `TOO_MUCH_STATE: Cannot take state: ${why}`);
  }
  await second.send(42, 2, longLength(7), "1234567");
  assert((await second.readError()).startsWith("TOO_MUCH_STATE"));
  assertEquals(textOf(bench.registry.flatten()), "{client1=abcd}");
  assertEquals(bench.registry.stateBytes, 4);
  assertEquals(bench.server.metrics().refused, { totalState: 3 });
});

Deno.test("connections from one address are limited, and one that ends makes room", async () => {
  await using bench = new TcpBench({ maxPerAddress: 2 });
  const clients = [await bench.dial(), await bench.dial()];
  await clients[0]!.hello();
  await clients[1]!.hello();
  const third = await bench.dial();
  assertEquals(
    await third.readError(),
    "TOO_MANY_CLIENTS: Cannot accept connection: the limit of 2 from one address is reached",
  );
  await clients[0]!.send(42, 1);
  await clients[0]!.expect(1);
  assertEquals(await readToEnd(clients[0]!.connection), new Uint8Array(0));
  for (const client of clients) client.close();
  while (bench.server.metrics().now.connections !== 0) await delay(1);
  const next = await bench.dial();
  await next.hello();
  assertEquals(bench.server.metrics().refused, { perAddress: 1 });
});

Deno.test("one watcher too many is refused", async () => {
  await using bench = new TcpBench({ maxWatchers: 1 });
  const first = await bench.dial();
  await first.hello();
  await first.watch();
  const second = await bench.dial();
  await second.hello();
  await second.request(5, {});
  assertEquals(await second.readError(), "TOO_MANY_CLIENTS: Cannot watch: the limit of 1 watchers is reached");
  assertEquals(bench.server.metrics().now.watchers, 1);
});

Deno.test("connections above acceptRate wait, and all are accepted", async () => {
  await using bench = new TcpBench({ acceptRate: 50 });
  const begin = performance.now();
  const clients = await Promise.all(Array.from({ length: 75 }, () => bench.dial()));
  await Promise.all(clients.map((client) => client.hello()));
  // A second's worth is accepted at once; the other 25 take half a second.
  const took = performance.now() - begin;
  assert(took >= 400, `75 connections took ${took} ms`);
  for (const client of clients) client.close();
});

Deno.test("messages above messageRate wait, and none is lost", async () => {
  await using bench = new TcpBench({ messageRate: 100 });
  const client = await bench.dial();
  await client.hello();
  await client.open("0");
  const begin = performance.now();
  for (let i = 0; i < 6; i++) {
    await client.send(...Array.from({ length: 25 }, () => [42, 7]).flat());
    await readExactly(client.connection, 25);
  }
  await client.send(42, 3);
  await client.expect(longLength(11), "{client1=0}");
  const took = performance.now() - begin;
  // A second's worth is handled at once; the other 52 take half a second.
  assert(took >= 300, `152 messages took ${took} ms`);
  assertEquals(bench.server.metrics().messages["wide"]?.["ping"], 150);
});

Deno.test("a client that sends requests and reads no reply is closed", async () => {
  await using bench = new TcpBench({ writeTimeout: 200 });
  bench.registry.open("x".repeat(1_000_000));
  const client = await bench.dial();
  const asked = client.send(...Array.from({ length: 2_000 }, () => [42, 3]).flat());
  const fine = await bench.dial();
  await fine.hello();
  await asked;
  while (bench.server.metrics().errors["TIMEOUT"] === undefined) await delay(5);
  await fine.send(42, 7);
  await fine.expect(1);
});

Deno.test("invalid limits are refused", () => {
  const tokens = Tokens.parse("robots:a-token-for-writing");
  const invalid: ServeOptions[] = [
    { maxPerAddress: -1 },
    { acceptRate: 0.5 },
    { messageRate: NaN },
    { maxTotalState: -1 },
    { tokens, legacyFrom: ["x"] },
  ];
  for (const options of invalid) {
    assertEquals(assertThrows(() => serve({ port: 0, ...options }), TrackerError).code, "BAD_ARGUMENT");
  }
});
