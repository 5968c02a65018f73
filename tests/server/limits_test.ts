/** Limits, tokens and metrics of a server, over TCP. */

import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { serve, type ServeOptions, type Server, Tokens, TrackerError } from "../../mod.ts";
import { bytesOf, longLength, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";

type Parts = Parameters<typeof bytesOf>;

/** A client that knows bytes, and no more. */
class RawClient implements Disposable {
  constructor(readonly connection: Deno.TcpConn) {}

  static async dial({ addr }: Server): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: addr.hostname, port: addr.port }));
  }

  async send(...parts: Parts): Promise<this> {
    await writeFully(this.connection, bytesOf(...parts));
    return this;
  }

  async hello(request: unknown = {}): Promise<this> {
    await this.ask(4, request);
    await this.expect(1);
    await readExactly(this.connection, await this.length());
    return this;
  }

  ask(type: number, request: unknown): Promise<this> {
    const json = JSON.stringify(request);
    return this.send(42, type, longLength(json.length), json);
  }

  async open(state: string): Promise<this> {
    await this.send(42, 0, longLength(state.length), state);
    await this.expect(1);
    return this;
  }

  async expect(...parts: Parts): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.connection, expected.length), expected);
  }

  async length(): Promise<number> {
    return Number(new DataView((await readExactly(this.connection, 8)).buffer).getBigUint64(0));
  }

  async refusal(): Promise<string> {
    return textOf(await readToEnd(this.connection)).slice(2);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

function start(options: ServeOptions): Server {
  return serve({ port: 0, ...options });
}

const WRITER = "a token for writing";
const READER = "a token for reading";
const TOKENS = Tokens.parse(`robots:${WRITER.replaceAll(" ", "-")}\ndash:${READER.replaceAll(" ", "-")}:read`);
const [writer, reader] = [WRITER.replaceAll(" ", "-"), READER.replaceAll(" ", "-")];

Deno.test("without a token nothing is answered, and nothing of the map is told", async () => {
  await using server = start({ tokens: TOKENS });
  server.registry.open("secret", { id: "nobody's-business" });
  const openings: [string, Parts][] = [
    ["compact Open", [42, 0, 1, "a"]],
    ["Update", [42, 2, longLength(1), "a"]],
    ["java Open", [66, 1, 0, longLength(1), "a"]],
    ["Get", [42, 3]],
    ["Hello without a token", [42, 4, longLength(2), "{}"]],
    ["Hello with a wrong one", [42, 4, longLength(27), '{"token":"not a known one"}']],
    ["Hello for a name", [42, 4, longLength(28), '{"name":"nobody\'s-business"}'.replace("'", "-")]],
  ];
  for (const [what, bytes] of openings) {
    using client = await RawClient.dial(server);
    const told = await (await client.send(...bytes)).refusal();
    assert(told.startsWith("UNAUTHORIZED: "), `${what}: ${told}`);
    assert(!/secret|nobody|robots|dash|token-for/.test(told), told);
  }
  assertEquals(server.registry.size, 1);
  assertEquals(server.metrics().errors, { UNAUTHORIZED: openings.length });
});

Deno.test("a Close needs no token: it tells nothing, and ends the connection as an error would", async () => {
  await using server = start({ tokens: TOKENS });
  using client = await RawClient.dial(server);
  await client.send(42, 1);
  assertEquals(await readToEnd(client.connection), bytesOf(1));
});

Deno.test("a token for writing allows everything, one for reading to look", async () => {
  await using server = start({ tokens: TOKENS });
  using robot = await RawClient.dial(server);
  await (await robot.hello({ token: writer, name: "r2" })).open("beep");
  for (const [message, ...rest] of [[0, longLength(0)], [2, longLength(0)]] as [number, Uint8Array][]) {
    using dashboard = await RawClient.dial(server);
    await dashboard.hello({ token: reader });
    await dashboard.send(42, 3);
    await dashboard.expect(longLength(9), "{r2=beep}");
    await dashboard.send(42, message, ...rest);
    assertEquals(await dashboard.refusal(), "UNAUTHORIZED: Cannot give access: the token is for reading");
  }
  using watcher = await RawClient.dial(server);
  await (await watcher.hello({ token: reader })).ask(5, {});
  await watcher.expect(1);
  assertGreater(await watcher.length(), 0);
  using pretender = await RawClient.dial(server);
  await pretender.ask(4, { token: reader, name: "r3" });
  assert((await pretender.refusal()).startsWith("UNAUTHORIZED"));
});

Deno.test("what follows a Hello in the same packet has its rights already", async () => {
  await using server = start({ tokens: TOKENS });
  const json = JSON.stringify({ token: writer, name: "r2" });
  const hello = [42, 4, longLength(json.length), json] as const;
  using client = await RawClient.dial(server);
  await client.send(...hello, 42, 0, longLength(4), "beep", 42, 2, longLength(4), "boop", 42, 3);
  await client.expect(1);
  await readExactly(client.connection, await client.length());
  await client.expect(1, longLength(9), "{r2=boop}");
  using reporter = await RawClient.dial(server);
  await reporter.send(42, 4, longLength(2), "{}", 42, 0, longLength(4), "beep");
  assert((await reporter.refusal()).startsWith("UNAUTHORIZED"));
});

Deno.test("what follows a Watch in the same packet has lost its rights already", async () => {
  await using server = start({});
  for (const message of [[42, 3], [42, 0, longLength(0)]] as Parts[]) {
    using client = await RawClient.dial(server);
    await (await client.hello()).send(42, 5, longLength(2), "{}", ...message);
    await client.expect(1);
    assert((await client.refusal()).startsWith("BAD_TYPE"));
  }
});

Deno.test("a token that is taken away lets nobody in any more, and throws nobody out", async () => {
  let tokens = TOKENS;
  await using server = start({ tokens: () => tokens });
  using early = await RawClient.dial(server);
  await (await early.hello({ token: writer })).open("in");
  tokens = Tokens.parse("other:another-token-than-before");
  using late = await RawClient.dial(server);
  assert((await (await late.ask(4, { token: writer })).refusal()).startsWith("UNAUTHORIZED"));
  await early.send(42, 3);
  await early.expect(longLength(12), "{client1=in}");
});

Deno.test("clients of a network that is named need no token", async () => {
  await using server = start({ tokens: TOKENS, legacyFrom: ["10.0.0.0/8", "127.0.0.0/8"] });
  using client = await RawClient.dial(server);
  await client.send(42, 0, 3, "abc");
  await client.expect(1);
  await using strict = start({ tokens: TOKENS, legacyFrom: ["10.0.0.0/8"] });
  using other = await RawClient.dial(strict);
  assert((await (await other.send(42, 0, 3, "abc")).refusal()).startsWith("UNAUTHORIZED"));
});

Deno.test("who shows no token in time is closed", async () => {
  await using server = start({ tokens: TOKENS, handshakeTimeout: 50 });
  using silent = await RawClient.dial(server);
  assertEquals(await silent.refusal(), "TIMEOUT: Cannot keep connection: no Hello with a token came within 50 ms");
  using quick = await RawClient.dial(server);
  await (await quick.hello({ token: writer })).open("x");
  using other = await RawClient.dial(server);
  await other.refusal();
  assertEquals(server.registry.size, 1);
});

Deno.test("a state beyond the total limit is refused, and the map stays as it was", async () => {
  await using server = start({ maxTotalState: 10 });
  using first = await RawClient.dial(server);
  await (await first.hello()).open("12345");
  using second = await RawClient.dial(server);
  await (await second.hello()).open("12345");
  // What shrinks or stays fits, and makes room.
  await first.send(42, 2, longLength(5), "abcde", 42, 2, longLength(2), "ab", 42, 2, longLength(4), "abcd", 42, 7);
  await first.expect(1);
  assertEquals(server.registry.stateBytes, 9);
  for (const message of [0, 2]) {
    using third = await RawClient.dial(server);
    await (await third.hello()).send(42, message, longLength(2), "xy");
    const why = "all states together would be above the limit of 10 bytes";
    assertEquals(await third.refusal(), `TOO_MUCH_STATE: Cannot take state: ${why}`);
  }
  await second.send(42, 2, longLength(7), "1234567");
  assert((await second.refusal()).startsWith("TOO_MUCH_STATE"));
  assertEquals(textOf(server.registry.flatten()), "{client1=abcd}");
  assertEquals(server.registry.stateBytes, 4);
  assertEquals(server.metrics().refused, { totalState: 3 });
});

Deno.test("connections of one address are limited, and one that leaves makes room", async () => {
  await using server = start({ maxPerAddress: 2 });
  const clients = [await RawClient.dial(server), await RawClient.dial(server)];
  await clients[0]!.hello();
  await clients[1]!.hello();
  using third = await RawClient.dial(server);
  assertEquals(
    await third.refusal(),
    "TOO_MANY_CLIENTS: Cannot accept connection: the limit of 2 from one address is reached",
  );
  await clients[0]!.send(42, 1);
  await clients[0]!.expect(1);
  assertEquals(await readToEnd(clients[0]!.connection), new Uint8Array(0));
  for (const client of clients) client[Symbol.dispose]();
  while (server.metrics().now.connections !== 0) await new Promise((resolve) => setTimeout(resolve, 1));
  using next = await RawClient.dial(server);
  await next.hello();
  assertEquals(server.metrics().refused, { perAddress: 1 });
});

Deno.test("one watcher too many is refused", async () => {
  await using server = start({ maxWatchers: 1 });
  using first = await RawClient.dial(server);
  await (await first.hello()).ask(5, {});
  await first.expect(1);
  using second = await RawClient.dial(server);
  await (await second.hello()).ask(5, {});
  assertEquals(await second.refusal(), "TOO_MANY_CLIENTS: Cannot watch: the limit of 1 watchers is reached");
  assertEquals(server.metrics().now.watchers, 1);
});

Deno.test("connections above the accept rate wait, and all come in", async () => {
  await using server = start({ acceptRate: 50 });
  const begin = performance.now();
  const clients = await Promise.all(Array.from({ length: 75 }, () => RawClient.dial(server)));
  await Promise.all(clients.map((client) => client.hello()));
  // A second's worth comes in at once, the other 25 take half a second.
  const took = performance.now() - begin;
  assert(took >= 400, `75 connections took ${took} ms`);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("messages above the rate wait, and none is lost", async () => {
  await using server = start({ messageRate: 100 });
  using client = await RawClient.dial(server);
  await (await client.hello()).open("0");
  const begin = performance.now();
  for (let i = 0; i < 6; i++) {
    await client.send(...Array.from({ length: 25 }, () => [42, 7]).flat());
    await readExactly(client.connection, 25);
  }
  await client.send(42, 3);
  await client.expect(longLength(11), "{client1=0}");
  const took = performance.now() - begin;
  // 150 Pings: those of the first second are free.
  assert(took >= 300, `152 messages took ${took} ms`);
  assertEquals(server.metrics().messages["wide"]?.["ping"], 150);
});

Deno.test("a client that asks and never reads is given up", async () => {
  await using server = start({ writeTimeout: 200 });
  server.registry.open("x".repeat(1_000_000));
  using client = await RawClient.dial(server);
  const asked = client.send(...Array.from({ length: 2_000 }, () => [42, 3]).flat());
  using fine = await RawClient.dial(server);
  await fine.hello();
  await asked;
  while (server.metrics().errors["TIMEOUT"] === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  await fine.send(42, 7);
  await fine.expect(1);
});

Deno.test("metrics count what happened, and cost no message", async () => {
  await using server = start({});
  using old = await RawClient.dial(server);
  await old.send(66, 1, 0, longLength(1), "a", 66, 1, 2, longLength(1), "b", 66, 1, 2, longLength(1), "c");
  await old.expect(1);
  using modern = await RawClient.dial(server);
  await (await modern.hello({ name: "ada", grace: 60 })).open("state");
  await modern.send(42, 8);
  const told = JSON.parse(textOf(await readExactly(modern.connection, await modern.length())));
  const stats = server.metrics();
  assertEquals(told.messages, { java: { open: 1, update: 2 }, wide: { hello: 1, open: 1, stats: 1 } });
  assertEquals(told.now, { connections: 2, clients: 2, suspects: 0, watchers: 0, stateBytes: 6 });
  assertEquals([stats.accepted, stats.incarnation, stats.revision], [2, server.registry.incarnation, told.revision]);
  assertEquals(stats.bytes.received, 12 + 24 + 35 + 15 + 2);
  assertGreater(stats.bytes.sent, 100);
  assertEquals([stats.errors, stats.refused, stats.conflated], [{}, {}, 0]);
  assertGreater(stats.uptime, -1);
  assertLess(stats.lag.last, 10_000);
});

Deno.test("the ghost time is that from the last sign of a client to its leave", async () => {
  await using server = start({ idleTimeout: 100 });
  using polite = await RawClient.dial(server);
  await (await polite.hello()).open("x");
  await polite.send(42, 1);
  await polite.refusal();
  using wrong = await RawClient.dial(server);
  await (await (await wrong.hello()).open("x")).send(42, 99);
  await wrong.refusal();
  assertEquals(server.metrics().ghost.count, 0);
  const ghosts = async (count: number) => {
    while (server.metrics().ghost.count !== count) await new Promise((resolve) => setTimeout(resolve, 1));
    return server.metrics().ghost.sum;
  };
  const hasty = await RawClient.dial(server);
  await (await hasty.hello()).open("x");
  hasty[Symbol.dispose]();
  const first = await ghosts(1);
  assert(first < 90, `the end of a connection is a sign, but the ghost lasted ${first} ms`);
  const missed = await RawClient.dial(server);
  await (await missed.hello({ name: "ada", grace: 0.2 })).open("x");
  missed[Symbol.dispose]();
  const second = await ghosts(2) - first;
  assert(second >= 190 && second < 5_000, `a grace of 200 ms, and a ghost of ${second} ms`);
  using silent = await RawClient.dial(server);
  await (await silent.hello()).open("x");
  const third = await ghosts(3) - first - second;
  assert(third >= 99 && third < 5_000, `100 ms of silence, and a ghost of ${third} ms`);
});

Deno.test("limits that make no sense are refused", () => {
  for (const options of [{ maxPerAddress: -1 }, { acceptRate: 0.5 }, { messageRate: NaN }, { maxTotalState: -1 }]) {
    assertEquals(assertThrows(() => start(options), TrackerError).code, "BAD_ARGUMENT");
  }
  assertEquals(assertThrows(() => start({ tokens: TOKENS, legacyFrom: ["x"] }), TrackerError).code, "BAD_ARGUMENT");
});
