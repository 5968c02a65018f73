/** The extensions, byte by byte, over sessions whose connections are in memory. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeEvents, decodeList, type Greeting, type HelloRequest, type ListReply, Registry } from "../../mod.ts";
import type { WatchEvent } from "../../mod.ts";
import type { SessionEvent } from "../../lib/server/events.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext } from "../../lib/server/context.ts";
import type { SessionContext, SessionLimits } from "../../lib/server/context.ts";
import { bytesOf, longLength, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair, type MemoryConnection } from "../support/memory.ts";
import { VirtualTime } from "../support/virtual_time.ts";

type Parts = Parameters<typeof bytesOf>;

/** A server without sockets. */
class Host implements AsyncDisposable {
  readonly registry: Registry;
  readonly events: SessionEvent[] = [];
  readonly #context: SessionContext;
  readonly #peers: Peer[] = [];

  constructor(limits: Partial<SessionLimits> = {}, registry = new Registry()) {
    this.registry = registry;
    this.#context = createSessionContext(registry, { ...LIMITS, ...limits });
  }

  get map(): string {
    return textOf(this.registry.flatten());
  }

  connect(onEvent?: (event: SessionEvent) => void, seed?: number): Peer {
    const [client, server] = createPair(seed);
    const session = new Session(server, this.#context, {
      onEvent: (_, event) => {
        this.events.push(event);
        onEvent?.(event);
      },
    });
    const peer = new Peer(client, session, session.run());
    this.#peers.push(peer);
    return peer;
  }

  /** A connection that has said Hello. */
  async greet(request: HelloRequest = {}): Promise<Peer> {
    const peer = this.connect();
    await peer.hello(request);
    return peer;
  }

  async watch(request: unknown = {}): Promise<Peer> {
    const peer = await this.greet();
    await peer.watch(request);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session, ended } of this.#peers) {
      session.abort();
      await ended;
    }
    closeSessionContext(this.#context);
    for (const { end } of this.#peers) if (!end.closed) end.close();
  }
}

function lengthOf(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer).getBigUint64(0));
}

/** A client's end of a connection. */
class Peer {
  greeting!: Greeting;

  constructor(readonly end: MemoryConnection, readonly session: Session, readonly ended: Promise<void>) {}

  async send(...parts: Parts): Promise<void> {
    await writeFully(this.end, bytesOf(...parts));
  }

  async request(type: number, json: unknown): Promise<void> {
    const text = JSON.stringify(json);
    await this.send(42, type, longLength(new TextEncoder().encode(text).length), text);
  }

  async hello(request: unknown): Promise<Greeting> {
    await this.request(4, request);
    assertEquals(await readExactly(this.end, 1), bytesOf(1));
    const length = lengthOf(await readExactly(this.end, 8));
    return this.greeting = JSON.parse(textOf(await readExactly(this.end, length)));
  }

  async open(state: string): Promise<void> {
    await this.send(42, 0, longLength(state.length), state);
    assertEquals(await readExactly(this.end, 1), bytesOf(1));
  }

  async update(state: string): Promise<void> {
    await this.send(42, 2, longLength(state.length), state);
  }

  /** Goes away without a Close, and waits for the server to have noticed. */
  async vanish(): Promise<void> {
    this.end.close();
    await this.ended;
  }

  async close(): Promise<void> {
    await this.send(42, 1);
    assertEquals(await readToEnd(this.end), bytesOf(1));
    await this.vanish();
  }

  async watch(request: unknown): Promise<void> {
    await this.request(5, request);
    assertEquals(await readExactly(this.end, 1), bytesOf(1));
  }

  async list(request: unknown = {}): Promise<ListReply> {
    await this.request(6, request);
    const length = lengthOf(await readExactly(this.end, 8));
    return decodeList(await readExactly(this.end, length));
  }

  async frame(): Promise<WatchEvent[]> {
    const length = lengthOf(await readExactly(this.end, 8));
    return decodeEvents(await readExactly(this.end, length));
  }

