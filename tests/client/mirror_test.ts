import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, type Mirror, type MirrorChange, serve, TrackerError } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";
import { MemoryHost } from "../support/host.ts";
import { Pauses } from "../support/pauses.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

/** The contents of a mirror, in the form of a flattened map. */
function shown(mirror: Mirror): string {
  return `{${[...mirror].map(([id, { state }]) => `${id}=${textOf(state)}`).join(", ")}}`;
}

/** Waits until a mirror is as wanted. */
function untilMirror(mirror: Mirror, isWanted: () => boolean): Promise<void> {
  return until((listener) => mirror.subscribe(listener), isWanted);
}

/** A change in a few words. */
function inWords(change: MirrorChange): string {
  const { kind, id, entry } = change;
  if (kind === "leave") return `leave ${id} ${change.cause}`;
  return `${kind} ${id}=${textOf(entry.state)} ${entry.status}`;
}

/** Records every change, and checks that the mirror shows it already. */
function record(mirror: Mirror): string[] {
  const changes: string[] = [];
  mirror.subscribe((change) => {
    assertEquals(mirror.get(change.id) ?? null, change.entry);
    changes.push(inWords(change));
  });
  return changes;
}

Deno.test("mirror shows the map and follows it", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  const one = host.registry.open("1", { id: "one" });
  const two = host.registry.open("2", { id: "two" });
  await using mirror = client.mirror();
  const changes = record(mirror);
  assertEquals([mirror.size, mirror.position], [0, null]);
  await mirror.synced;
  assertEquals(shown(mirror), "{one=1, two=2}");
  host.registry.update(one, "a");
  host.registry.mark(two, "suspect");
  host.registry.mark(two, "live");
  host.registry.open("3", { id: "three" });
  host.registry.close(one, "kicked");
  await untilMirror(mirror, () => mirror.position?.revision === host.registry.revision);
  assertEquals(shown(mirror), "{two=2, three=3}");
  assertEquals(changes, [
    "join one=1 live",
    "join two=2 live",
    "update one=a live",
    "suspect two=2 suspect",
    "resume two=2 live",
    "join three=3 live",
    "leave one kicked",
  ]);
  assertEquals(mirror.position, { incarnation: host.registry.incarnation, revision: host.registry.revision });
});

Deno.test("mirror reads like a Map, and its entries are immutable", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  const entry = host.registry.open("1", { id: "one" });
  host.registry.open("2", { id: "two" });
  await using mirror = client.mirror({ prefix: "o" });
  await mirror.synced;
  const one = mirror.get("one");
  assertEquals([mirror.size, mirror.has("one"), mirror.has("two"), mirror.get("two")], [1, true, false, undefined]);
  assertEquals([[...mirror.keys()], [...mirror.values()], [...mirror.entries()]], [["one"], [one], [["one", one]]]);
  const each: unknown[] = [];
  mirror.forEach((entry, id, map) => each.push(entry, id, map));
  assert(each[0] === one && each[1] === "one" && each[2] === mirror);
  assertEquals([mirror.getText("one"), mirror.getText("two")], ["1", undefined]);
  host.registry.update(entry, "new");
  await untilMirror(mirror, () => mirror.getText("one") === "new");
  assertEquals(textOf(one?.state ?? new Uint8Array()), "1");
});

Deno.test("restart of the server takes effect all at once, and every difference is announced", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, reconnect: pauses.options });
  for (const id of ["gone", "same", "changed", "lost"]) host.registry.open(id, { id });
  await using mirror = client.mirror();
  await mirror.synced;
  const changes = record(mirror);
  const sizes = new Set<number>();
  mirror.subscribe(() => sizes.add(mirror.size));
  await host.restart();
  await pauses.begun(2);
  assertEquals(shown(mirror), "{gone=gone, same=same, changed=changed, lost=lost}");
  for (const [id, state] of [["new", "new"], ["same", "same"], ["changed", "else"], ["lost", "lost"]]) {
    host.registry.open(state ?? "", { id: id ?? "" });
  }
  const lost = host.registry.get("lost");
  assert(lost !== undefined);
  host.registry.mark(lost, "suspect");
  await pauses.end(2);
  await untilMirror(mirror, () => changes.length === 4);
  assertEquals(changes, [
    "leave gone null",
    "join new=new live",
    "update changed=else live",
    "suspect lost=lost suspect",
  ]);
  assertEquals([shown(mirror), [...sizes]], ["{new=new, same=same, changed=else, lost=lost}", [4]]);
});

