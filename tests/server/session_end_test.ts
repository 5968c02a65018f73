/** The ways a session ends. */

import { assert, assertEquals } from "@std/assert";
import { Registry, TrackerError } from "../../mod.ts";
import { closeSessionContext, createSessionContext } from "../../lib/server/context.ts";
import { Session } from "../../lib/server/session.ts";
import { bytesOf, longLength, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";
import { SessionBench } from "./support/session_host.ts";

Deno.test("session answers what came before the end of the stream, then removes the client", async () => {
  await using bench = new SessionBench();
  await bench.peer.send(42, 0, 3, "abc", 42, 3);
  await bench.peer.connection.closeWrite();
  assertEquals(await readToEnd(bench.peer.connection), bytesOf(1, 13, "{client1=abc}"));
  await bench.peer.ended;
  assertEquals(bench.map, "{}");
  assertEquals(bench.events, [
    { kind: "join", id: "client1", dialect: "compact" },
    { kind: "leave", id: "client1", cause: "disconnect" },
  ]);
});

Deno.test("session ends after Close with one reply, and ignores what follows", async () => {
  await using bench = new SessionBench();
  await bench.peer.send(42, 0, 3, "abc", 42, 1, 42, 2, 3, "xyz", 42, 3);
  assertEquals(await readToEnd(bench.peer.connection), bytesOf(1, 1));
  assertEquals(bench.map, "{}");
  await bench.peer.send(42, 0, 3, "abc");
  bench.peer.connection.close();
  await bench.peer.ended;
  assertEquals(bench.events.at(-1), { kind: "leave", id: "client1", cause: "close" });
});

Deno.test("session sends an error reply after the replies that are due", async () => {
  for (let seed = 0; seed < 10; seed++) {
    await using bench = new SessionBench({}, seed);
    const long = "l".repeat(60_000);
    await bench.peer.send(42, 0, longLength(long.length), long, 42, 3, 42, 99);
    const replies = textOf(await readToEnd(bench.peer.connection));
    assert(replies.startsWith("\x01"));
    assert(replies.endsWith("}\0\x33BAD_TYPE: Cannot parse message: there is no type 99"));
  }
});

Deno.test("session closes its connection even if its client neither reads nor leaves", async () => {
  await using bench = new SessionBench();
  const long = "l".repeat(60_000);
  await bench.peer.send(42, 0, longLength(long.length), long, 42, 3);
  bench.peer.session.close(new TrackerError("SHUTTING_DOWN", "for the test"));
  assertEquals(bench.map, "{}");
  await bench.peer.ended;
});

Deno.test("session ends without an error wherever its connection breaks", async () => {
  for (
    const begun of [bytesOf(), bytesOf(42), bytesOf(42, 0, 0), bytesOf(42, 0, 3, "abc"), bytesOf(42, 3), bytesOf(42, 1)]
  ) {
    await using bench = new SessionBench();
    await bench.peer.send(begun);
    bench.peer.connection.reset();
    await bench.peer.ended;
    assertEquals(bench.map, "{}");
  }
});

Deno.test("session that ends while a late reply is written handles nothing more", async () => {
  for (const [end, more] of [["close", bytesOf(42, 2, 3, "abc", 42, 3)], ["abort", bytesOf(42, 1)]] as const) {
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
    // Half a second later the dialect is settled, and the write of the reply to the Open is held up.
    await writing.promise;
    await writeFully(client, more);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    if (end === "close") session.close(new TrackerError("SHUTTING_DOWN", "now"));
    else session.abort();
    gate.resolve();
    if (end === "close") assertEquals(await readToEnd(client), bytesOf(1, 0, 18, "SHUTTING_DOWN: now"));
    client.close();
    await ended;
    assertEquals([registry.size, registry.revision], [0, 2]);
    closeSessionContext(context);
  }
});