  /** Reads frames until one of their events is of a kind, and returns all events. */
  async until(kind: WatchEvent["kind"]): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (!events.some((event) => event.kind === kind)) events.push(...await this.frame());
    return events;
  }

  /** What a watcher has seen, a word or two for each event. */
  async seen(until: WatchEvent["kind"]): Promise<string[]> {
    return (await this.until(until)).map(brief);
  }

  async refusal(): Promise<string> {
    const text = textOf(await readToEnd(this.end));
    return /\0[^]([A-Z_]+): [^]*$/.exec(text)?.[1] ?? `no error in ${JSON.stringify(text)}`;
  }
}

function brief(event: WatchEvent): string {
  const words: unknown[] = [event.revision, event.kind];
  if ("id" in event) words.push(event.id);
  if ("status" in event) words.push(event.status);
  if ("state" in event) words.push(textOf(event.state));
  if ("cause" in event) words.push(event.cause);
  return words.join(" ");
}

Deno.test("an identifier that begins with a byte order mark is told as it is", async () => {
  await using host = new Host();
  const id = "\ufeffada";
  host.registry.open("here", { id });
  const lister = await host.greet();
  assertEquals((await lister.list()).records.map((record) => record.id), [id]);
  const watcher = await host.watch();
  const told = await watcher.until("synced");
  assertEquals(told.flatMap((event) => event.kind === "present" ? event.id : []), [id]);
});

Deno.test("a Hello is answered with what the server is and what it has granted", async () => {
  await using host = new Host({ maxState: 1_000 }, new Registry({ incarnation: "first" }));
  const plain = await host.greet();
  const { version, ...rest } = plain.greeting;
  assert(/^\d+\.\d+\.\d+$/.test(version));
  const expected = { server: "tracker", incarnation: "first", id: null, resume: null, heartbeat: 0, grace: 0 };
  assertEquals(rest, { ...expected, maxState: 1_000 });
  const named = await host.greet({ name: "robot:7", heartbeat: 5, grace: 30 });
  const { id, heartbeat, grace, resume } = named.greeting;
  assertEquals({ id, heartbeat, grace }, { id: "robot:7", heartbeat: 5, grace: 30 });
  assert(/^[0-9a-f]{32}$/.test(resume ?? ""));
});

Deno.test("a name becomes the identifier, and the nameless go on being numbered", async () => {
  await using host = new Host();
  const named = await host.greet({ name: "ada" });
  assertEquals(host.map, "{}");
  await named.open("here");
  await (await host.greet()).open("too");
  assertEquals(host.map, "{ada=here, client1=too}");
  await named.close();
  assertEquals(host.map, "{client1=too}");
});

Deno.test("a Hello that is not as it must be is refused, and unknown members are ignored", async () => {
  await using host = new Host();
  const wrong = [
    [],
    "ada",
    null,
    { name: "" },
    { name: "client7" },
    { name: "a b" },
    { name: "ä" },
    { name: "x".repeat(129) },
    { name: 7 },
    { heartbeat: 0.5 },
    { heartbeat: 3_601 },
    { heartbeat: "5" },
    { grace: -1 },
    { grace: 86_401 },
    { takeover: 1 },
    { resume: 5 },
    { token: {} },
  ];
  for (const request of wrong) {
    const peer = host.connect();
    await peer.request(4, request);
    assertEquals(await peer.refusal(), "BAD_HELLO", JSON.stringify(request));
  }
  for (const request of [{ name: "client" }, { name: "client7x" }, { name: "x".repeat(128) }, { colour: "red" }]) {
    await host.greet(request);
  }
});

Deno.test("a name is held by one connection, from its Hello on", async () => {
  await using host = new Host();
  const first = await host.greet({ name: "ada" });
  const second = host.connect();
  await second.request(4, { name: "ada" });
  assertEquals(await second.refusal(), "NAME_TAKEN");
  await first.vanish();
  await host.greet({ name: "ada" });
});

