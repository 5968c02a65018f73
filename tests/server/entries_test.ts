/** Entries without a connection, and the end of others' connections. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Client, connect, type PutReply, serve, type ServerEvent, TrackerError } from "../../mod.ts";
import { longLength, textOf } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

/** The code of the error with which a call fails. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, TrackerError)).code;
}

/** A client without a name. */
function observer(bench: { port: number }): Promise<Client> {
  return connect({ port: bench.port });
}

Deno.test("a Put is one event for a watcher, whether its entry is new or not, and so is its end", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  const kinds: string[] = [];
  const watching = (async () => {
    for await (const event of client.watch()) {
      kinds.push("id" in event ? `${event.kind} ${event.id}` : event.kind);
      if (event.kind === "set" && textOf(event.state) === "two") assertEquals(event.until > Date.now(), true);
      if (event.kind === "leave") return assertEquals(event.cause, "expired");
    }
  })();
  await client.put("backup", "one", { for: 60 });
  await client.put("backup", "two", { for: 1 });
  await watching;
  assertEquals(kinds.slice(-3).at(-1), "leave backup");
  assertEquals(kinds.filter((kind) => kind === "set backup").length >= 1, true);
  assertEquals(kinds.some((kind) => /join|update|suspect/.test(kind)), false);
});

Deno.test("a Put tells its entry's identifier, revision and end, and lists show the end", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  const before = Date.now();
  const reply: PutReply = await client.put("backup", "done", { for: 60 });
  assertEquals([reply.id, reply.revision], ["backup", 1]);
  assert(reply.until >= before + 60_000 && reply.until <= Date.now() + 60_000);
  const { records } = await client.list({ details: true });
  assertEquals(records.map(({ id, status }) => [id, status]), [["backup", "detached"]]);
  assertEquals(records[0]?.details?.until, reply.until);
  assertMatch(records[0]?.details?.address ?? "", /^127\.0\.0\.1:\d+$/);
  await client.close();
  assertEquals(bench.map, "{backup=done}");
});

Deno.test("what was put earlier never replaces what was put later, unless its time is not to be trusted", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  const now = Date.now();
  await client.put("door", "open", { for: 60, issued: now });
  assertEquals(await codeOf(client.put("door", "late", { for: 60, issued: now - 1 })), "SUPERSEDED");
  assertEquals(bench.map, "{door=open}");
  await using other = await observer(bench);
  await other.put("door", "again", { for: 60, issued: now });
  await other.put("door", "a clock that stopped", { for: 60, issued: now - 120_000 });
  assertEquals(bench.map, "{door=a clock that stopped}");
});

Deno.test("a Put or Drop that names a revision changes no other", async () => {
  await using bench = new TcpBench();
  const codes = async (call: (client: Client) => Promise<unknown>) => {
    await using client = await observer(bench);
    return await codeOf(call(client));
  };
  await using client = await observer(bench);
  const { revision } = await client.put("a", "1", { for: 60, if: 0 });
  assertEquals(await codes((client) => client.put("a", "2", { for: 60, if: 0 })), "SUPERSEDED");
  assertEquals(await codes((client) => client.drop("a", { if: revision + 1 })), "SUPERSEDED");
  const next = await client.put("a", "2", { for: 60, if: revision });
  assertEquals(await client.drop("a", { if: next.revision }), true);
  assertEquals(await client.drop("a", { if: next.revision }), false);
  assertEquals(bench.map, "{}");
});

Deno.test("a connected client keeps its name, unless a Put or Drop takes it", async () => {
  for (const action of ["put", "drop"] as const) {
    await using bench = new TcpBench();
    await using robot = await connect({ port: bench.port, name: "pi-7", state: "on", heartbeat: 10 });
    const act = async (takeover: boolean) => {
      await using client = await observer(bench);
      if (action === "put") return await client.put("pi-7", "off", { for: 60, takeover });
      return await client.drop("pi-7", { takeover });
    };
    const refusal = await assertRejects(() => act(false), TrackerError);
    assertEquals([refusal.code, bench.map], ["NAME_TAKEN", "{pi-7=on}"]);
    assertMatch(refusal.message, /silent for .* s, given up after 25 s$/);
    await act(true);
    await robot.finished;
    assertEquals([robot.error?.code, bench.map], ["TAKEN_OVER", action === "put" ? "{pi-7=off}" : "{}"]);
  }
});

