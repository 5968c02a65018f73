/** Clients that take too long. */

import { assert, assertEquals } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { bytesOf, longLength, readExactly, readToEnd, textOf } from "../support/bytes.ts";
import { SessionBench } from "./support/session_host.ts";

Deno.test("session closes a client that does not complete a message in time", async () => {
  for (const begun of [bytesOf(42), bytesOf(66, 1), bytesOf(42, 0, 5, "ab"), bytesOf(42, 0, longLength(9))]) {
    await using bench = new SessionBench({ messageTimeout: 30 });
    await bench.peer.send(begun);
    await bench.peer.expectError("TIMEOUT", "Cannot keep connection: a message was not complete 30 ms after it began");
    assertEquals(bench.map, "{}");
  }
});

Deno.test("a trickle of bytes does not extend the deadline of their message", async () => {
  await using bench = new SessionBench({ messageTimeout: 60 });
  await bench.peer.send(42, 0, longLength(60_000));
  const reply = readToEnd(bench.peer.connection);
  let over = false;
  reply.then(() => over = true);
  while (!over) {
    await bench.peer.send(0);
    await delay(5);
  }
  assert(textOf(await reply).includes("TIMEOUT"));
});

Deno.test("a complete message clears its deadline, and one begun behind it gets its own", async () => {
  await using bench = new SessionBench({ messageTimeout: 150 });
  for (let round = 0; round < 6; round++) {
    // Each message is completed well in time, by a write that also begins the next.
    await bench.peer.send(round === 0 ? bytesOf(42, 0, 1, "a", 42) : bytesOf(3, 42));
    await bench.peer.expect(...(round === 0 ? [1] : [11, "{client1=a}"]));
    await delay(50);
  }
  await bench.peer.send(3);
  await bench.peer.expect(11, "{client1=a}");
});

Deno.test("session closes a client after idleTimeout of silence, and no earlier", async () => {
  await using bench = new SessionBench({ idleTimeout: 60 });
  const start = performance.now();
  await bench.peer.send(42, 0, 1, "a");
  await bench.peer.expect(1);
  await delay(40);
  await bench.peer.send(42, 3);
  await bench.peer.expect(11, "{client1=a}");
  await bench.peer.expectError("TIMEOUT", "Cannot keep connection: nothing was heard for 60 ms");
  assert(performance.now() - start >= 100);
  assertEquals(bench.events.at(-1), { kind: "leave", id: "client1", cause: "timeout" });
});

Deno.test("a client that keeps reading is not closed for silence while the server writes to it", async () => {
  await using bench = new SessionBench({ idleTimeout: 60 });
  const long = "l".repeat(60_000);
  await bench.peer.send(42, 0, longLength(long.length), long, 42, 3, 42, 3);
  await bench.peer.expect(1);
  const total = 2 * (8 + 10 + long.length);
  const start = performance.now();
  for (let received = 0; received < total;) {
    received += (await readExactly(bench.peer.connection, Math.min(12_000, total - received))).length;
    await delay(20);
  }
  assert(performance.now() - start > 120);
  await bench.peer.expectError("TIMEOUT", "Cannot keep connection: nothing was heard for 60 ms");
});

Deno.test("an ambiguous dialect is settled even if messageTimeout is shorter than that takes", async () => {
  await using bench = new SessionBench({ messageTimeout: 100 });
  await bench.peer.send(42, 0);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  await bench.peer.send(0);
  await bench.peer.expect(1);
});