Deno.test("takeover ends the older connection, and one client leaves for another", async () => {
  await using host = new Host();
  const watcher = await host.watch();
  const old = await host.greet({ name: "ada", grace: 60 });
  await old.open("old");
  await watcher.until("join");
  const young = await host.greet({ name: "ada", takeover: true });
  assertEquals(await old.refusal(), "TAKEN_OVER");
  assertEquals(await watcher.seen("leave"), ["2 leave ada takeover"]);
  await young.open("young");
  await old.vanish();
  assertEquals(host.map, "{ada=young}", "the old connection's end touched the new holder");
  assertEquals(await watcher.seen("join"), ["3 join ada young"]);
  const thief = host.connect();
  await thief.request(4, { name: "ada", resume: old.greeting.resume });
  assertEquals(await thief.refusal(), "NAME_TAKEN");
});

Deno.test("a session that is ended by who hears of its takeover leaves its name free", async () => {
  await using host = new Host();
  let ended: Peer | null = null;
  const old = host.connect((event) => {
    if (event.kind === "error") ended?.session.abort();
  });
  await old.hello({ name: "ada" });
  await old.open("old");
  ended = host.connect();
  await ended.request(4, { name: "ada", takeover: true });
  await ended.ended;
  assertEquals(host.map, "{}");
  await host.greet({ name: "ada" });
});

Deno.test("a name that the program itself has opened meanwhile is refused with an error", async () => {
  await using host = new Host();
  const peer = await host.greet({ name: "ada" });
  host.registry.open("mine", { id: "ada" });
  await peer.send(42, 0, longLength(1), "x");
  assertEquals(await peer.refusal(), "NAME_TAKEN");
  assertEquals(host.map, "{ada=mine}");
});

Deno.test("with its key a client takes its name back from its own connection, and nobody sees it leave", async () => {
  await using host = new Host();
  const watcher = await host.watch();
  const old = await host.greet({ name: "ada" });
  await old.open("state");
  await watcher.until("join");
  const back = await host.greet({ name: "ada", resume: old.greeting.resume! });
  assertEquals(back.greeting.resume, old.greeting.resume);
  assertEquals(await old.refusal(), "TAKEN_OVER");
  assertEquals(host.map, "{ada=state}");
  await old.vanish();
  await back.update("news");
  assertEquals(await watcher.seen("update"), ["2 update ada news"]);
  const wrong = host.connect();
  await wrong.request(4, { name: "ada", resume: back.greeting.resume?.replace(/.$/, "x") });
  assertEquals(await wrong.refusal(), "NAME_TAKEN");
});

Deno.test("with grace a drop-out is suspect and resume, not leave and join", async () => {
  await using host = new Host();
  const watcher = await host.watch();
  const first = await host.greet({ name: "ada", grace: 60 });
  await first.open("state");
  await first.vanish();
  assertEquals(host.map, "{ada=state}");
  assertEquals(await watcher.seen("suspect"), ["0 synced", "1 join ada state", "2 suspect ada"]);
  const again = await host.greet({ name: "ada" });
  assertNotEquals(again.greeting.resume, first.greeting.resume);
  assertEquals(await watcher.seen("resume"), ["3 resume ada"]);
  await again.vanish();
  assertEquals(await watcher.seen("leave"), ["4 leave ada disconnect"]);
  assertEquals(host.map, "{}");
  const told = host.events.map((event) => "cause" in event ? `${event.kind} ${event.cause}` : event.kind);
  assertEquals(told, ["join", "suspect disconnect", "resume", "leave disconnect"]);
});

Deno.test("grace ends in a leave with the cause of the connection's end", async () => {
  await using host = new Host();
  const watcher = await host.watch();
  const peer = await host.greet({ name: "ada", grace: 0.05 });
  await peer.open("x");
  await peer.send(42, 99);
  assertEquals(await watcher.seen("leave"), ["0 synced", "1 join ada x", "2 suspect ada", "3 leave ada error"]);
  assertEquals(host.map, "{}");
  await host.greet({ name: "ada" });
});

