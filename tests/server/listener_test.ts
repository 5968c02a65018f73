/** A whole server over listeners in memory, without sockets. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Client, Server, type ServerEvent, type ServerOptions, TrackerError } from "../../mod.ts";
import { ByteClient } from "../support/byte_client.ts";
import { bytesOf, longLength, readToEnd, textOf } from "../support/bytes.ts";
import type { MemoryConnection } from "../support/memory.ts";
import { MemoryListener } from "../support/memory_listener.ts";
import { VirtualTime } from "../support/virtual_time.ts";

const SHUTTING_DOWN = ["SHUTTING_DOWN", "Cannot keep connection: the server is being stopped"] as const;

/** A server with one listener in memory, and its events. */
class Bench implements AsyncDisposable {
  readonly listener = new MemoryListener();
  readonly events: ServerEvent[] = [];
  readonly server: Server;
  readonly #connections: MemoryConnection[] = [];

  constructor(options: ServerOptions = {}) {
    this.server = new Server([this.listener], { ...options, onEvent: (event) => void this.events.push(event) });
  }

  get map(): string {
    return textOf(this.server.registry.flatten());
  }

  /** Connects from an address. */
  dial(hostname?: string): ByteClient<MemoryConnection> {
    const connection = this.listener.connect(hostname);
    this.#connections.push(connection);
    return new ByteClient(connection);
  }

  /** Connects from an address, and waits until the server has let the client in. */
  async join(hostname?: string): Promise<ByteClient<MemoryConnection>> {
    const client = this.dial(hostname);
    await client.hello();
    return client;
  }

