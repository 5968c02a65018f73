/** Tokens and trusted networks of a server, over TCP. */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { Tokens } from "../../mod.ts";
import { bytesOf, longLength, readToEnd } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

type Parts = Parameters<typeof bytesOf>;

const WRITER = "a-token-for-writing";
const READER = "a-token-for-reading";
const TOKENS = Tokens.parse(`robots:${WRITER}\ndash:${READER}:read`);

Deno.test("without a token every request is refused, and nothing of the map is revealed", async () => {
  await using bench = new TcpBench({ tokens: TOKENS });
  bench.registry.open("secret", { id: "nobody's-business" });
  const openings: [string, Parts][] = [
    ["compact Open", [42, 0, 1, "a"]],
    ["Update", [42, 2, longLength(1), "a"]],
    ["java Open", [66, 1, 0, longLength(1), "a"]],
    ["Get", [42, 3]],
    ["Hello without a token", [42, 4, longLength(2), "{}"]],
    ["Hello with a wrong token", [42, 4, longLength(27), '{"token":"not a known one"}']],
    ["Hello for a name", [42, 4, longLength(28), '{"name":"nobody-s-business"}']],
  ];
  for (const [what, bytes] of openings) {
    const client = await bench.dial();
    await client.send(...bytes);
    const error = await client.readError();
    assert(error.startsWith("UNAUTHORIZED: "), `${what}: ${error}`);
    assert(!/secret|nobody|robots|dash|token-for/.test(error), error);
  }
  assertEquals(bench.registry.size, 1);
  assertEquals(bench.server.metrics().errors, { UNAUTHORIZED: openings.length });
});

Deno.test("a Close needs no token: it reveals nothing, and ends the connection as an error would", async () => {
  await using bench = new TcpBench({ tokens: TOKENS });
  const client = await bench.dial();
  await client.send(42, 1);
  assertEquals(await readToEnd(client.connection), bytesOf(1));
});

Deno.test("a token for writing allows everything, one for reading only to read", async () => {
  await using bench = new TcpBench({ tokens: TOKENS });
  const robot = await bench.dial();
  await robot.hello({ token: WRITER, name: "r2" });
  await robot.open("beep");
  for (const [message, ...rest] of [[0, longLength(0)], [2, longLength(0)]] as [number, Uint8Array][]) {
    const dashboard = await bench.dial();
    await dashboard.hello({ token: READER });
    await dashboard.send(42, 3);
    await dashboard.expect(longLength(9), "{r2=beep}");
    await dashboard.send(42, message, ...rest);
    assertEquals(await dashboard.readError(), "UNAUTHORIZED: Cannot give access: the token is for reading");
  }
  const watcher = await bench.dial();
  await watcher.hello({ token: READER });
  await watcher.watch();
  assertGreater(await watcher.readLength(), 0);
  const pretender = await bench.dial();
  await pretender.request(4, { token: READER, name: "r3" });
  assert((await pretender.readError()).startsWith("UNAUTHORIZED"));
});

Deno.test("what follows a Hello in the same packet has its rights", async () => {
  await using bench = new TcpBench({ tokens: TOKENS });
  const json = JSON.stringify({ token: WRITER, name: "r2" });
  const hello = [42, 4, longLength(json.length), json] as const;
  const client = await bench.dial();
  await client.send(...hello, 42, 0, longLength(4), "beep", 42, 2, longLength(4), "boop", 42, 3);
  await client.expect(1);
  await client.readPayload();
  await client.expect(1, longLength(9), "{r2=boop}");
  const reporter = await bench.dial();
  await reporter.send(42, 4, longLength(2), "{}", 42, 0, longLength(4), "beep");
  assert((await reporter.readError()).startsWith("UNAUTHORIZED"));
});

Deno.test("what follows a Watch in the same packet has lost the rights that it takes away", async () => {
  await using bench = new TcpBench();
  for (const message of [[42, 3], [42, 0, longLength(0)]] as Parts[]) {
    const client = await bench.dial();
    await client.hello();
    await client.send(42, 5, longLength(2), "{}", ...message);
    await client.expect(1);
    assert((await client.readError()).startsWith("BAD_TYPE"));
  }
});

Deno.test("a token that is withdrawn admits no client, and ends its connections", async () => {
  let tokens = TOKENS;
  await using bench = new TcpBench({ tokens: () => tokens });
  const early = await bench.dial();
  await early.hello({ token: WRITER });
  await early.open("in");
  tokens = Tokens.parse("other:another-token-than-before");
  const late = await bench.dial();
  await late.request(4, { token: WRITER });
  assert((await late.readError()).startsWith("UNAUTHORIZED"));
  assert((await early.readError()).startsWith("UNAUTHORIZED: Cannot give access: the token has been removed"));
  assertEquals(bench.map, "{}");
});

Deno.test("clients from a trusted network need no token", async () => {
  await using bench = new TcpBench({ tokens: TOKENS, legacyFrom: ["10.0.0.0/8", "127.0.0.0/8"] });
  const client = await bench.dial();
  await client.send(42, 0, 3, "abc");
  await client.expect(1);
  await using strict = new TcpBench({ tokens: TOKENS, legacyFrom: ["10.0.0.0/8"] });
  const other = await strict.dial();
  await other.send(42, 0, 3, "abc");
  assert((await other.readError()).startsWith("UNAUTHORIZED"));
});

Deno.test("a client that shows no token in time is closed", async () => {
  await using bench = new TcpBench({ tokens: TOKENS, handshakeTimeout: 50 });
  const silent = await bench.dial();
  assertEquals(await silent.readError(), "TIMEOUT: Cannot keep connection: no Hello with a token came within 50 ms");
  const quick = await bench.dial();
  await quick.hello({ token: WRITER });
  await quick.open("x");
  const other = await bench.dial();
  await other.readError();
  assertEquals(bench.registry.size, 1);
});