Deno.test("a Close leaves at once, whatever grace was asked for", async () => {
  await using host = new Host();
  const peer = await host.greet({ name: "ada", grace: 60 });
  await peer.open("x");
  await peer.close();
  assertEquals(host.map, "{}");
});

Deno.test("there is a limit on how many are waited for", async () => {
  await using host = new Host({ maxSuspects: 1 });
  for (const name of ["ada", "ben"]) {
    const peer = await host.greet({ name, grace: 60 });
    await peer.open("x");
    await peer.vanish();
  }
  assertEquals(host.map, "{ada=x}");
});

Deno.test("the end of the server is the end of every grace", async () => {
  const host = new Host();
  const peer = await host.greet({ name: "ada", grace: 60 });
  await peer.open("x");
  await peer.vanish();
  await host[Symbol.asyncDispose]();
  assertEquals(host.map, "{}");
  assertEquals(host.events.at(-1), { kind: "leave", id: "ada", cause: "shutdown" });
});

Deno.test("a client that breaks its promise of a heartbeat is given up after 2.5 times that", async () => {
  await using host = new Host();
  const peer = await host.greet({ heartbeat: 1 });
  await peer.open("x");
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 400));
  await peer.send(42, 7);
  assertEquals(await readExactly(peer.end, 1), bytesOf(1));
  const heard = performance.now();
  assertEquals(await peer.refusal(), "TIMEOUT");
  const silence = performance.now() - heard;
  assert(silence >= 2_450 && silence < 3_200, `given up after ${silence} ms`);
  assert(performance.now() - start >= 2_800);
  assertEquals(host.map, "{}");
});

Deno.test("a List is the map in records that no state can forge", async () => {
  await using host = new Host();
  const before = Date.now();
  const named = await host.greet({ name: "ada", grace: 60 });
  await named.open("a, eve=b");
  const other = await host.greet();
  await other.open("");
  await named.vanish();
  const { revision, records } = await other.list();
  assertEquals(revision, 3);
  const seen = records.map(({ id, status, revision, state }) => [id, status, revision, textOf(state)]);
  assertEquals(seen, [["ada", "suspect", 3, "a, eve=b"], ["client1", "live", 2, ""]]);
  for (const { openedAt, updatedAt } of records) {
    assert(openedAt >= before && updatedAt >= openedAt && updatedAt <= Date.now());
  }
  assertEquals((await other.list({ prefix: "ad" })).records.map(({ id }) => id), ["ada"]);
  assertEquals((await other.list({ prefix: "x" })).records, []);
});

Deno.test("a long List goes out whole, and in its place among other replies", async () => {
  await using host = new Host();
  for (let i = 0; i < 1_000; i++) host.registry.open("x".repeat(100));
  const peer = await host.greet();
  await peer.send(42, 7);
  await peer.request(6, {});
  await peer.send(42, 7);
  assertEquals(await readExactly(peer.end, 1), bytesOf(1));
  const length = lengthOf(await readExactly(peer.end, 8));
  assertEquals(decodeList(await readExactly(peer.end, length)).records.length, 1_000);
  assertEquals(await readExactly(peer.end, 1), bytesOf(1));
});

