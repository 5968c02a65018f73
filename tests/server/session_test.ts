import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Registry, TrackerError } from "../../mod.ts";
import type { SessionEvent } from "../../lib/server/events.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext, type SessionLimits } from "../../lib/server/context.ts";
import { AWKWARD_STATES, CONVERSATIONS } from "../fixtures/conversations.ts";
import { bytesOf, everyDelivery, longLength, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair, type MemoryConnection } from "../support/memory.ts";
import { Random } from "../support/random.ts";

/** A session on one end of a connection in memory, and the client's end. */
class Bench implements AsyncDisposable {
  readonly registry = new Registry();
  readonly events: SessionEvent[] = [];
  readonly client: MemoryConnection;
  readonly session: Session;
  readonly ended: Promise<void>;
  readonly #context;

  constructor(limits: Partial<SessionLimits> = {}, seed?: number) {
    const context = { ...LIMITS, ...limits };
    this.#context = createSessionContext(this.registry, context);
    const [client, server] = createPair(seed);
    this.client = client;
    this.session = new Session(server, this.#context, { onEvent: (_, event) => this.events.push(event) });
    this.ended = this.session.run();
  }

  get map(): string {
    return textOf(this.registry.flatten());
  }

  async send(...parts: Parameters<typeof bytesOf>): Promise<void> {
    await writeFully(this.client, bytesOf(...parts));
  }

  async expect(...parts: Parameters<typeof bytesOf>): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.client, expected.length), expected);
  }

  async expectError(code: string, reason: string): Promise<void> {
    const text = `${code}: ${reason}`;
    assertEquals(textOf(await readToEnd(this.client)), `\0${String.fromCharCode(text.length)}${text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.abort();
    await this.ended;
    closeSessionContext(this.#context);
    if (!this.client.closed) this.client.close();
    assertEquals(this.registry.size, 0);
  }
}

Deno.test("session holds every conversation, however it is cut", async () => {
  for (const { name, sent, replies, map } of CONVERSATIONS) {
    for (const delivery of everyDelivery(sent)) {
      await using bench = new Bench();
      const received = readExactly(bench.client, replies.length);
      for (const part of delivery) {
        await bench.send(part);
        // Lets the session take the part in before the next arrives.
        for (let turn = 0; turn < 3; turn++) await Promise.resolve();
      }
      assertEquals(await received, replies, name);
      if (map === "{}") continue;
      // A trailing Update is not answered: the Get that follows shows that it was taken.
      await bench.send(sent[0] === 66 ? bytesOf(66, 1, 3) : bytesOf(42, 3));
      await bench.client.closeWrite();
      assert(textOf(await readToEnd(bench.client)).endsWith(map), name);
    }
  }
});

Deno.test("session holds every conversation over a connection that reads and writes by halves", async () => {
  for (const { name, sent, replies } of CONVERSATIONS) {
    for (let seed = 0; seed < 20; seed++) {
      await using bench = new Bench({}, seed);
      await bench.send(sent);
      assertEquals(await readExactly(bench.client, replies.length), replies, name);
    }
  }
});

Deno.test("session removes the client at the end of the stream, and answers what came before it", async () => {
  await using bench = new Bench();
  await bench.send(42, 0, 3, "abc", 42, 3);
  await bench.client.closeWrite();
  assertEquals(await readToEnd(bench.client), bytesOf(1, 13, "{client1=abc}"));
  await bench.ended;
  assertEquals(bench.map, "{}");
  assertEquals(bench.events, [
    { kind: "join", id: "client1", dialect: "compact" },
    { kind: "leave", id: "client1", cause: "disconnect" },
  ]);
});

Deno.test("session takes an empty compact state at the end of the stream", async () => {
  await using bench = new Bench();
  await bench.send(42, 0, 0);
  await bench.client.closeWrite();
  assertEquals(await readToEnd(bench.client), bytesOf(1));
});

Deno.test("session takes an empty compact state when nothing follows for half a second", async () => {
  await using bench = new Bench();
  const start = performance.now();
  await bench.send(42, 0, 0);
  await bench.expect(1);
  assert(performance.now() - start >= 499);
  assertEquals(bench.map, "{client1=}");
  // The connection is compact from here on, and what follows is read where it should be.
  await bench.send(42, 2, 4, 3, "abc", 42, 3);
  await bench.expect(13, "{client1=abc}");
});

Deno.test("session settles the dialect up front when it is told to", async () => {
  await using compact = new Bench({ dialect: "compact" });
  await compact.send(42, 0, 0);
  await compact.expect(1);
  await using java = new Bench({ dialect: "java" });
  await java.send(42, 3);
  await java.expectError("BAD_MAGIC", "Cannot parse message: it begins with 42, not 66");
});

Deno.test("session ends after Close: one reply, the end of the stream, and nothing more is heard", async () => {
  await using bench = new Bench();
  await bench.send(42, 0, 3, "abc", 42, 1, 42, 2, 3, "xyz", 42, 3);
  assertEquals(await readToEnd(bench.client), bytesOf(1, 1));
  assertEquals(bench.map, "{}");
  await bench.send(42, 0, 3, "abc");
  bench.client.close();
  await bench.ended;
  assertEquals(bench.events.at(-1), { kind: "leave", id: "client1", cause: "close" });
});

Deno.test("session answers a compact client with eight bytes of length once the map outgrows 255 bytes", async () => {
  await using bench = new Bench();
  const map = (length: number) => `{client1=a, big=${"x".repeat(length - 17)}}`;
  await bench.send(42, 0, 1, "a");
  await bench.expect(1);
  const big = bench.registry.open("x".repeat(255 - 17), { id: "big" });
  await bench.send(42, 3);
  await bench.expect(255, map(255));
  bench.registry.update(big, "x".repeat(256 - 17));
  await bench.send(42, 3);
  await bench.expect(longLength(256), map(256));
  bench.registry.update(big, "x".repeat(100_000 - 17));
  await bench.send(42, 3, 42, 3);
  await bench.expect(longLength(100_000), map(100_000), longLength(100_000), map(100_000));
  bench.registry.close(big);
  await bench.send(42, 3);
  await bench.expect(11, "{client1=a}");
});

Deno.test("session keeps the order of replies when short and long ones mix", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await using bench = new Bench({}, seed);
    const long = "l".repeat(40_000);
    const sent: Uint8Array[] = [];
    const expected: Uint8Array[] = [];
    for (const state of ["a", long, "b", "c", long, "d"]) {
      sent.push(bytesOf(42, 0, longLength(state.length), state, 42, 3));
      const map = `{client1=${state}}`;
      expected.push(bytesOf(1, longLength(map.length), map));
    }
    const sending = bench.send(...sent, 42, 1);
    assertEquals(await readToEnd(bench.client), bytesOf(...expected, 1));
    await sending;
  }
});

Deno.test("session answers thousands of messages in one write, each in its place", async () => {
  await using bench = new Bench();
  const pairs = Array.from({ length: 5_000 }, (_, index) => {
    const state = `state ${index}`;
    return bytesOf(42, 2, longLength(state.length), state, 42, 2, longLength(state.length), state, 42, 3);
  });
  const received: Uint8Array[] = Array.from({ length: 5_000 }, (_, index) => {
    const map = `{client1=state ${index}}`;
    return bytesOf(longLength(map.length), map);
  });
  const sending = bench.send(42, 0, longLength(0), ...pairs);
  await bench.expect(1, ...received);
  await sending;
});

Deno.test("session carries awkward states verbatim", async () => {
  for (const state of Object.values(AWKWARD_STATES)) {
    await using bench = new Bench();
    const map = bytesOf("{client1=", state, "}");
    await bench.send(42, 0, longLength(state.length), state, 42, 2, longLength(state.length), state, 42, 3);
    await bench.expect(1, longLength(map.length), map);
  }
});

Deno.test("session takes a state exactly at the limit, and refuses one byte more before its bytes come", async () => {
  const state = new Uint8Array(65_536).fill(120);
  await using bench = new Bench();
  const sending = bench.send(42, 0, longLength(state.length), state, 42, 2, longLength(state.length), state, 42, 3);
  await bench.expect(1, longLength(state.length + 10), "{client1=", state, "}");
  await sending;
  await bench.send(42, 2, longLength(65_537));
  await bench.expectError("STATE_TOO_LARGE", "Cannot parse state length: 65537 is above the limit of 65536");
  assertEquals(bench.map, "{}");
});

Deno.test("session gives up a message that is begun and not completed", async () => {
  for (const begun of [bytesOf(42), bytesOf(66, 1), bytesOf(42, 0, 5, "ab"), bytesOf(42, 0, longLength(9))]) {
    await using bench = new Bench({ messageTimeout: 30 });
    await bench.send(begun);
    await bench.expectError("TIMEOUT", "Cannot keep connection: a message was not complete 30 ms after it began");
    assertEquals(bench.map, "{}");
  }
});

Deno.test("a trickle of bytes does not postpone the deadline of the message they belong to", async () => {
  await using bench = new Bench({ messageTimeout: 60 });
  await bench.send(42, 0, longLength(60_000));
  const reply = readToEnd(bench.client);
  let over = false;
  reply.then(() => over = true);
  while (!over) {
    await bench.send(0);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert(textOf(await reply).includes("TIMEOUT"));
});

Deno.test("a completed message clears its deadline, and one begun behind it gets its own", async () => {
  await using bench = new Bench({ messageTimeout: 150 });
  for (let round = 0; round < 6; round++) {
    // Each message is completed well in time, while the next is begun in the same piece.
    await bench.send(round === 0 ? bytesOf(42, 0, 1, "a", 42) : bytesOf(3, 42));
    await bench.expect(...(round === 0 ? [1] : [11, "{client1=a}"]));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await bench.send(3);
  await bench.expect(11, "{client1=a}");
});

Deno.test("session gives up a client that is silent for too long, and only then", async () => {
  await using bench = new Bench({ idleTimeout: 60 });
  const start = performance.now();
  await bench.send(42, 0, 1, "a");
  await bench.expect(1);
  await new Promise((resolve) => setTimeout(resolve, 40));
  await bench.send(42, 3);
  await bench.expect(11, "{client1=a}");
  await bench.expectError("TIMEOUT", "Cannot keep connection: nothing was heard for 60 ms");
  assert(performance.now() - start >= 100);
  assertEquals(bench.events.at(-1), { kind: "leave", id: "client1", cause: "timeout" });
});

Deno.test("session that is refused tells its last word behind the replies that are due", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await using bench = new Bench({}, seed);
    const long = "l".repeat(60_000);
    await bench.send(42, 0, longLength(long.length), long, 42, 3, 42, 99);
    const replies = textOf(await readToEnd(bench.client));
    assert(replies.startsWith("\x01"));
    assert(replies.endsWith("}\0\x33BAD_TYPE: Cannot parse message: there is no type 99"));
  }
});

Deno.test("session that parts is closed though its client neither reads nor leaves", async () => {
  await using bench = new Bench();
  const long = "l".repeat(60_000);
  await bench.send(42, 0, longLength(long.length), long, 42, 3);
  bench.session.close(new TrackerError("SHUTTING_DOWN", "for the test"));
  assertEquals(bench.map, "{}");
  await bench.ended;
});

Deno.test("session ends quietly when its connection breaks, wherever it is", async () => {
  for (
    const begun of [bytesOf(), bytesOf(42), bytesOf(42, 0, 0), bytesOf(42, 0, 3, "abc"), bytesOf(42, 3), bytesOf(42, 1)]
  ) {
    await using bench = new Bench();
    await bench.send(begun);
    bench.client.reset();
    await bench.ended;
    assertEquals(bench.map, "{}");
  }
});

Deno.test("session's read buffer grows for a busy client and shrinks when it is quiet", async () => {
  await using bench = new Bench();
  const quiet = bench.session.bufferSize;
  assertLessOrEqual(quiet, 1_024);
  const update = bytesOf(42, 2, longLength(100), new Uint8Array(100));
  let busy = true;
  let largest = 0;
  const sending = bench.send(42, 0, longLength(0), ...Array.from({ length: 5_000 }, () => update));
  sending.then(() => busy = false);
  while (busy) {
    largest = Math.max(largest, bench.session.bufferSize);
    await Promise.resolve();
  }
  await bench.expect(1);
  assertLessOrEqual(16_384, largest);
  await bench.send(42, 0, longLength(1), "a");
  await bench.expect(1);
  await bench.send(42, 0, longLength(1), "b");
  await bench.expect(1);
  assertEquals(bench.session.bufferSize, quiet);
});

Deno.test("a client that sent one long message is quiet again behind it", async () => {
  for (const length of [600, 2_000, 20_000, 60_000]) {
    await using bench = new Bench();
    const quiet = bench.session.bufferSize;
    await bench.send(42, 0, longLength(length), new Uint8Array(length));
    await bench.expect(1);
    await bench.send(42, 0, longLength(1), "a");
    await bench.expect(1);
    assertEquals(bench.session.bufferSize, quiet, `${length} bytes`);
  }
});

Deno.test("session ended while a late reply is still being written takes in nothing more", async () => {
  for (const [end, more] of [["refuse", bytesOf(42, 2, 3, "abc", 42, 3)], ["abort", bytesOf(42, 1)]] as const) {
    const registry = new Registry();
    const context = createSessionContext(registry, { ...LIMITS, maxState: 100 });
    const [client, server] = createPair();
    const gate = Promise.withResolvers<void>();
    const writing = Promise.withResolvers<void>();
    const write = server.write.bind(server);
    server.write = async (bytes) => {
      writing.resolve();
      await gate.promise;
      return await write(bytes);
    };
    const session = new Session(server, context);
    const ended = session.run();
    await writeFully(client, bytesOf(42, 0, 0));
    // Half a second later the dialect is settled, and the reply to the Open is held up.
    await writing.promise;
    await writeFully(client, more);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    if (end === "refuse") session.close(new TrackerError("SHUTTING_DOWN", "now"));
    else session.abort();
    gate.resolve();
    if (end === "refuse") assertEquals(await readToEnd(client), bytesOf(1, 0, 18, "SHUTTING_DOWN: now"));
    client.close();
    await ended;
    assertEquals([registry.size, registry.revision], [0, 2]);
    closeSessionContext(context);
  }
});

Deno.test("a client that goes on reading is not given up for silence while the server writes to it", async () => {
  await using bench = new Bench({ idleTimeout: 60 });
  const long = "l".repeat(60_000);
  await bench.send(42, 0, longLength(long.length), long, 42, 3, 42, 3);
  await bench.expect(1);
  const total = 2 * (8 + 10 + long.length);
  const start = performance.now();
  for (let received = 0; received < total;) {
    received += (await readExactly(bench.client, Math.min(12_000, total - received))).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert(performance.now() - start > 120);
  await bench.expectError("TIMEOUT", "Cannot keep connection: nothing was heard for 60 ms");
});

Deno.test("an undecided dialect is settled even where messages have less time than that", async () => {
  await using bench = new Bench({ messageTimeout: 100 });
  await bench.send(42, 0);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  await bench.send(0);
  await bench.expect(1);
});

Deno.test("session makes room for a long message as it comes, not when its length is claimed", async () => {
  await using bench = new Bench();
  await bench.send(42, 0, longLength(65_536), new Uint8Array(100));
  await bench.send(new Uint8Array(100));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertLessOrEqual(bench.session.bufferSize, 2_048);
});

Deno.test("session survives 2,000 random inputs: bounded memory, no error but its own, the map as before", async () => {
  const random = new Random(42);
  const registry = new Registry();
  registry.open("untouched", { id: "other" });
  const context = createSessionContext(registry, { ...LIMITS, maxState: 200 });
  const starts = [bytesOf(42), bytesOf(66, 1), bytesOf(42, 0, 1, "a"), bytesOf(42, 0, longLength(1), "a"), bytesOf()];
  starts.push(bytesOf(42, 4, longLength(2), "{}"), bytesOf(42, 4, longLength(2), "{}", 42, 5, longLength(2), "{}"));
  for (let round = 0; round < 2_000; round++) {
    const [client, server] = createPair(round);
    const session = new Session(server, context);
    const ended = session.run();
    const received = readToEnd(client);
    await writeFully(client, bytesOf(random.pick(starts), random.bytes(random.integer(0, 300))));
    assertLessOrEqual(session.bufferSize, 2_048);
    await client.closeWrite();
    const replies = await received;
    await ended;
    client.close();
    const text = textOf(replies);
    const extended = text.includes(registry.incarnation);
    if (replies.at(-1) !== 1 && replies.length > 0 && !text.endsWith("}") && !extended) {
      assert(
        /(BAD_MAGIC|BAD_VERSION|BAD_TYPE|BAD_HELLO|STATE_TOO_LARGE): Cannot (parse|take) [^]*$/.test(text),
        JSON.stringify(text),
      );
    }
    assertEquals(textOf(registry.flatten()), "{other=untouched}");
  }
  closeSessionContext(context);
});
