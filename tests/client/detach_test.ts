/** Ending a connection without leaving the map. */

import { assertEquals, assertRejects } from "@std/assert";
import { connect, Connection, TrackerError } from "../../mod.ts";
import { TcpBench } from "../support/tcp.ts";

async function codeOf(run: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => run, TrackerError)).code;
}

Deno.test("a client that detaches stays in the map with its last state, and its name is free at once", async () => {
  await using bench = new TcpBench();
  for (const state of ["first", "second"]) {
    const client = await connect({ port: bench.port, name: "backup", grace: 60, state: "begun" });
    // Nobody waits for it: it counts all the same.
    client.update(state);
    await client.detach();
    assertEquals([client.status, client.error], ["closed", null]);
    assertEquals([bench.map, bench.registry.get("backup")?.status], [`{backup=${state}}`, "suspect"]);
    // Again is safe, and so is closing what has ended.
    await client.detach();
    await client.close();
  }
});

Deno.test("a client without a grace leaves when it detaches, as when its connection is lost", async () => {
  await using bench = new TcpBench();
  const client = await connect({ port: bench.port, state: "short" });
  await client.detach();
  assertEquals(bench.map, "{}");
});

Deno.test("a client that comes back does not, once it has detached", async () => {
  await using bench = new TcpBench();
  const client = await connect({ port: bench.port, name: "a", grace: 60, state: "on", reconnect: { base: 0 } });
  await client.detach();
  await client.finished;
  assertEquals(bench.registry.get("a")?.status, "suspect");
  assertEquals(await codeOf(client.get()), "CONNECTION_CLOSED");
});

Deno.test("detaching needs a Hello, and is bounded in time by a server that does not answer", async () => {
  await using bench = new TcpBench();
  await using plain = await connect({ port: bench.port, hello: false });
  assertEquals(await codeOf(plain.detach()), "BAD_ARGUMENT");

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = new Connection(await Deno.connect({ port: listener.addr.port }));
  silent.hello().catch(() => {});
  assertEquals(await codeOf(silent.detach({ timeout: 10 })), "TIMEOUT");
  await silent.finished;
});
