/** What tokens and the embedding program allow. */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { type Admittance, type Client, connect, type HelloRequest, serve, Tokens, TrackerError } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

const ADMIN = "a-token-for-administrators";
const ROBOT = "a-token-for-the-robots";
const VIEWER = "a-token-for-one-viewer";

const TOKENS = Tokens.of([
  { name: "ops", token: ADMIN, access: "admin" },
  { name: "robots", token: ROBOT, prefix: "robot-" },
  { name: "viewer", token: VIEWER, access: "read", prefix: "robot-" },
]);

/** A server with those tokens, and an entry under the prefix and one outside. */
async function bench(): Promise<TcpBench> {
  const bench = new TcpBench({ tokens: TOKENS });
  await using ops = await connect({ port: bench.port, token: ADMIN });
  await ops.put("robot-1", "in", { for: 60 });
  await ops.put("door", "out", { for: 60 });
  return bench;
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, TrackerError)).code;
}

Deno.test("a token that is bound to a prefix sees, takes, sets, drops and ends only what is under it", async () => {
  await using server = await bench();
  for (const token of [ROBOT, VIEWER]) {
    const asked = async <T>(call: (client: Client) => Promise<T>) => {
      await using client = await connect({ port: server.port, token });
      return await call(client);
    };
    assertEquals(await asked((client) => client.getText()), "{robot-1=in}");
    assertEquals((await asked((client) => client.list())).records.map(({ id }) => id), ["robot-1"]);
    assertEquals((await asked((client) => client.list({ prefix: "d" }))).records, []);
    assertEquals(await asked((client) => client.count()), 1);
    assertEquals(await asked((client) => client.fetch("door")), null);
    assertEquals(await codeOf(asked((client) => client.stats())), "UNAUTHORIZED");
    await using watcher = await connect({ port: server.port, token });
    const seen: string[] = [];
    for await (const event of watcher.watch()) {
      if ("id" in event) seen.push(event.id);
      if (event.kind === "synced") break;
    }
    assertEquals(seen, ["robot-1"]);
  }
  const robot = async <T>(call: (client: Client) => Promise<T>, options: { name?: string; state?: string } = {}) => {
    await using client = await connect({ port: server.port, token: ROBOT, ...options });
    return await call(client);
  };
  assertEquals(await codeOf(robot((client) => client.put("door", "x", { for: 9 }))), "UNAUTHORIZED");
  assertEquals(await codeOf(robot((client) => client.drop("door"))), "UNAUTHORIZED");
  assertEquals(await codeOf(robot((client) => client.kick("robot-1"))), "UNAUTHORIZED");
  assertEquals(await codeOf(robot(() => Promise.resolve(), { name: "door", state: "x" })), "UNAUTHORIZED");
  assertEquals(await codeOf(robot(() => Promise.resolve(), { state: "numbered" })), "UNAUTHORIZED");
  await robot((client) => client.put("robot-2", "new", { for: 9 }));
  assertEquals(
    await robot((client) => client.getText(), { name: "robot-3", state: "me" }),
    "{robot-1=in, robot-2=new, robot-3=me}",
  );
});

Deno.test("the map of a bound token is whole however long it is, and its length is right in every form", async () => {
  await using server = await bench();
  for (let index = 0; index < 5_000; index++) {
    const id = `${index % 2 === 0 ? "robot" : "other"}-x${index}`;
    server.registry.open("s".repeat(index === 0 ? 200_000 : 40), { id });
  }
  await using client = await connect({ port: server.port, token: ROBOT });
  const map = await client.getText();
  const wanted = Array.from(server.registry.entries())
    .filter(({ id }) => id.startsWith("robot-")).map(({ id, state }) => `${id}=${textOf(state)}`);
  assertEquals(map === `{${wanted.join(", ")}}`, true);
  for (const { id } of [...server.registry.entries()]) server.registry.close(server.registry.get(id)!);
  assertEquals(await client.getText(), "{}");
});

Deno.test("only an administrator ends others and sees where they are", async () => {
  await using server = await bench();
  await using robot = await connect({ port: server.port, token: ROBOT, name: "robot-9", state: "x" });
  const details = async (token: string) => {
    await using client = await connect({ port: server.port, token });
    const { records } = await client.list({ prefix: "robot-9", details: true });
    return records[0]?.details;
  };
  assertMatch((await details(ADMIN))?.address ?? "", /^127/);
  assertEquals([(await details(ADMIN))?.token, (await details(ADMIN))?.dialect], ["robots", "wide"]);
  assertEquals(await details(VIEWER), { until: 0, address: null, dialect: null, token: null });
  await using ops = await connect({ port: server.port, token: ADMIN });
  assertEquals(await ops.kick("robot-9"), true);
  await robot.finished;
  assertEquals(robot.error?.code, "KICKED");
});

Deno.test("a token that is removed or changed ends its connections, and no other", async () => {
  let tokens = TOKENS;
  await using server = new TcpBench({ tokens: () => tokens });
  await using ops = await connect({ port: server.port, token: ADMIN });
  await using robot = await connect({ port: server.port, token: ROBOT, name: "robot-1", state: "x" });
  await using viewer = await connect({ port: server.port, token: VIEWER });
  tokens = Tokens.of([
    { name: "ops", token: ADMIN, access: "admin" },
    { name: "viewer", token: VIEWER, access: "read", prefix: "other-" },
  ]);
  await Promise.all([robot.finished, viewer.finished]);
  assertEquals([robot.error?.code, viewer.error?.code, server.map], ["UNAUTHORIZED", "UNAUTHORIZED", "{}"]);
  assertEquals(await ops.getText(), "{}");
});