Deno.test("mirror equals the new map after a server restart over TCP", async () => {
  const first = serve({ port: 0 });
  const { port } = first.addr;
  const reconnect = { base: 2, cap: 5 };
  await using client = await connect({ port, name: "watcher", state: "w", reconnect });
  const peers = await Promise.all(["a", "b", "c"].map((name) => connect({ port, name, state: name, reconnect })));
  await using mirror = client.mirror();
  await mirror.synced;
  assertEquals(mirror.size, 4);
  await first.shutdown();
  await peers[1]?.close();
  peers[2]?.update("changed");
  await using second = serve({ port });
  const isSame = () => mirror.position?.incarnation === second.registry.incarnation && mirror.size === 3;
  await untilMirror(mirror, isSame);
  assertEquals([...mirror.keys()].sort(), ["a", "c", "watcher"]);
  assertEquals(mirror.getText("c"), "changed");
  for (const peer of peers) await peer.close();
  await untilMirror(mirror, () => mirror.size === 1);
  assertEquals(shown(mirror), "{watcher=w}");
});

Deno.test("mirror ends with its signal or client, or when closed, and keeps its entries", async () => {
  for (const end of ["signal", "close", "client", "abort"] as const) {
    await using host = new MemoryHost();
    host.registry.open("1", { id: "one" });
    const client = await connect({ dial: host.dial });
    const controller = new AbortController();
    const mirror = client.mirror({ signal: controller.signal });
    await mirror.synced;
    if (end === "signal") controller.abort();
    else if (end === "close") await mirror.close();
    else if (end === "client") await client.close();
    else client.abort();
    await mirror.finished;
    const codes = { signal: "ABORTED", close: undefined, client: undefined, abort: "CONNECTION_CLOSED" };
    assertEquals([mirror.error?.code, shown(mirror)], [codes[end], "{one=1}"]);
    await mirror.close();
    await client.close();
  }
});

Deno.test("synced rejects when the mirror ends before", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  host.isDown = true;
  const failing = client.mirror();
  const error = await assertRejects(() => failing.synced, TrackerError);
  assertEquals([error.code, failing.error], ["CONNECTION_REFUSED", error]);
  const closed = client.mirror();
  await closed.close();
  assertEquals((await assertRejects(() => closed.synced, TrackerError)).code, "CONNECTION_CLOSED");
});

Deno.test("mirror that is cut repeatedly ends up equal to the map, and announces every step", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = new Random(seed);
    await using host = new MemoryHost(seed);
    await using client = await connect({ dial: host.dial, reconnect: { base: 1, cap: 1 } });
    await using mirror = client.mirror();
    // The changes applied to an empty map must give the mirror.
    const told = new Map<string, string>();
    mirror.subscribe((change) => {
      assertEquals(told.has(change.id), change.previous !== null);
      if (change.entry === null) told.delete(change.id);
      else told.set(change.id, textOf(change.entry.state));
    });
    const ids = ["a", "b", "c", "d"];
    for (let round = 0; round < 150; round++) {
      const id = random.pick(ids);
      const entry = host.registry.get(id);
      if (entry === undefined) host.registry.open(`${round}`, { id });
      else if (random.next() < 0.2) host.registry.close(entry, "disconnect");
      else host.registry.update(entry, `${round}`.repeat(random.integer(1, 800)));
      if (random.next() < 0.1) host.cut();
      if (random.next() < 0.02) await host.restart();
      if (random.next() < 0.3) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    host.registry.open("", { id: "end" });
    await untilMirror(mirror, () => mirror.has("end"));
    assertEquals(shown(mirror), host.map, `seed ${seed}`);
    assertEquals([...told].sort(), [...mirror].map(([id, { state }]): [string, string] => [id, textOf(state)]).sort());
  }
});

Deno.test("mirror shows entries that were set, when they leave, and when clients opened and changed", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  await using mirror = client.mirror();
  await mirror.synced;
  const changes = record(mirror);
  const { until: end } = await client.put("a", "1", { for: 60 });
  await client.put("a", "2", { for: 60 });
  await untilMirror(mirror, () => changes.length === 2);
  assertEquals(changes, ["join a=1 detached", "set a=2 detached"]);
  const entry = mirror.get("a")!;
  assert(entry.until >= end && entry.openedAt <= entry.updatedAt && entry.updatedAt <= Date.now());
  await using other = await connect({ dial: host.dial, name: "a" });
  await untilMirror(mirror, () => changes.length === 3);
  assertEquals([changes[2], mirror.get("a")?.until], ["resume a=2 live", 0]);
  await other.close();
  await untilMirror(mirror, () => mirror.size === 0);
});
