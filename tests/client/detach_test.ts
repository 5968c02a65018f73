/** Ending a connection without leaving the map. */

import { assertEquals } from "@std/assert";
import { connect, Connection } from "../../mod.ts";
import { codeOf } from "../support/errors.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("detached client stays in the map with its latest state, and its name is free at once", async () => {
  await using bench = new TcpBench();
  for (const state of ["first", "second"]) {
    const client = await connect({ port: bench.port, name: "backup", grace: 60, state: "begun" });
    // Not awaited: it counts all the same.
    client.update(state);
    await client.detach();
    assertEquals([client.status, client.error], ["closed", null]);
    assertEquals([bench.map, bench.registry.get("backup")?.status], [`{backup=${state}}`, "suspect"]);
    // Safe to repeat, and so is closing a client that has ended.
    await client.detach();
    await client.close();
  }
});

Deno.test("client without a grace leaves the map when it detaches", async () => {
  await using bench = new TcpBench();
  const client = await connect({ port: bench.port, state: "short" });
  await client.detach();
  assertEquals(bench.map, "{}");
});

Deno.test("client with reconnect does not come back once detached", async () => {
  await using bench = new TcpBench();
  const client = await connect({ port: bench.port, name: "a", grace: 60, state: "on", reconnect: { base: 0 } });
  await client.detach();
  await client.finished;
  assertEquals(bench.registry.get("a")?.status, "suspect");
  assertEquals(await codeOf(client.get()), "CONNECTION_CLOSED");
});

Deno.test("detach needs a Hello, and times out when the server does not answer", async () => {
  await using bench = new TcpBench();
  await using plain = await connect({ port: bench.port, hello: false });
  assertEquals(await codeOf(plain.detach()), "BAD_ARGUMENT");

  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = new Connection(await Deno.connect({ port: listener.addr.port }));
  silent.hello().catch(() => {});
  assertEquals(await codeOf(silent.detach({ timeout: 10 })), "TIMEOUT");
  await silent.finished;
});