Deno.test("a watcher gets the map as it is, then every change, byte for byte", async () => {
  await using host = new Host({}, new Registry({ incarnation: "i" }));
  const client = await host.greet({ name: "ab" });
  await client.open("x");
  const watcher = await host.greet();
  await watcher.request(5, {});
  const revision = (value: number) => longLength(value);
  const present = [1, revision(1), 0, 2, "ab", 0, 0, 0, 0, 1, "x"] as const;
  const synced = [2, revision(1), 0, 0, 1, "i"] as const;
  const expected = bytesOf(1, longLength(19 + 13), ...present, ...synced);
  assertEquals(await readExactly(watcher.end, expected.length), expected);
  await client.update("yz");
  const update = bytesOf(longLength(19), 4, revision(2), 0, 2, "ab", 0, 0, 0, 2, "yz");
  assertEquals(await readExactly(watcher.end, update.length), update);
  await client.close();
  const leave = bytesOf(longLength(14), 7, revision(3), 0, 2, "ab", 0);
  assertEquals(await readExactly(watcher.end, leave.length), leave);
  await watcher.send(42, 7);
  const pong = bytesOf(longLength(11), 8, revision(3), 0, 0);
  assertEquals(await readExactly(watcher.end, pong.length), pong);
});

Deno.test("a watch of a prefix tells of nobody else", async () => {
  await using host = new Host();
  host.registry.open("1", { id: "robot:1" });
  host.registry.open("2", { id: "human:1" });
  const watcher = await host.watch({ prefix: "robot:" });
  assertEquals(await watcher.seen("synced"), ["1 present robot:1 live 1", "2 synced"]);
  host.registry.open("3", { id: "human:2" });
  const robot = host.registry.open("4", { id: "robot:2" });
  host.registry.close(robot, "kicked");
  assertEquals(await watcher.seen("leave"), ["4 join robot:2 4", "5 leave robot:2 kicked"]);
});

Deno.test("a watcher that ends its stream at once gets whole replies all the same", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await using host = new Host();
    host.registry.open("s".repeat(1_000), { id: "other" });
    const peer = host.connect(undefined, seed);
    const [hello, map] = ["{}", `{other=${"s".repeat(1_000)}}`];
    await peer.send(42, 4, longLength(2), hello, 42, 3, 42, 5, longLength(2), "{}", 42, 7);
    await peer.end.closeWrite();
    assertEquals(await readExactly(peer.end, 1), bytesOf(1));
    await readExactly(peer.end, lengthOf(await readExactly(peer.end, 8)));
    assertEquals(await readExactly(peer.end, 8 + map.length + 1), bytesOf(longLength(map.length), map, 1));
    const rest = await readToEnd(peer.end);
    for (let at = 0; at < rest.length;) {
      const length = lengthOf(rest.slice(at, at + 8));
      decodeEvents(rest.subarray(at + 8, at += 8 + length));
      assert(at <= rest.length, `a frame is cut off after ${rest.length} bytes`);
    }
  }
});

Deno.test("a watch that comes back gets what it has missed, and no snapshot", async () => {
  await using host = new Host();
  const { registry } = host;
  const [a, b] = [registry.open("a1"), registry.open("b1")];
  registry.update(a, "a2");
  registry.close(b, "timeout");
  registry.open("c1");
  registry.update(a, "a3");
  const since = { incarnation: registry.incarnation, revision: 2 };
  const watcher = await host.watch({ since });
  const missed = ["4 leave client2 timeout", "5 join client3 c1", "6 update client1 a3", "6 synced"];
  assertEquals(await watcher.seen("synced"), missed);
  assertEquals(await (await host.watch({ since: { ...since, revision: 6 } })).seen("synced"), ["6 synced"]);
});

Deno.test("a watch that comes back to another incarnation, or from the future, gets a snapshot", async () => {
  await using host = new Host();
  const { incarnation } = host.registry;
  host.registry.open("x");
  const snapshot = ["1 present client1 live x", "1 synced"];
  for (const since of [{ incarnation: "other", revision: 1 }, { incarnation, revision: 7 }]) {
    assertEquals(await (await host.watch({ since })).seen("synced"), snapshot);
  }
});