Deno.test("a Put replaces a suspect, and a client that opens replaces nothing but the waiting", async () => {
  await using bench = new TcpBench();
  const robot = await connect({ port: bench.port, name: "pi-7", state: "on", grace: 60 });
  await robot.detach();
  await using client = await observer(bench);
  await client.put("pi-7", "set", { for: 60 });
  assertEquals([bench.registry.get("pi-7")?.status, bench.server.metrics().now.suspects], ["detached", 0]);
  await using back = await connect({ port: bench.port, name: "pi-7" });
  const entry = bench.registry.get("pi-7");
  assertEquals([entry?.status, entry?.until, textOf(entry!.state)], ["live", 0, "set"]);
  await back.open("own");
  assertEquals(bench.map, "{pi-7=own}");
});

Deno.test("a limit that a Put would pass is a refusal, and the entry stays as it was", async () => {
  await using bench = new TcpBench({ maxSuspects: 4, maxTotalState: 10 });
  const refused = async (name: string, state: string) => {
    await using client = await observer(bench);
    return await codeOf(client.put(name, state, { for: 60 }));
  };
  await using client = await observer(bench);
  await client.put("a", "12345", { for: 60 });
  assertEquals(await refused("b", "12345"), "TOO_MANY_CLIENTS", "a quarter is for one address");
  assertEquals(await refused("a", "12345678901"), "TOO_MUCH_STATE");
  assertEquals(bench.map, "{a=12345}");
  await client.put("a", "1234567890", { for: 60 });
  assertEquals(bench.map, "{a=1234567890}");
});

Deno.test("a Put that breaks off leaves the old entry, never half of the new", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  await client.put("a", "old", { for: 60 });
  const json = '{"name":"a","for":60}';
  const message = [42, 9, longLength(2 + json.length + 3), 0, json.length, json, "new"] as const;
  for (let cut = 1; cut < 4; cut++) {
    const peer = await bench.dial();
    await peer.send(42, 4, longLength(2), "{}");
    await peer.send(...message.slice(0, -1), "new".slice(0, cut === 3 ? 2 : cut - 1));
    peer.close();
  }
  assertEquals(await client.getText(), "{a=old}");
  const silent = await bench.dial();
  await silent.send(42, 4, longLength(2), "{}", ...message);
  silent.close();
  await bench.until((map) => map === "{a=new}");
  assertEquals(bench.registry.get("a")?.status, "detached");
});

Deno.test("a Kick ends a client for good, and its name or address is refused for a while", async () => {
  await using bench = new TcpBench();
  await using admin = await observer(bench);
  const robot = await connect({ port: bench.port, name: "pi-7", state: "on", grace: 60, reconnect: true });
  const causes: unknown[] = [];
  bench.registry.subscribe(({ kind, cause }) => kind === "leave" && causes.push(cause));
  assertEquals(await admin.kick("pi-7", { reason: "out of order", for: 60 }), true);
  await robot.finished;
  assertEquals([robot.error?.code, robot.error?.message], ["KICKED", "Cannot keep client: out of order"]);
  assertEquals([causes, bench.map], [["kicked"], "{}"]);
  assertEquals(await codeOf(connect({ port: bench.port, name: "pi-7" })), "KICKED");
  assertEquals(await codeOf((await observer(bench)).put("pi-7", "x", { for: 9 })), "KICKED");
  const numbered = await connect({ port: bench.port, state: "n" });
  assertEquals(await admin.kick("client1", { for: 60 }), true);
  await numbered.finished;
  assertEquals(await codeOf(connect({ port: bench.port, state: "again" })), "KICKED");
  assertEquals(await admin.kick("nobody"), false);
});

