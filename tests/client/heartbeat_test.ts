import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Connection } from "../../mod.ts";
import { GET, HEARTBEAT_PATIENCE, MessageParser, NEED_MORE, PING, UPDATE } from "../../lib/wire/mod.ts";
import { Heartbeat } from "../../lib/client/heartbeat.ts";
import { bytesOf, longLength, writeFully } from "../support/bytes.ts";
import { greetingReply } from "../support/greeting.ts";
import { createPair, type MemoryConnection } from "../support/memory.ts";

/** A server that answers Hello, Get and Ping unless it is mute. */
class Answerer {
  readonly received: number[] = [];
  pings = 0;
  isMute = false;
  readonly #end: MemoryConnection;
  readonly #parser = new MessageParser();

  constructor(end: MemoryConnection) {
    this.#end = end;
  }

  async run(): Promise<void> {
    let bytes = new Uint8Array(0);
    const buffer = new Uint8Array(4_096);
    for (;;) {
      const count = await this.#end.read(buffer).catch(() => null);
      if (count === null) return;
      bytes = bytesOf(bytes, buffer.subarray(0, count));
      for (let token; (token = this.#parser.next(bytes, 0, bytes.length)) !== NEED_MORE;) {
        bytes = bytes.slice(this.#parser.position);
        this.received.push(token);
        if (token === PING) this.pings++;
        if (!this.isMute && token !== UPDATE) await this.#answer(token);
      }
    }
  }

  async #answer(token: number): Promise<void> {
    if (token === PING) await writeFully(this.#end, bytesOf(1));
    else if (token === GET) await writeFully(this.#end, bytesOf(longLength(2), "{}"));
    else await writeFully(this.#end, greetingReply());
  }
}

/** A connection that has greeted, with a heartbeat. */
async function start(
  interval: number,
): Promise<{ connection: Connection; server: Answerer; end: () => Promise<void> }> {
  const [near, far] = createPair();
  const connection = new Connection(near);
  const server = new Answerer(far);
  const running = server.run();
  await connection.hello();
  new Heartbeat(connection, interval);
  return {
    connection,
    server,
    end: async () => {
      connection.abort();
      await running;
      if (!far.closed) far.close();
    },
  };
}

/** Waits without blocking. */
function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Polls a condition until it is met. */
async function poll(isMet: () => boolean): Promise<void> {
  while (!isMet()) await pass(1);
}

Deno.test("silent connection is pinged once a heartbeat, and lasts", async () => {
  // The heartbeat counts from the Hello, which is before it is answered.
  const begin = performance.now();
  const { connection, server, end } = await start(20);
  await poll(() => server.pings >= 5);
  assertGreater(performance.now() - begin, 5 * 20 - 5);
  assertEquals(connection.error, null);
  await end();
});

Deno.test("busy connection is not pinged", async () => {
  const interval = 50;
  const { connection, server, end } = await start(interval);
  // On a busy machine some pauses take too long: one good stretch of time is enough.
  for (let longest = Infinity; longest > interval / 2;) {
    longest = 0;
    const { pings } = server;
    for (let round = 0; round < 40; round++) {
      const before = performance.now();
      await connection.get();
      await pass(5);
      longest = Math.max(longest, performance.now() - before);
    }
    if (longest <= interval / 2) assertEquals(server.pings, pings);
  }
  await end();
});

Deno.test("connection that only sends Updates is pinged, since nothing answers them", async () => {
  const { connection, server, end } = await start(40);
  while (server.pings < 3) {
    await connection.update("x");
    await pass(5);
  }
  assertEquals(connection.error, null);
  assertGreater(server.received.filter((type) => type === UPDATE).length, 5);
  await end();
});

Deno.test("silent server is given up with TIMEOUT after two and a half heartbeats", async () => {
  const { connection, server, end } = await start(100);
  server.isMute = true;
  const begin = performance.now();
  await connection.finished;
  const silence = performance.now() - begin;
  assertEquals(connection.error?.code, "TIMEOUT");
  assertEquals(connection.error?.message, "Cannot keep connection: nothing was heard of the server for 250 ms");
  assertGreater(silence, HEARTBEAT_PATIENCE * 100 - 20);
  assertLess(silence, 20_000);
  await end();
});

Deno.test("stall of the program itself is not held against the server", async () => {
  const { connection, server, end } = await start(40);
  await poll(() => server.pings >= 1);
  const stall = performance.now() + 400;
  while (performance.now() < stall);
  const { pings } = server;
  await poll(() => server.pings >= pings + 3);
  assertEquals(connection.error, null);
  await end();
});

Deno.test("heartbeat leaves no timer when its connection ends", async () => {
  // The test sanitizer checks it.
  const { connection, end } = await start(3_600_000);
  connection.abort();
  await connection.finished;
  await end();
  assert(connection.error !== null);
});