Deno.test("on a connection that watches only Update, Ping and Close may be sent", async () => {
  await using host = new Host();
  const reporter = await host.watch();
  await reporter.until("synced");
  await reporter.update("mine");
  assertEquals(await reporter.seen("join"), ["1 join client1 mine"]);
  await reporter.close();
  for (const message of [[42, 0, longLength(0)], [42, 3], [42, 5, longLength(2), "{}"], [42, 6, longLength(2), "{}"]]) {
    const watcher = await host.watch();
    await watcher.send(...message);
    assertEquals(await watcher.refusal(), "BAD_TYPE");
  }
});

Deno.test("a watcher that does not read is told the latest of each client, and every leave", async () => {
  await using host = new Host({ maxUnsent: 2 ** 30 });
  const { registry } = host;
  const watcher = await host.watch();
  await watcher.until("synced");
  const busy = registry.open("0");
  const filler = "x".repeat(50_000);
  for (let round = 1; round <= 100; round++) {
    registry.update(busy, `${round} ${filler}`);
    registry.close(registry.open(filler));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  registry.update(busy, "last");
  const events: WatchEvent[] = [];
  while (events.at(-1)?.revision !== registry.revision) events.push(...await watcher.frame());
  const leaves = events.filter(({ kind }) => kind === "leave");
  assertEquals(leaves.length, 100);
  const updates = events.filter((event) => event.kind === "update");
  assert(updates.length < 60, `${updates.length} updates were told`);
  assertEquals(events.map(brief).at(-1), `${registry.revision} update client1 last`);
  for (let i = 1; i < events.length; i++) assert(events[i - 1]!.revision < events[i]!.revision);
});

Deno.test("a watcher that takes nothing while too much changes is cut, and nobody else", async () => {
  await using host = new Host({ maxUnsent: 100_000, writeTimeout: 100 });
  const { registry } = host;
  const [stuck, fine] = [await host.watch(), await host.watch()];
  await fine.until("synced");
  const entries = Array.from({ length: 20 }, () => registry.open("x".repeat(10_000)));
  await fine.until("join");
  assertEquals(await host.events.find(({ kind }) => kind === "error"), undefined);
  await stuck.ended;
  const [error] = host.events.filter((event) => event.kind === "error");
  assertEquals(error?.error.code, "SLOW_CONSUMER");
  registry.close(entries[0]!);
  await fine.until("leave");
});

Deno.test("a watcher far behind that owes little is kept", async () => {
  await using host = new Host({ maxUnsent: 100_000, writeTimeout: 100 });
  const watcher = await host.watch();
  const entry = host.registry.open("");
  for (let i = 0; i < 200; i++) {
    host.registry.update(entry, `${i} ${"x".repeat(20_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertEquals(host.events, []);
  assertEquals((await watcher.until("synced")).at(-1)?.kind, "synced");
});

Deno.test("a watcher is listened to while there is always more to tell it, however often it has pinged", async () => {
  using time = new VirtualTime();
  await using host = new Host({ maxUnsent: 2 ** 30 });
  const { registry } = host;
  const watcher = await host.watch();
  await watcher.until("synced");
  const busy = registry.open("");
  const change = async () => {
    registry.update(busy, "x".repeat(40_000));
    await time.advance(10);
  };
  for (let i = 0; i < 3; i++) await change();
  for (let i = 0; i < 1_000; i++) await watcher.send(42, 7);
  await watcher.update("mine");
  for (let events = 0; registry.size < 2; events++) {
    await change();
    await watcher.frame();
    assert(events < 2_000, "the Update behind the Pings is not taken");
  }
});

Deno.test("a watcher that parts is told first what has happened by then", async () => {
  await using host = new Host();
  const watcher = await host.watch();
  await watcher.until("synced");
  const entry = host.registry.open("x");
  await watcher.until("join");
  // Within the tick that the join has begun: nothing of it would be sent before the end.
  host.registry.close(entry);
  await watcher.send(42, 1);
  assertEquals(await watcher.frame().then((events) => events.map(brief)), ["2 leave client1 close"]);
  assertEquals(await readToEnd(watcher.end), bytesOf(1));
});
