/** Replies that a session sends in pieces. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { MIN_PAST_BYTES } from "../../lib/map/snapshots.ts";
import { ListWriter } from "../../lib/wire/mod.ts";
import type { Registry } from "../../mod.ts";
import { readExactly, readToEnd, textOf } from "../support/bytes.ts";
import { SessionHost } from "./support/session_host.ts";

function fill({ registry }: { registry: Registry }, count: number, length: number): void {
  for (let at = 0; at < count; at++) registry.open(new Uint8Array(length).fill(97 + at % 26));
}

/** Changes the map in every way. */
function change(host: SessionHost): void {
  const { registry } = host;
  let count = 0;
  for (const entry of [...registry.entries()]) {
    if (++count % 3 === 0) registry.close(entry);
    else if (count % 3 === 1) registry.mark(entry, "suspect");
    else registry.update(entry, `changed ${count}`);
  }
  fill(host, 100, 10);
}

Deno.test("a Get of a long map that changes meanwhile shows it as it was", async () => {
  await using host = new SessionHost();
  fill(host, 2_000, 150);
  const expected = host.registry.flatten().slice();
  const peer = await host.greet();
  await peer.send(42, 3, 42, 7);
  assertEquals(await peer.readLength(), expected.length);
  for (let at = 0; at < expected.length;) {
    const part = await readExactly(peer.connection, Math.min(50_000, expected.length - at));
    assertEquals(part, expected.subarray(at, at += part.length));
    change(host);
  }
  await peer.expect(1);
  assertEquals(host.registry.pastBytes, 0);
});

Deno.test("a List of a long map that changes meanwhile shows it as it was", async () => {
  await using host = new SessionHost();
  fill(host, 6_000, 50);
  const writer = new ListWriter();
  writer.begin(host.registry.revision);
  for (const entry of host.registry.entries()) if (entry.id.startsWith("client1")) writer.record(entry);
  const expected = writer.finish();
  const peer = await host.greet();
  await peer.request(6, { prefix: "client1" });
  await peer.send(42, 7);
  const first = await readExactly(peer.connection, 10_000);
  assertEquals(first, expected.subarray(0, first.length));
  change(host);
  assertEquals(await readExactly(peer.connection, expected.length - first.length), expected.subarray(first.length));
  await peer.expect(1);
  assertEquals(host.registry.pastBytes, 0);
});

Deno.test("a client that vanishes in the middle of a long reply leaves nothing behind", async () => {
  await using host = new SessionHost();
  fill(host, 2_000, 150);
  const peers = [await host.greet(), await host.greet()];
  await peers[0]!.send(42, 3);
  await peers[1]!.request(6, {});
  for (const { connection } of peers) await readExactly(connection, 1_000);
  change(host);
  assertLess(0, host.registry.pastBytes);
  for (const peer of peers) await peer.vanish();
  assertEquals(host.registry.pastBytes, 0);
});

Deno.test("a reader for which too much would have to be kept is cut off, without another byte", async () => {
  await using host = new SessionHost();
  const state = new Uint8Array(2 ** 22);
  fill(host, MIN_PAST_BYTES / state.length + 1, state.length);
  const changeAll = () => {
    for (const entry of host.registry.entries()) host.registry.update(entry, state);
  };
  const peer = await host.greet();
  await peer.send(42, 3);
  const length = await peer.readLength();
  changeAll();
  const recent = host.registry.flattenInPieces();
  changeAll();
  const rest = await readToEnd(peer.connection);
  assertLess(rest.length, length - 2 ** 22);
  assert(!textOf(rest).includes("SLOW_CONSUMER"), "an error reply would be taken for a part of the map");
  const errors = host.events.flatMap((event) => event.kind === "error" ? event.error.code : []);
  assertEquals(errors, ["SLOW_CONSUMER"]);
  await peer.ended;
  recent.release();
  assertEquals(host.registry.pastBytes, 0);
});
