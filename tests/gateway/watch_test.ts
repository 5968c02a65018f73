import { assert, assertEquals } from "@std/assert";
import { Server } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";
import { bytesOf } from "../support/bytes.ts";
import { MemoryListener } from "../support/memory_listener.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { RawClient } from "./support/raw_client.ts";
import { WebBench } from "./support/web_bench.ts";

/** An event, as a browser would see it. */
interface Seen {
  readonly name: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
  readonly id: string | undefined;
}

/** Reads a stream of events as the standard says. */
class EventReader {
  readonly client: RawClient;

  constructor(client: RawClient) {
    this.client = client;
  }

  static async open(client: RawClient, target: string, ...headers: string[]): Promise<EventReader> {
    await client.request("GET", target, ...headers);
    await client.until("\r\n\r\n");
    return new EventReader(client);
  }

  async next(): Promise<Seen> {
    for (;;) {
      const lines = (await this.client.until("\n\n")).trimEnd().split("\n");
      const valueOf = (field: string) => lines.find((line) => line.split(":")[0] === field)?.replace(/^\w+: ?/, "");
      const name = valueOf("event");
      if (name !== undefined) return { name, data: JSON.parse(valueOf("data")!), id: valueOf("id") };
    }
  }

  async upTo(name: string): Promise<Seen[]> {
    const seen: Seen[] = [];
    do seen.push(await this.next()); while (seen.at(-1)!.name !== name);
    return seen;
  }
}

Deno.test("a watch tells everybody, then every change", async () => {
  await using web = new WebBench();
  const { registry } = web;
  registry.open("1", { id: "a" });
  const events = await EventReader.open(await web.connect(), "/watch");
  const [snapshot, present, synced] = await events.upTo("synced");
  assertEquals([snapshot!.name, snapshot!.id], ["snapshot", ""]);
  assertEquals([present!.data.id, present!.data.state, present!.id], ["a", "1", undefined]);
  assertEquals(synced!.id, `${registry.incarnation}:1`);
  const entry = registry.open(bytesOf(0xff), { id: "b" });
  registry.update(entry, "2");
  registry.mark(entry, "suspect");
  registry.mark(entry, "live");
  registry.close(entry, "timeout");
  registry.put("3", { id: "c", until: 7 });
  const seen = await events.upTo("set");
  assertEquals(seen.map(({ name }) => name), ["join", "update", "suspect", "resume", "leave", "set"]);
  assertEquals(seen[0]!.data, { event: "join", revision: 2, id: "b", state: "/w==", encoding: "base64" });
  assertEquals(seen[4]!.data, { event: "leave", revision: 6, id: "b", cause: "timeout" });
  assertEquals(seen.map(({ id }) => id), [2, 3, 4, 5, 6, 7].map((revision) => `${registry.incarnation}:${revision}`));
});

Deno.test("a watch resumes from its last event, and misses nothing", async () => {
  await using web = new WebBench();
  const { registry } = web;
  registry.open("1", { id: "a" });
  registry.open("2", { id: "b" });
  const last = `${registry.incarnation}:1`;
  for (const headers of [[`Last-Event-ID: ${last}`], []]) {
    const query = headers.length === 0 ? `?since=${encodeURIComponent(last)}` : "";
    const events = await EventReader.open(await web.connect(), `/watch${query}`, ...headers);
    const seen = await events.upTo("synced");
    assertEquals(seen.map(({ name, data }) => [name, data.id]), [["join", "b"], ["synced", undefined]]);
  }
  const unknown = await EventReader.open(await web.connect(), "/watch", "Last-Event-ID: another:1");
  assertEquals((await unknown.next()).name, "snapshot");
  assertEquals((await web.ask("/watch?since=1")).json.code, "BAD_REQUEST");
});

Deno.test("a leave within a snapshot is no place to resume from", async () => {
  await using web = new WebBench();
  const { registry } = web;
  // More than a frame, so that the map can change before the snapshot is complete.
  const entries = Array.from({ length: 200 }, (_, at) => registry.open("x".repeat(2_000), { id: `${at}` }));
  const client = await web.connect();
  await client.request("GET", "/watch");
  const events = new EventReader(client);
  await client.until("\r\n\r\n");
  await events.next();
  for (const entry of entries.slice(100)) registry.close(entry);
  const seen = await events.upTo("synced");
  assertEquals(seen.slice(0, -1).filter(({ id }) => id !== undefined), []);
});

