import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { connect, type MapEvent, MAX_TOMBSTONES, type Registry, serve, TrackerError, type Watch } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";
import { codeOf } from "../support/errors.ts";
import { MemoryHost } from "../support/host.ts";
import { Pauses } from "../support/pauses.ts";
import { Random } from "../support/random.ts";
import { TcpBench } from "../support/tcp.ts";

/** An event in a few words, without the parts that vary from run to run. */
function inWords(event: MapEvent): string {
  switch (event.kind) {
    case "snapshot":
    case "synced":
      return event.kind;
    case "present":
      return `present ${event.id}=${textOf(event.state)} ${event.status}`;
    case "join":
    case "update":
      return `${event.kind} ${event.id}=${textOf(event.state)}`;
    case "leave":
      return `leave ${event.id} ${event.cause}`;
    default:
      return `${event.kind} ${event.id}`;
  }
}

/** The next events, in words. */
async function take(watch: Watch, count: number): Promise<string[]> {
  const words: string[] = [];
  while (words.length < count) {
    const { value, done } = await watch.next();
    if (done) throw new Error(`the watch ended after ${words.join(", ")}`);
    words.push(inWords(value));
  }
  return words;
}

Deno.test("watch yields a snapshot, and then every change", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port, name: "pi-1", state: "on", grace: 60 });
  await using other = await connect({ port: bench.port, state: "other" });
  await using watch = client.watch();
  assertEquals(watch.position, null);
  assertEquals(await take(watch, 4), ["snapshot", "present pi-1=on live", "present client1=other live", "synced"]);
  const { incarnation, revision } = bench.registry;
  assertEquals(watch.position, { incarnation, revision });
  await client.update("off");
  assertEquals(await take(watch, 1), ["update pi-1=off"]);
  await other.close();
  assertEquals(await take(watch, 1), ["leave client1 close"]);
  await using third = await connect({ port: bench.port, name: "pi-3", state: "x", grace: 60 });
  assertEquals(await take(watch, 1), ["join pi-3=x"]);
  third.abort();
  assertEquals(await take(watch, 1), ["suspect pi-3"]);
  await using _third = await connect({ port: bench.port, name: "pi-3" });
  assertEquals(await take(watch, 1), ["resume pi-3"]);
  assertEquals(watch.position, { incarnation, revision: bench.registry.revision });
});

Deno.test("watch of a prefix yields no other clients", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial, name: "a-1", state: "1" });
  await using other = await connect({ dial: host.dial, name: "b-1", state: "2" });
  await using watch = client.watch({ prefix: "b-" });
  assertEquals(await take(watch, 3), ["snapshot", "present b-1=2 live", "synced"]);
  await client.update("3");
  await other.update("4");
  assertEquals(await take(watch, 1), ["update b-1=4"]);
});

Deno.test("leaving the loop closes the watch's connection, and only that", async () => {
  await using bench = new TcpBench();
  const connections: Deno.TcpConn[] = [];
  const dial = async () => {
    const connection = await Deno.connect({ port: bench.port });
    connections.push(connection);
    return connection;
  };
  await using client = await connect({ dial, state: "a" });
  for await (const event of client.watch()) if (event.kind === "synced") break;
  const [first, second] = connections;
  assert(first !== undefined && second !== undefined && connections.length === 2);
  await assertRejects(() => second.read(new Uint8Array(1)), Deno.errors.BadResource);
  assertEquals(await client.getText(), "{client1=a}");
});

Deno.test("waiting watch ends when it is left, aborted or its client ends", async () => {
  for (const end of ["return", "dispose", "signal", "close", "abort"] as const) {
    await using host = new MemoryHost();
    const client = await connect({ dial: host.dial });
    const controller = new AbortController();
    const reason = new Error("enough");
    const watch = client.watch({ signal: controller.signal });
    await take(watch, 2);
    const next = watch.next();
    next.catch(() => {});
    if (end === "return") await watch.return();
    else if (end === "dispose") await watch[Symbol.asyncDispose]();
    else if (end === "signal") controller.abort(reason);
    else await client[end]();
    if (end === "signal") {
      const error = await assertRejects(() => next, TrackerError);
      assertEquals([error.code, error.cause], ["ABORTED", reason]);
    } else if (end === "abort") {
      assertEquals(await codeOf(next), "CONNECTION_CLOSED");
    } else {
      assertEquals(await next, { value: undefined, done: true });
    }
    assertEquals(await watch.next(), { value: undefined, done: true });
    await client.close();
  }
});

Deno.test("watch that was never read leaves nothing behind", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  const watch = client.watch();
  await watch.return();
  assertEquals([await watch.next(), host.dials], [{ value: undefined, done: true }, 1]);
  assertEquals(await codeOf(client.watch({ signal: AbortSignal.abort() }).next()), "ABORTED");
});

