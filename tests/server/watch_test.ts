/** Watch: what a watcher is sent, and what it may send. */

import { assert, assertEquals } from "@std/assert";
import { Registry } from "../../mod.ts";
import { decodeEvents } from "../../lib/wire/mod.ts";
import { readU64 } from "../../lib/base/bytes.ts";
import { bytesOf, longLength, readToEnd } from "../support/bytes.ts";
import { SessionHost, summarize } from "./support/session_host.ts";

Deno.test("a watcher gets the map, then every change, byte for byte", async () => {
  await using host = new SessionHost({}, new Registry({ incarnation: "i", now: () => 7 }));
  const client = await host.greet({ name: "ab" });
  await client.open("x");
  const watcher = await host.greet();
  await watcher.request(5, {});
  const revision = (value: number) => longLength(value);
  const snapshot = [11, revision(0), 0, 0] as const;
  const times = [longLength(7), longLength(7), longLength(0)] as const;
  const present = [1, revision(1), 0, 2, "ab", 0, ...times, 0, 0, 0, 1, "x"] as const;
  const synced = [2, revision(1), 0, 0, 1, "i"] as const;
  await watcher.expect(1, longLength(11 + 43 + 13), ...snapshot, ...present, ...synced);
  await client.update("yz");
  await watcher.expect(longLength(19), 4, revision(2), 0, 2, "ab", 0, 0, 0, 2, "yz");
  await client.leave();
  await watcher.expect(longLength(14), 7, revision(3), 0, 2, "ab", 0);
  await watcher.send(42, 7);
  await watcher.expect(longLength(11), 8, revision(3), 0, 0);
});

Deno.test("a watch of a prefix reports no other client", async () => {
  await using host = new SessionHost();
  host.registry.open("1", { id: "robot:1" });
  host.registry.open("2", { id: "human:1" });
  const watcher = await host.watch({ prefix: "robot:" });
  assertEquals(await watcher.seeUntil("synced"), ["0 snapshot", "1 present robot:1 live 1", "2 synced"]);
  host.registry.open("3", { id: "human:2" });
  const robot = host.registry.open("4", { id: "robot:2" });
  host.registry.close(robot, "kicked");
  assertEquals(await watcher.seeUntil("leave"), ["4 join robot:2 4", "5 leave robot:2 kicked"]);
});

Deno.test("a watcher that ends its stream at once still gets whole replies", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await using host = new SessionHost();
    host.registry.open("s".repeat(1_000), { id: "other" });
    const peer = host.connect({ seed });
    const [hello, map] = ["{}", `{other=${"s".repeat(1_000)}}`];
    await peer.send(42, 4, longLength(2), hello, 42, 3, 42, 5, longLength(2), "{}", 42, 7);
    await peer.connection.closeWrite();
    await peer.expect(1);
    await peer.readPayload();
    await peer.expect(longLength(map.length), map, 1);
    const rest = await readToEnd(peer.connection);
    for (let at = 0; at < rest.length;) {
      const length = Number(readU64(rest, at));
      decodeEvents(rest.subarray(at + 8, at += 8 + length));
      assert(at <= rest.length, `a frame is truncated after ${rest.length} bytes`);
    }
  }
});

Deno.test("a watch that resumes gets what it missed, and no snapshot", async () => {
  await using host = new SessionHost();
  const { registry } = host;
  const [a, b] = [registry.open("a1"), registry.open("b1")];
  registry.update(a, "a2");
  registry.close(b, "timeout");
  registry.open("c1");
  registry.update(a, "a3");
  const since = { incarnation: registry.incarnation, revision: 2 };
  const watcher = await host.watch({ since });
  const missed = ["4 leave client2 timeout", "5 join client3 c1", "6 update client1 a3", "6 synced"];
  assertEquals(await watcher.seeUntil("synced"), missed);
  assertEquals(await (await host.watch({ since: { ...since, revision: 6 } })).seeUntil("synced"), ["6 synced"]);
});

Deno.test("a watch that resumes from another incarnation or a future revision gets a snapshot", async () => {
  await using host = new SessionHost();
  const { incarnation } = host.registry;
  host.registry.open("x");
  const snapshot = ["0 snapshot", "1 present client1 live x", "1 synced"];
  for (const since of [{ incarnation: "other", revision: 1 }, { incarnation, revision: 7 }]) {
    assertEquals(await (await host.watch({ since })).seeUntil("synced"), snapshot);
  }
});

Deno.test("a connection that watches may send only Update, Ping and Close", async () => {
  await using host = new SessionHost();
  const reporter = await host.watch();
  await reporter.readUntil("synced");
  await reporter.update("mine");
  assertEquals(await reporter.seeUntil("join"), ["1 join client1 mine"]);
  await reporter.leave();
  for (const message of [[42, 0, longLength(0)], [42, 3], [42, 5, longLength(2), "{}"], [42, 6, longLength(2), "{}"]]) {
    const watcher = await host.watch();
    await watcher.send(...message);
    assertEquals(await watcher.readErrorCode(), "BAD_TYPE");
  }
});

Deno.test("a watcher that leaves is first sent what has happened so far", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  await watcher.readUntil("synced");
  const entry = host.registry.open("x");
  await watcher.readUntil("join");
  // Still in the tick that the join began: nothing of this is sent before the Close arrives.
  host.registry.close(entry);
  await watcher.send(42, 1);
  assertEquals(await watcher.readFrame().then((events) => events.map(summarize)), ["2 leave client1 close"]);
  assertEquals(await readToEnd(watcher.connection), bytesOf(1));
});

Deno.test("a watcher that leaves at once is sent the map all the same, if it is small", async () => {
  await using host = new SessionHost();
  host.registry.open("x", { id: "a" });
  const peer = host.connect();
  await peer.hello();
  // The Watch and the Close arrive together.
  await peer.send(42, 5, longLength(2), "{}", 42, 1);
  await peer.expect(1);
  const kinds = decodeEvents(await peer.readPayload()).map(({ kind }) => kind);
  assertEquals(kinds, ["snapshot", "present", "synced"]);
  await peer.expect(1);
});