Deno.test("a watch of a prefix tells nothing of others", async () => {
  await using web = new WebBench();
  const events = await EventReader.open(await web.connect(), "/watch?prefix=pi-");
  await events.upTo("synced");
  web.registry.open("1", { id: "door" });
  web.registry.open("2", { id: "pi-1" });
  assertEquals((await events.next()).data.id, "pi-1");
});

Deno.test("nothing that a client can send ends a line of the stream, or acts on a terminal", async () => {
  await using web = new WebBench();
  const state = "a\n\nevent: leave\ndata: {}\r\r\u2028\x1b[2J\u202e";
  web.registry.open(state, { id: "a\nb" });
  const client = await web.connect();
  await client.request("GET", "/watch");
  const text = await client.until("event: synced");
  assert(!/[^\n\x20-\x7e]/.test(text.slice(text.indexOf("\r\n\r\n") + 4)));
  const line = text.split("\n").find((line) => line.startsWith('data: {"event":"present"'))!;
  assertEquals(JSON.parse(line.slice(6)).state, state);
});

Deno.test("a quiet stream is kept alive by comments", async () => {
  using time = new VirtualTime();
  const listener = new MemoryListener();
  const server = new Server([listener], {}, [new Gateway()]);
  const client = new RawClient(listener.connect());
  await client.request("GET", "/watch");
  await client.until("event: synced");
  await client.until("\n\n");
  for (let minute = 0; minute < 4; minute++) {
    await time.advance(15_000);
    assertEquals(await client.until("\n\n"), ":\n\n");
  }
  await server.shutdown({ timeout: 0 });
});

Deno.test("a reader that is slow skips what is in between, and never the latest state or a leave", async () => {
  using time = new VirtualTime();
  const listener = new MemoryListener();
  const server = new Server([listener], {}, [new Gateway()]);
  const { registry } = server;
  const client = new RawClient(listener.connect());
  await client.request("GET", "/watch");
  await client.until("event: synced");
  const kept = registry.open("0", { id: "kept" });
  const gone = registry.open("0", { id: "gone" });
  for (let round = 1; round <= 300; round++) {
    for (const entry of [kept, gone]) registry.update(entry, `${round}`.padEnd(20_000, "."));
    if (round % 10 === 0) await time.advance(20);
  }
  registry.close(gone, "timeout");
  registry.update(kept, "last");
  await time.advance(20);
  let text = "";
  while (!text.includes('"state":"last"')) text += await client.until("\n\n");
  assert(text.includes('{"event":"leave","revision":603,"id":"gone","cause":"timeout"}'));
  const updates = text.match(/event: update/g)?.length ?? 0;
  assert(updates < 300, `${updates} updates were told`);
  assert(server.metrics().conflated > 0);
  await server.shutdown({ timeout: 0 });
});

Deno.test("watchers count together, whatever format they read", async () => {
  await using web = new WebBench({}, { maxWatchers: 2 });
  const events = await EventReader.open(await web.connect(), "/watch");
  await events.upTo("synced");
  const client = await web.dial();
  await client.hello();
  await client.watch();
  assertEquals(web.server.metrics().now.watchers, 2);
  const { status, json } = await web.ask("/watch");
  assertEquals([status, json.code], [503, "TOO_MANY_CLIENTS"]);
  events.client.close();
  client.connection.close();
  while (web.server.metrics().now.watchers !== 0) await new Promise((resolve) => setTimeout(resolve, 1));
});

Deno.test("a HEAD of a stream does not begin one", async () => {
  await using web = new WebBench();
  const client = await web.connect();
  await client.request("HEAD", "/watch");
  const { status, headers } = await client.response("HEAD");
  assertEquals([status, headers.get("content-type"), await client.rest()], [200, "text/event-stream", ""]);
  assertEquals(web.server.metrics().now.watchers, 0);
});