Deno.test("watch without reconnect ends with its connection's error", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial, state: "a" });
  const watch = client.watch();
  await take(watch, 3);
  host.cut();
  assertEquals(await codeOf(watch.next()), "CONNECTION_FAILED");
  await using bench = new TcpBench();
  await using other = await connect({ port: bench.port });
  const drained = other.watch();
  await take(drained, 2);
  await bench.server.shutdown();
  assertEquals(await codeOf(drained.next()), "SHUTTING_DOWN");
});

Deno.test("watch that reconnects to the same server continues where it was", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, reconnect: pauses.options });
  const connections: (string | null)[] = [];
  await using watch = client.watch({ onConnection: (error) => connections.push(error && error.code) });
  const [one, two] = [host.registry.open("1", { id: "one" }), host.registry.open("2", { id: "two" })];
  assertEquals(await take(watch, 4), ["snapshot", "present one=1 live", "present two=2 live", "synced"]);
  for (let round = 0; round < 3; round++) {
    const next = take(watch, 2);
    host.cut();
    await pauses.begun(2);
    host.registry.update(one, `a${round}`);
    host.registry.update(one, `b${round}`);
    host.registry.update(two, `c${round}`);
    await pauses.end(2);
    // Only the latest of one's two states is still there.
    assertEquals(await next, [`update one=b${round}`, `update two=c${round}`]);
    host.registry.update(two, `d${round}`);
    assertEquals(await take(watch, 1), [`update two=d${round}`]);
    await client.ping();
  }
  const lost = ["CONNECTION_FAILED", null];
  assertEquals(connections, [null, ...lost, ...lost, ...lost]);
});

Deno.test("watch that reconnects to a restarted server begins with a snapshot", async () => {
  const first = serve({ port: 0 });
  const { port } = first.addr;
  const reconnect = { base: 2, cap: 5 };
  await using client = await connect({ port, name: "pi", state: "on", reconnect });
  await using watch = client.watch({ prefix: "pi" });
  assertEquals(await take(watch, 3), ["snapshot", "present pi=on live", "synced"]);
  // The first server may or may not report the leaves of its end.
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of watch) {
      seen.push(inWords(event));
      const told = seen.slice(seen.indexOf("snapshot") + 1);
      // The client itself may be back before the watch, or after it.
      if (told.includes("synced") && told.some((words) => /^(present|join) pi=on/.test(words))) break;
    }
  })();
  await first.shutdown();
  await using second = serve({ port });
  await reading;
  assertEquals(seen.filter((words) => words === "snapshot" || words === "synced"), ["snapshot", "synced"]);
  assertEquals(watch.position?.incarnation, second.registry.incarnation);
});

Deno.test("watch that reconnects tells an emptied map from an unchanged one", async () => {
  for (const prefix of ["", "pi"]) {
    await using host = new MemoryHost();
    const pauses = new Pauses();
    await using client = await connect({ dial: host.dial, reconnect: pauses.options });
    host.registry.open("1", { id: "pi" });
    await using watch = client.watch({ prefix });
    assertEquals(await take(watch, 3), ["snapshot", "present pi=1 live", "synced"]);
    // Nothing has happened: nothing is told.
    const next = take(watch, 1);
    host.cut();
    await pauses.end(2);
    const entry = await client.list().then(() => host.registry.get("pi"));
    assert(entry !== undefined);
    host.registry.update(entry, "2");
    assertEquals(await next, ["update pi=2"]);
    // Another life, in which as much has happened and there is nobody.
    const again = take(watch, 2);
    await host.restart();
    host.registry.close(host.registry.open("1", { id: "pi" }));
    await pauses.end(2);
    assertEquals(await again, ["snapshot", "synced"], `prefix ${prefix}`);
  }
});

Deno.test("watch that reconnects too late begins with a snapshot, even of an empty map", async () => {
  for (const prefix of ["", "pi"]) {
    await using host = new MemoryHost();
    const pauses = new Pauses();
    await using client = await connect({ dial: host.dial, reconnect: pauses.options });
    host.registry.close(host.registry.open("1", { id: "pi" }));
    await using watch = client.watch({ prefix });
    assertEquals(await take(watch, 2), ["snapshot", "synced"]);
    const next = take(watch, 2);
    host.cut();
    await pauses.begun(2);
    for (let round = 0; round < MAX_TOMBSTONES; round++) host.registry.close(host.registry.open("1", { id: "pi" }));
    await pauses.end(2);
    assertEquals(await next, ["snapshot", "synced"], prefix);
  }
});

