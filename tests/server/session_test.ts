/** One session's conversation. */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Registry } from "../../mod.ts";
import { closeSessionContext, createSessionContext } from "../../lib/server/context.ts";
import { Session } from "../../lib/server/session.ts";
import { AWKWARD_STATES, CONVERSATIONS } from "../fixtures/conversations.ts";
import { bytesOf, everyDelivery, longLength, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";
import { Random } from "../support/random.ts";
import { SessionBench } from "./support/session_host.ts";

Deno.test("session answers every conversation, however its input is split", async () => {
  for (const { name, sent, replies, map } of CONVERSATIONS) {
    for (const delivery of everyDelivery(sent)) {
      await using bench = new SessionBench();
      const received = readExactly(bench.peer.connection, replies.length);
      for (const part of delivery) {
        await bench.peer.send(part);
        // Lets the session read this part before the next arrives.
        for (let turn = 0; turn < 3; turn++) await Promise.resolve();
      }
      assertEquals(await received, replies, name);
      if (map === "{}") continue;
      // A trailing Update has no reply; the Get behind it shows that it was handled.
      await bench.peer.send(sent[0] === 66 ? bytesOf(66, 1, 3) : bytesOf(42, 3));
      await bench.peer.connection.closeWrite();
      assert(textOf(await readToEnd(bench.peer.connection)).endsWith(map), name);
    }
  }
});

Deno.test("session answers every conversation over short reads and short writes", async () => {
  for (const { name, sent, replies } of CONVERSATIONS) {
    for (let seed = 0; seed < 20; seed++) {
      await using bench = new SessionBench({}, seed);
      await bench.peer.send(sent);
      assertEquals(await readExactly(bench.peer.connection, replies.length), replies, name);
    }
  }
});

Deno.test("session takes an empty compact state at the end of the stream", async () => {
  await using bench = new SessionBench();
  await bench.peer.send(42, 0, 0);
  await bench.peer.connection.closeWrite();
  assertEquals(await readToEnd(bench.peer.connection), bytesOf(1));
});

Deno.test("session takes an empty compact state after half a second of silence", async () => {
  await using bench = new SessionBench();
  const start = performance.now();
  await bench.peer.send(42, 0, 0);
  await bench.peer.expect(1);
  assert(performance.now() - start >= 499);
  assertEquals(bench.map, "{client1=}");
  // The connection is compact from here on, and parsing goes on in the right place.
  await bench.peer.send(42, 2, 4, 3, "abc", 42, 3);
  await bench.peer.expect(13, "{client1=abc}");
});

Deno.test("session parses only the dialect that its limits name", async () => {
  await using compact = new SessionBench({ dialect: "compact" });
  await compact.peer.send(42, 0, 0);
  await compact.peer.expect(1);
  await using java = new SessionBench({ dialect: "java" });
  await java.peer.send(42, 3);
  await java.peer.expectError("BAD_MAGIC", "Cannot parse message: it begins with 42, not 66");
});

Deno.test("session answers a compact client with eight-byte lengths once the map outgrows 255 bytes", async () => {
  await using bench = new SessionBench();
  const map = (length: number) => `{client1=a, big=${"x".repeat(length - 17)}}`;
  await bench.peer.send(42, 0, 1, "a");
  await bench.peer.expect(1);
  const big = bench.registry.open("x".repeat(255 - 17), { id: "big" });
  await bench.peer.send(42, 3);
  await bench.peer.expect(255, map(255));
  bench.registry.update(big, "x".repeat(256 - 17));
  await bench.peer.send(42, 3);
  await bench.peer.expect(longLength(256), map(256));
  bench.registry.update(big, "x".repeat(100_000 - 17));
  await bench.peer.send(42, 3, 42, 3);
  await bench.peer.expect(longLength(100_000), map(100_000), longLength(100_000), map(100_000));
  bench.registry.close(big);
  await bench.peer.send(42, 3);
  await bench.peer.expect(11, "{client1=a}");
});

Deno.test("session keeps the order of short and long replies", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await using bench = new SessionBench({}, seed);
    const long = "l".repeat(40_000);
    const sent: Uint8Array[] = [];
    const expected: Uint8Array[] = [];
    for (const state of ["a", long, "b", "c", long, "d"]) {
      sent.push(bytesOf(42, 0, longLength(state.length), state, 42, 3));
      const map = `{client1=${state}}`;
      expected.push(bytesOf(1, longLength(map.length), map));
    }
    const sending = bench.peer.send(...sent, 42, 1);
    assertEquals(await readToEnd(bench.peer.connection), bytesOf(...expected, 1));
    await sending;
  }
});

