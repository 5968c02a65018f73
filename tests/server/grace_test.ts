/** Grace: how long a name outlives its connection. */

import { assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { runMeasurement } from "../support/heap.ts";
import { SessionHost } from "./support/session_host.ts";

Deno.test("with grace, a client that drops out and returns is suspect and resumes, with no leave or join", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  const first = await host.greet({ name: "ada", grace: 60 });
  await first.open("state");
  await first.vanish();
  assertEquals(host.map, "{ada=state}");
  assertEquals(await watcher.seeUntil("suspect"), ["0 snapshot", "0 synced", "1 join ada state", "2 suspect ada"]);
  const again = await host.greet({ name: "ada" });
  assertNotEquals(again.greeting.resume, first.greeting.resume);
  assertEquals(await watcher.seeUntil("resume"), ["3 resume ada"]);
  await again.vanish();
  assertEquals(await watcher.seeUntil("leave"), ["4 leave ada disconnect"]);
  assertEquals(host.map, "{}");
  const told = host.events.map((event) => "cause" in event ? `${event.kind} ${event.cause}` : event.kind);
  assertEquals(told, ["join", "suspect disconnect", "resume", "leave disconnect"]);
});

Deno.test("when grace runs out, the client leaves with the cause that ended its connection", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  const peer = await host.greet({ name: "ada", grace: 0.05 });
  await peer.open("x");
  await peer.send(42, 99);
  assertEquals(await watcher.seeUntil("leave"), [
    "0 snapshot",
    "0 synced",
    "1 join ada x",
    "2 suspect ada",
    "3 leave ada error",
  ]);
  assertEquals(host.map, "{}");
  await host.greet({ name: "ada" });
});

Deno.test("a Close removes the client at once, whatever its grace", async () => {
  await using host = new SessionHost();
  const peer = await host.greet({ name: "ada", grace: 60 });
  await peer.open("x");
  await peer.leave();
  assertEquals(host.map, "{}");
});

Deno.test("a grace that could not be kept is refused at the Hello, and keeps nobody else's out", async () => {
  await using host = new SessionHost({ maxSuspects: 8 });
  for (const name of ["ada", "ben"]) {
    const peer = await host.greet({ name, grace: 60 });
    await peer.open("x");
    await peer.vanish();
  }
  // One address may have a quarter of the places.
  const refused = host.connect();
  await refused.request(4, { name: "cid", grace: 60 });
  assertEquals(await refused.readErrorCode(), "TOO_MANY_CLIENTS");
  assertEquals(host.counted.refused, { suspects: 1 });
  // A name without a grace needs no place, and a client that returns has one.
  await (await host.greet({ name: "dan" })).open("y");
  const again = await host.greet({ name: "ada", grace: 60 });
  assertEquals(host.map, "{ada=x, ben=x, dan=y}");
  // Once it has left, its place is free.
  await again.leave();
  await (await host.greet({ name: "cid", grace: 60 })).open("z");
  assertEquals(host.map, "{ben=x, dan=y, cid=z}");
});

Deno.test("a client in its grace costs little, however much its connection had taken", async () => {
  const { idle, halfSent } = await runMeasurement<Record<string, number>>(new URL("grace_heap.ts", import.meta.url));
  assertLess(idle!, 2_000, `${idle} bytes for a client that was idle`);
  assertLess(halfSent!, 2_000, `${halfSent} bytes for a client that had sent half of an Update`);
});

Deno.test("the end of the server ends every grace", async () => {
  const host = new SessionHost();
  const peer = await host.greet({ name: "ada", grace: 60 });
  await peer.open("x");
  await peer.vanish();
  await host[Symbol.asyncDispose]();
  assertEquals(host.map, "{}");
  assertEquals(host.events.at(-1), { kind: "leave", id: "ada", cause: "shutdown" });
});