Deno.test("a client whose token is replaced comes back with the new one", async () => {
  let tokens = Tokens.of([{ name: "dev", token: "the-first-of-two-tokens" }]);
  let token = "the-first-of-two-tokens";
  await using server = new TcpBench({ tokens: () => tokens });
  const opened: string[] = [];
  await using client = await connect({
    port: server.port,
    name: "a",
    state: "x",
    token: () => token,
    reconnect: { base: 10, cap: 10 },
    onStatus: ({ status, error }) => opened.push(error?.code ?? status),
  });
  tokens = Tokens.of([{ name: "dev", token: "the-second-of-two-tokens" }]);
  await new Promise<void>((resolve) => client.onStatus(({ error }) => error?.code === "UNAUTHORIZED" && resolve()));
  token = "the-second-of-two-tokens";
  await new Promise<void>((resolve) => client.onStatus(({ status }) => status === "open" && resolve()));
  assertEquals([opened[0], opened.includes("UNAUTHORIZED"), await client.getText()], ["open", true, "{a=x}"]);
});

Deno.test("tokens can be made without a file, and are checked in the same way", () => {
  assertEquals(TOKENS.size, 3);
  assertEquals(TOKENS.find(VIEWER), { name: "viewer", access: "read", prefix: "robot-" });
  for (const [name, token] of [["a b", ADMIN], ["a", "short"], ["a:b", ADMIN], ["a", `${ADMIN}:read`]] as const) {
    const error = assertThrows(() => Tokens.of([{ name, token }]), TrackerError);
    assertEquals([error.code, error.message.includes(ADMIN)], ["BAD_ARGUMENT", false]);
  }
  assertThrows(() => Tokens.of([]), TrackerError, "nobody could connect");
});

Deno.test("the program that runs the server decides who comes in, takes its time, and may rename", async () => {
  const asked: [HelloRequest, string][] = [];
  await using server = serve({
    port: 0,
    async authorize(hello, peer): Promise<Admittance | null> {
      asked.push([hello, peer.hostname]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (hello.token !== "open sesame") return null;
      return { access: "write", name: `guest-${hello.name}`, label: "cave" };
    },
  });
  const { port } = server.addr;
  await using client = await connect({ port, token: "open sesame", name: "ali", state: "in" });
  assertEquals([client.id, textOf(server.registry.flatten())], ["guest-ali", "{guest-ali=in}"]);
  assertEquals([asked[0]?.[0].name, asked[0]?.[1]], ["ali", "127.0.0.1"]);
  assertEquals(await codeOf(connect({ port, token: "open barley" })), "UNAUTHORIZED");
  assertEquals(await codeOf(connect({ port, hello: false, state: "x" })), "UNAUTHORIZED");
});

Deno.test("a decision that fails is told to the client, and one that never comes ends with the time to show a token", async () => {
  const failures = [
    [() => Promise.reject(new TrackerError("RATE_LIMITED", "Cannot let in: later")), "RATE_LIMITED"],
    [() => new Promise<null>(() => {}), "TIMEOUT"],
  ] as const;
  for (const [authorize, code] of failures) {
    await using server = serve({ port: 0, authorize, handshakeTimeout: 100 });
    assertEquals(await codeOf(connect({ port: server.addr.port, token: "x" })), code);
  }
  const silent = serve({ port: 0, authorize: () => new Promise<null>(() => {}) });
  const connecting = codeOf(connect({ port: silent.addr.port }));
  await silent.shutdown({ timeout: 0 });
  await connecting;
});

Deno.test("tokens and authorize exclude each other", () => {
  assertThrows(() => serve({ port: 0, tokens: TOKENS, authorize: () => null }), TrackerError, "cannot both decide");
});

Deno.test("a watch whose token is replaced goes on with the new one", async () => {
  let tokens = Tokens.of([{ name: "dev", token: "the-first-of-two-tokens" }]);
  let token = "the-first-of-two-tokens";
  await using server = new TcpBench({ tokens: () => tokens });
  await using client = await connect({ port: server.port, token: () => token, reconnect: { base: 10, cap: 10 } });
  const lost: (string | undefined)[] = [];
  const onConnection = (error: TrackerError | null) => {
    lost.push(error?.code);
    if (error?.code === "UNAUTHORIZED") token = "the-second-of-two-tokens";
  };
  const kinds: string[] = [];
  for await (const event of client.watch({ onConnection })) {
    kinds.push(event.kind);
    if (event.kind === "synced") {
      tokens = Tokens.of([{ name: "dev", token: "the-second-of-two-tokens" }]);
      void client.onStatus(({ status }) => status === "open" && server.registry.open("x", { id: "after" }));
    }
    if (event.kind === "join") break;
  }
  assertEquals([kinds, lost.includes("UNAUTHORIZED")], [["snapshot", "synced", "join"], true]);
});