Deno.test("watch of a prefix comes back unnoticed when only other clients have changed", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, reconnect: pauses.options });
  const pi = host.registry.open("1", { id: "pi" });
  await using watch = client.watch({ prefix: "pi" });
  assertEquals(await take(watch, 3), ["snapshot", "present pi=1 live", "synced"]);
  const next = take(watch, 1);
  host.cut();
  await pauses.begun(2);
  host.registry.open("2", { id: "other" });
  await pauses.end(2);
  host.registry.update(pi, "3");
  assertEquals(await next, ["update pi=3"]);
});

Deno.test("watch continues where another one ended", async () => {
  await using host = new MemoryHost();
  await using client = await connect({ dial: host.dial });
  const entry = host.registry.open("1", { id: "pi" });
  const watch = client.watch();
  await take(watch, 3);
  const since = watch.position;
  await watch.return();
  assert(since !== null);
  host.registry.update(entry, "2");
  await using later = client.watch({ since });
  assertEquals(await take(later, 2), ["update pi=2", "synced"]);
  await using wrong = client.watch({ since: { ...since, incarnation: "another" } });
  assertEquals(await take(wrong, 3), ["snapshot", "present pi=2 live", "synced"]);
});

Deno.test("slow reader costs no memory, and misses neither the latest state nor a leave", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port });
  let received = 0;
  const connecting = connect({
    dial: async () => {
      const connection = await Deno.connect({ port: bench.port });
      const read = connection.read.bind(connection);
      connection.read = async (buffer) => {
        const count = await read(buffer);
        received += count ?? 0;
        return count;
      };
      return connection;
    },
  });
  await using reader = await connecting;
  await using watch = reader.watch();
  const entry = bench.registry.open("0", { id: "busy" });
  const gone = bench.registry.open("x", { id: "gone" });
  await take(watch, 4);
  const megabyte = "x".repeat(2 ** 20);
  for (let round = 0; round < 100; round++) {
    bench.registry.update(entry, `${round} ${megabyte}`);
    // A round trip lets the server send its events.
    await client.get();
  }
  bench.registry.close(gone);
  bench.registry.update(entry, "last");
  const waiting = received;
  assertLess(waiting, 30 * 2 ** 20);
  const words: string[] = [];
  while (words.at(-1) !== "update busy=last") words.push(...(await take(watch, 1)).map((text) => text.slice(0, 40)));
  assert(words.includes("leave gone close"));
  assertLess(words.length, 60);
  assertGreater(received, waiting);
});

Deno.test("watch that is cut repeatedly yields every change in order", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = new Random(seed);
    await using host = new MemoryHost(seed);
    await using client = await connect({ dial: host.dial, reconnect: { base: 1, cap: 1 } });
    await using watch = client.watch();
    const reading = collect(watch, "end");
    const names = ["a", "b", "c", "d"];
    const act = () => {
      const name = random.pick(names);
      const entry = host.registry.get(name);
      if (entry === undefined) host.registry.open(`${random.integer(0, 99)}`, { id: name });
      else if (random.next() < 0.2) host.registry.close(entry, "disconnect");
      else host.registry.update(entry, `${random.integer(0, 99)}`.repeat(random.integer(1, 500)));
    };
    for (let round = 0; round < 200; round++) {
      act();
      if (random.next() < 0.1) host.cut();
      if (random.next() < 0.3) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    host.registry.open("", { id: "end" });
    const { map, snapshots } = await reading;
    assertEquals([...map], mapOf(host.registry), `seed ${seed}`);
    assertEquals(snapshots, 1);
  }
});

function mapOf(registry: Registry): [string, string][] {
  return [...registry.entries()].map(({ id, state }) => [id, textOf(state)]);
}

/** Builds a map from the events up to the join of one client, checking that each is valid after the last. */
async function collect(watch: Watch, last: string): Promise<{ map: Map<string, string>; snapshots: number }> {
  const map = new Map<string, string>();
  let [snapshots, revision, isSynced] = [0, 0, false];
  for await (const event of watch) {
    if (event.kind === "snapshot") {
      snapshots++;
      isSynced = false;
      map.clear();
      continue;
    }
    if (isSynced) assert(event.revision > revision, `${event.revision} after ${revision}`);
    if (event.kind === "synced") isSynced = true;
    revision = event.revision;
    if (event.kind === "present" || event.kind === "join" || event.kind === "update") {
      assertEquals(map.has(event.id), event.kind === "update", inWords(event).slice(0, 40));
      map.set(event.id, textOf(event.state));
    } else if (event.kind === "leave") map.delete(event.id);
    if (event.kind === "join" && event.id === last) break;
  }
  return { map, snapshots };
}
