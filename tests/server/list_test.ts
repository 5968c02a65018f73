/** List: the map as records. */

import { assert, assertEquals } from "@std/assert";
import { decodeList } from "../../lib/wire/mod.ts";
import { textOf } from "../support/bytes.ts";
import { SessionHost } from "./support/session_host.ts";

Deno.test("a List holds the map as records that no state can forge", async () => {
  await using host = new SessionHost();
  const before = Date.now();
  const named = await host.greet({ name: "ada", grace: 60 });
  await named.open("a, eve=b");
  const other = await host.greet();
  await other.open("");
  await named.vanish();
  const { revision, records } = await other.list();
  assertEquals(revision, 3);
  const seen = records.map(({ id, status, revision, state }) => [id, status, revision, textOf(state)]);
  assertEquals(seen, [["ada", "suspect", 3, "a, eve=b"], ["client1", "live", 2, ""]]);
  for (const { openedAt, updatedAt } of records) {
    assert(openedAt >= before && updatedAt >= openedAt && updatedAt <= Date.now());
  }
  assertEquals((await other.list({ prefix: "ad" })).records.map(({ id }) => id), ["ada"]);
  assertEquals((await other.list({ prefix: "x" })).records, []);
});

Deno.test("a long List is sent whole, and in its place among other replies", async () => {
  await using host = new SessionHost();
  for (let i = 0; i < 1_000; i++) host.registry.open("x".repeat(100));
  const peer = await host.greet();
  await peer.send(42, 7);
  await peer.request(6, {});
  await peer.send(42, 7);
  await peer.expect(1);
  assertEquals(decodeList(await peer.readPayload()).records.length, 1_000);
  await peer.expect(1);
});

Deno.test("an identifier that begins with a byte order mark is listed and watched unchanged", async () => {
  await using host = new SessionHost();
  const id = "\ufeffada";
  host.registry.open("here", { id });
  const lister = await host.greet();
  assertEquals((await lister.list()).records.map((record) => record.id), [id]);
  const watcher = await host.watch();
  const events = await watcher.readUntil("synced");
  assertEquals(events.flatMap((event) => event.kind === "present" ? event.id : []), [id]);
});
