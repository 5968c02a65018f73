/** A client on one connection. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Client, connect, TrackerError } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";
import { codeOf } from "../support/errors.ts";
import { MemoryHost } from "../support/host.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("await using closes a client in any state", async () => {
  await using bench = new TcpBench();
  {
    await using client = await connect({ port: bench.port, state: "a" });
    client.abort();
  }
  await bench.until((map) => map === "{}");
});

Deno.test("named client has its name, lists the others and pings", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port, name: "pi-7", state: "on", token: "secret" });
  await using _other = await connect({ port: bench.port, name: "robot", state: "off" });
  assertEquals(client.id, "pi-7");
  assertEquals(client.greeting?.incarnation, bench.registry.incarnation);
  const { revision, records } = await client.list();
  assertEquals(revision, bench.registry.revision);
  assertEquals(records.map(({ id, status, state }) => [id, status, textOf(state)]), [
    ["pi-7", "live", "on"],
    ["robot", "live", "off"],
  ]);
  assertEquals((await client.list({ prefix: "ro" })).records.map(({ id }) => id), ["robot"]);
  assert(await client.ping() >= 0);
  assertEquals(await codeOf(client.list({ signal: AbortSignal.abort() })), "ABORTED");
});

Deno.test("client refuses a state above the server's limit and goes on", async () => {
  await using bench = new TcpBench({ maxState: 4 });
  await using client = await connect({ port: bench.port, state: "abcd" });
  const { code, message } = await assertRejects(() => client.update("abcde"), TrackerError);
  assertEquals([code, message], ["STATE_TOO_LARGE", "Cannot update: 5 bytes is above the server's limit of 4"]);
  assertEquals(await codeOf(client.open("abcde")), "STATE_TOO_LARGE");
  await client.update("dcba");
  assertEquals(await client.getText(), "{client1=dcba}");
});

Deno.test("client without reconnect ends with its connection", async () => {
  await using host = new MemoryHost();
  const client = await connect({ dial: host.dial, state: "a" });
  host.cut();
  await client.finished;
  assertEquals([client.status, client.error?.code, host.dials], ["closed", "CONNECTION_FAILED", 1]);
  assertEquals(await codeOf(client.update("b")), "CONNECTION_FAILED");
  assertEquals(await codeOf(client.open("b")), "CONNECTION_FAILED");
  assertEquals(await codeOf(client.get()), "CONNECTION_FAILED");
  await client.close();
});

Deno.test("client being closed or aborted does not announce that it reconnects", async () => {
  for (const end of ["close", "abort"] as const) {
    await using host = new MemoryHost();
    const client = await connect({ dial: host.dial, state: "a", reconnect: true, timeout: 20 });
    const statuses: string[] = [];
    client.onStatus(({ status }) => statuses.push(status));
    host.mute();
    if (end === "close") assertEquals(await codeOf(client.close()), "TIMEOUT");
    else client.abort();
    await client.finished;
    assertEquals([statuses, client.error?.code], [["closed"], "CONNECTION_CLOSED"]);
  }
});

Deno.test("removed status listener is not called", async () => {
  await using host = new MemoryHost();
  const client = new Client({ dial: host.dial });
  const seen: string[] = [];
  const stop = client.onStatus(({ status }) => seen.push(status));
  await client.connected;
  stop();
  await client.close();
  assertEquals(seen, ["open"]);
});

Deno.test("closing sends a Close, and a closed client does not come back", async () => {
  await using host = new MemoryHost();
  const causes: unknown[] = [];
  host.registry.subscribe(({ kind, cause }) => kind === "leave" && causes.push(cause));
  const client = await connect({ dial: host.dial, name: "pi", grace: 60, state: "a", reconnect: true });
  await client.close();
  assertEquals([causes, client.status, client.error, host.dials], [["close"], "closed", null, 1]);
});