Deno.test("session answers thousands of messages sent in one write, each in its place", async () => {
  await using bench = new SessionBench();
  const pairs = Array.from({ length: 5_000 }, (_, index) => {
    const state = `state ${index}`;
    return bytesOf(42, 2, longLength(state.length), state, 42, 2, longLength(state.length), state, 42, 3);
  });
  const received: Uint8Array[] = Array.from({ length: 5_000 }, (_, index) => {
    const map = `{client1=state ${index}}`;
    return bytesOf(longLength(map.length), map);
  });
  const sending = bench.peer.send(42, 0, longLength(0), ...pairs);
  await bench.peer.expect(1, ...received);
  await sending;
});

Deno.test("session keeps awkward states verbatim", async () => {
  for (const state of Object.values(AWKWARD_STATES)) {
    await using bench = new SessionBench();
    const map = bytesOf("{client1=", state, "}");
    await bench.peer.send(42, 0, longLength(state.length), state, 42, 2, longLength(state.length), state, 42, 3);
    await bench.peer.expect(1, longLength(map.length), map);
  }
});

Deno.test("session takes a state of exactly the limit, and refuses a longer one before its bytes arrive", async () => {
  const state = new Uint8Array(65_536).fill(120);
  await using bench = new SessionBench();
  const length = longLength(state.length);
  const sending = bench.peer.send(42, 0, length, state, 42, 2, length, state, 42, 3);
  await bench.peer.expect(1, longLength(state.length + 10), "{client1=", state, "}");
  await sending;
  await bench.peer.send(42, 2, longLength(65_537));
  await bench.peer.expectError("STATE_TOO_LARGE", "Cannot parse state length: 65537 is above the limit of 65536");
  assertEquals(bench.map, "{}");
});

Deno.test("session's read buffer grows for a busy client and shrinks when it is quiet", async () => {
  await using bench = new SessionBench();
  const quiet = bench.peer.session.bufferSize;
  assertLessOrEqual(quiet, 1_024);
  const update = bytesOf(42, 2, longLength(100), new Uint8Array(100));
  let busy = true;
  let largest = 0;
  const sending = bench.peer.send(42, 0, longLength(0), ...Array.from({ length: 5_000 }, () => update));
  sending.then(() => busy = false);
  while (busy) {
    largest = Math.max(largest, bench.peer.session.bufferSize);
    await Promise.resolve();
  }
  await bench.peer.expect(1);
  assertLessOrEqual(16_384, largest);
  await bench.peer.send(42, 0, longLength(1), "a");
  await bench.peer.expect(1);
  await bench.peer.send(42, 0, longLength(1), "b");
  await bench.peer.expect(1);
  assertEquals(bench.peer.session.bufferSize, quiet);
});

Deno.test("session's read buffer shrinks after one long message", async () => {
  for (const length of [600, 2_000, 20_000, 60_000]) {
    await using bench = new SessionBench();
    const quiet = bench.peer.session.bufferSize;
    await bench.peer.send(42, 0, longLength(length), new Uint8Array(length));
    await bench.peer.expect(1);
    await bench.peer.send(42, 0, longLength(1), "a");
    await bench.peer.expect(1);
    assertEquals(bench.peer.session.bufferSize, quiet, `${length} bytes`);
  }
});

Deno.test("session makes room for a long message as it arrives, not when its length is claimed", async () => {
  await using bench = new SessionBench();
  await bench.peer.send(42, 0, longLength(65_536), new Uint8Array(100));
  await bench.peer.send(new Uint8Array(100));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertLessOrEqual(bench.peer.session.bufferSize, 2_048);
});

Deno.test("session survives 2,000 random inputs with bounded memory, only its own errors, and the map unchanged", async () => {
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