  /** The kinds of all events, with the messages of errors. */
  get told(): string[] {
    return this.events.map((event) => "error" in event ? `${event.kind} ${event.error.message}` : event.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown({ timeout: 0 });
    for (const connection of this.#connections) if (!connection.closed) connection.close();
  }
}

/** Waits for a condition that needs no time to pass, only promises to settle. */
async function settled(isMet: () => boolean): Promise<void> {
  for (let turn = 0; !isMet(); turn++) {
    assert(turn < 1_000, "the condition is never met");
    await Promise.resolve();
  }
}

Deno.test("clients connect, open and get over a listener in memory", async () => {
  await using bench = new Bench();
  await using client = new Client({ dial: () => Promise.resolve(bench.listener.connect("host-7")), state: "here" });
  await client.connected;
  assertEquals(await client.getText(), "{client1=here}");
  const other = bench.dial();
  await other.send(42, 0, 3, "abc", 42, 3);
  await other.expect(1, 27, "{client1=here, client2=abc}");
  assertEquals(bench.server.metrics().accepted, 2);
  assertEquals(bench.events[0], {
    kind: "join",
    id: "client1",
    dialect: "wide",
    peer: { transport: "tcp", hostname: "host-7", port: 0 },
  });
});

Deno.test("a client that vanishes leaves the map", async () => {
  await using bench = new Bench();
  const client = await bench.join();
  await client.open("x");
  client.close();
  await settled(() => bench.map === "{}");
  assertEquals(bench.told, ["join", "leave"]);
});

Deno.test("a connection above maxClients is refused, and one that ends makes room", async () => {
  await using bench = new Bench({ maxClients: 2 });
  const [first] = [await bench.join(), await bench.join()];
  const refused = bench.dial();
  await refused.expectError("TOO_MANY_CLIENTS", "Cannot accept connection: the limit of 2 is reached");
  refused.close();
  first.close();
  await settled(() => bench.server.metrics().now.connections === 1);
  await bench.join();
  assertEquals(bench.server.metrics().refused, { clients: 1 });
});

Deno.test("a connection above maxPerAddress is refused, and other addresses are not", async () => {
  await using bench = new Bench({ maxPerAddress: 1 });
  const first = await bench.join("10.0.0.1");
  const reason = "Cannot accept connection: the limit of 1 from one address is reached";
  const refused = bench.dial("10.0.0.1");
  await refused.expectError("TOO_MANY_CLIENTS", reason);
  await bench.join("10.0.0.2");
  first.close();
  refused.close();
  await settled(() => bench.server.metrics().now.connections === 1);
  await bench.join("10.0.0.1");
  assertEquals(bench.server.metrics().refused, { perAddress: 1 });
});

Deno.test("while too many connections are being refused, further ones are closed without a word", async () => {
  await using bench = new Bench({ maxClients: 1 });
  await bench.join();
  const refused = Array.from({ length: 258 }, () => bench.dial());
  await settled(() => bench.server.metrics().accepted === 259);
  const replies = await Promise.all(refused.map(({ connection }) => readToEnd(connection)));
  assertEquals(replies.filter((reply) => textOf(reply).includes("TOO_MANY_CLIENTS")).length, 256);
  assertEquals(replies.slice(256), [bytesOf(), bytesOf()]);
  assertEquals(bench.server.metrics().refused, { clients: 258 });
});

Deno.test("shutdown closes the listener, tells every client, and ends when they have gone", async () => {
  await using bench = new Bench();
  const clients = [await bench.join(), await bench.join()];
  await clients[0]!.open("x");
  let isFinished = false;
  const ending = bench.server.shutdown();
  void ending.then(() => isFinished = true);
  assertEquals([bench.listener.isClosed, bench.map], [true, "{}"]);
  for (const client of clients) {
    await client.expectError(...SHUTTING_DOWN);
    assert(!isFinished);
    client.close();
  }
  await ending;
  assertEquals(bench.listener.aborts, 0);
});

Deno.test("shutdown ends only when the listener has nothing left of its connections", async () => {
  await using bench = new Bench();
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.listener.finishing = promise;
  let isFinished = false;
  const ending = bench.server.shutdown().then(() => isFinished = true);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert(!isFinished);
  resolve();
  await ending;
});

Deno.test("shutdown cuts off clients and listeners once its timeout is over", async () => {
  using time = new VirtualTime();
  await using bench = new Bench();
  await bench.join();
  const ending = bench.server.shutdown({ timeout: 1_000 });
  await time.advance(999);
  assertEquals([bench.listener.aborts, bench.server.metrics().now.connections], [0, 1]);
  await time.advance(1);
  await ending;
  assertEquals([bench.listener.aborts, bench.server.metrics().now.connections], [1, 0]);
});

Deno.test("a connection accepted in the turn of the shutdown is closed without a word", async () => {
  await using bench = new Bench();
  const late = bench.dial();
  await bench.server.shutdown();
  assertEquals(await readToEnd(late.connection), bytesOf());
  assertEquals(bench.server.metrics().accepted, 1);
});

Deno.test("an accept that fails is reported, and the next connection is accepted after a pause", async () => {
  using time = new VirtualTime();
  await using bench = new Bench();
  bench.listener.fail(new Error("too many open files"));
  const client = bench.dial();
  await client.send(42, 3);
  await time.advance(99);
  assertEquals([bench.told, bench.server.metrics().accepted], [["accept-error too many open files"], 0]);
  await time.advance(1);
  assertEquals(bench.server.metrics().accepted, 1);
  await client.expect(2, "{}");
});

Deno.test("failures to accept are reported once in ten seconds, whatever they reject with", async () => {
  using time = new VirtualTime();
  await using bench = new Bench();
  for (const reason of [new Error("first"), new Error("second"), "third"]) bench.listener.fail(reason);
  await time.advance(250);
  assertEquals(bench.told, ["accept-error first"]);
  await time.advance(9_750);
  bench.listener.fail("fourth");
  await time.advance(0);
  assertEquals(bench.told, ["accept-error first", "accept-error fourth"]);
  const [, last] = bench.events;
  assert(last?.kind === "accept-error" && last.error instanceof Error);
});

Deno.test("connections above acceptRate wait in the listener", async () => {
  using time = new VirtualTime();
  await using bench = new Bench({ acceptRate: 4 });
  for (let count = 0; count < 7; count++) bench.dial();
  const accepted: number[] = [];
  for (const wait of [0, 249, 1, 250, 250]) {
    await time.advance(wait);
    accepted.push(bench.server.metrics().accepted);
  }
  assertEquals(accepted, [5, 5, 6, 7, 7]);
});

Deno.test("listeners of one server share its map and its limits", async () => {
  const [plain, secure] = [new MemoryListener({ port: 1 }), new MemoryListener({ port: 2, isSecure: true })];
  const server = new Server([plain, secure], { maxClients: 2 });
  assertEquals([server.addr.port, server.tlsAddr?.port], [1, 2]);
  const dial = (listener: MemoryListener) => new ByteClient(listener.connect());
  const [one, other, third] = [dial(plain), dial(secure), dial(secure)];
  await one.send(42, 0, 1, "a");
  await one.expect(1);
  await other.send(42, 0, longLength(1), "b", 42, 3);
  await other.expect(1, longLength(22), "{client1=a, client2=b}");
  await third.expectError("TOO_MANY_CLIENTS", "Cannot accept connection: the limit of 2 is reached");
  await server.shutdown({ timeout: 0 });
  assertEquals([plain.isClosed, secure.isClosed, plain.aborts, secure.aborts], [true, true, 1, 1]);
  for (const client of [one, other, third]) client.close();
});

Deno.test("a certificate goes to the listeners that take one", async () => {
  const pair = { cert: "cert", key: "key" };
  const given: unknown[] = [];
  const secure = Object.assign(new MemoryListener({ isSecure: true }), {
    reloadTls: (pair: unknown) => given.push(pair),
  });
  const server = new Server([new MemoryListener(), secure]);
  server.reloadTls(pair);
  assertEquals(given, [pair]);
  await server.shutdown();
  assertEquals(assertThrows(() => server.reloadTls(pair), TrackerError).code, "SHUTTING_DOWN");
  await using plain = new Server([new MemoryListener()]);
  assertEquals(assertThrows(() => plain.reloadTls(pair), TrackerError).code, "BAD_ARGUMENT");
});

Deno.test("a server without a listener, or with an invalid option, is refused and leaves its listeners open", () => {
  assertEquals(assertThrows(() => new Server([]), TrackerError).code, "BAD_ARGUMENT");
  const listener = new MemoryListener();
  assertEquals(assertThrows(() => new Server([listener], { maxClients: 0 }), TrackerError).code, "BAD_ARGUMENT");
  assert(!listener.isClosed);
});