Deno.test("the program that runs the server ends clients and its own entries", async () => {
  await using bench = new TcpBench();
  bench.registry.open("mine", { id: "own" });
  await using robot = await connect({ port: bench.port, name: "pi-7", state: "on" });
  assertEquals([bench.server.kick("own"), bench.server.kick("pi-7", "enough"), bench.server.kick("x")], [
    true,
    true,
    false,
  ]);
  await robot.finished;
  assertEquals([robot.error?.message, bench.map], ["Cannot keep client: enough", "{}"]);
  await assertRejects(async () => await bench.server.kick("a", "b", { for: -1 }), TrackerError, "not from 0 to 86400");
});

Deno.test("a Fetch brings one record or none", async () => {
  await using bench = new TcpBench();
  await using robot = await connect({ port: bench.port, name: "pi-7", state: "on" });
  const record = await robot.fetch("pi-7");
  assertEquals([record?.id, record?.status, textOf(record!.state)], ["pi-7", "live", "on"]);
  assertEquals(await robot.fetch("pi-"), null);
});

Deno.test("a List is paged by identifier, filtered by status, or counted", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  for (const id of ["c", "a", "d", "b"]) bench.registry.open(`state of ${id}`, { id });
  await client.put("e", "set", { for: 60 });
  const idsOf = async (options: Parameters<Client["list"]>[0]) =>
    (await client.list(options)).records.map(({ id }) => id);
  assertEquals(await idsOf({}), ["c", "a", "d", "b", "e"]);
  assertEquals(await idsOf({ limit: 2 }), ["a", "b"]);
  assertEquals(await idsOf({ limit: 2, after: "b" }), ["c", "d"]);
  assertEquals(await idsOf({ after: "d" }), ["e"]);
  assertEquals(await idsOf({ limit: 0 }), []);
  assertEquals(await idsOf({ status: "detached" }), ["e"]);
  assertEquals(await idsOf({ status: "live", limit: 9, prefix: "a" }), ["a"]);
  assertEquals(await Promise.all([client.count(), client.count({ prefix: "a" }), client.count({ status: "live" })]), [
    5,
    1,
    4,
  ]);
  assertEquals(await client.count({ prefix: "x" }), 0);
});

Deno.test("pages of many clients show each of them once, though the map changes meanwhile", async () => {
  await using bench = new TcpBench();
  await using client = await observer(bench);
  const ids = Array.from({ length: 10_000 }, (_, index) => `n-${String(index).padStart(5, "0")}`);
  for (const id of ids.toReversed()) bench.registry.open("x".repeat(20), { id });
  const seen: string[] = [];
  for (let after = "";;) {
    const { records } = await client.list({ after, limit: 1_234, details: true, status: "live" });
    if (records.length === 0) break;
    seen.push(...records.map(({ id }) => id));
    after = seen.at(-1)!;
    bench.registry.update(bench.registry.get(seen[0]!)!, "y".repeat(seen.length % 50));
  }
  assertEquals(seen, ids);
});

Deno.test("events come in order: a leave for every join, and no join after a kick", async () => {
  const events: string[] = [];
  const changes: string[] = [];
  await using server = serve({ port: 0, onEvent: note });
  function note(event: ServerEvent): void {
    if ("id" in event) events.push(`${event.kind} ${event.id}`);
    if (event.kind === "join" && event.id === "client1") server.kick(event.id);
  }
  server.registry.subscribe(({ kind, entry }) => {
    // A listener that changes the map: those after it must not hear of the leave before the join.
    if (kind === "join" && entry.id === "client2") server.registry.close(entry);
  });
  server.registry.subscribe(({ kind, entry }) => changes.push(`${kind} ${entry.id}`));
  for (let round = 0; round < 2; round++) {
    const client = await connect({ port: server.addr.port });
    await client.open("x").catch(() => {});
    await client.close().catch(() => {});
  }
  assertEquals(changes, ["join client1", "leave client1", "join client2", "leave client2"]);
  assertEquals(events.slice(0, 2), ["join client1", "leave client1"]);
});
