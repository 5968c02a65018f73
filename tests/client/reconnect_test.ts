/** A client on one connection after the other. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { Client, type ClientStatus, connect, type ConnectOptions, type Dial, type Duplex, serve } from "../../mod.ts";
import { bytesOf, textOf } from "../support/bytes.ts";
import { codeOf } from "../support/errors.ts";
import { MemoryHost } from "../support/host.ts";
import { Pauses } from "../support/pauses.ts";
import { Random } from "../support/random.ts";
import { TcpBench } from "../support/tcp.ts";
import { until } from "../support/until.ts";

/** Waits until a client has a status. */
function reached(client: Client, wanted: ClientStatus): Promise<void> {
  return until((listener) => client.onStatus(listener), () => client.status === wanted);
}

/** Every state that a server is sent, in order. */
function statesOf(host: MemoryHost): string[] {
  const states: string[] = [];
  host.registry.subscribe(({ kind, entry }) => {
    if (kind === "join" || kind === "update") states.push(textOf(entry.state));
  });
  return states;
}

Deno.test("client that was cut off comes back with its name and state, and announces its status", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, name: "pi", state: "first", reconnect: pauses.options });
  const changes: (string | undefined)[] = [];
  client.onStatus(({ status, error }) => changes.push(status, error?.code));
  await client.open("second");
  host.cut();
  await pauses.begun();
  assertEquals([client.status, client.error?.code], ["reconnecting", "CONNECTION_FAILED"]);
  await host.until((map) => map === "{}");
  await pauses.end();
  await reached(client, "open");
  assertEquals([host.map, client.error], ["{pi=second}", null]);
  assertEquals(changes, ["reconnecting", "CONNECTION_FAILED", "open", undefined]);
});

Deno.test("numbered client comes back in every dialect, and an observer stays one", async () => {
  await using bench = new TcpBench();
  for (const options of [{}, { hello: false }, { dialect: "compact" }, { dialect: "java" }] as ConnectOptions[]) {
    const connections: Deno.TcpConn[] = [];
    const dial = async () => {
      const connection = await Deno.connect({ port: bench.port });
      connections.push(connection);
      return connection;
    };
    const reconnect = { base: 1, cap: 1 };
    await using client = await connect({ dial, state: "here", reconnect, ...options });
    await using observer = await connect({ dial, reconnect, ...options });
    for (const connection of connections.splice(0)) connection.close();
    await reached(client, "reconnecting");
    await reached(client, "open");
    await bench.until((map) => /^{client\d+=here}$/.test(map));
    await observer.getText();
    assertEquals(bench.registry.size, 1);
    await client.close();
  }
});

Deno.test("client that was away sends only its latest state", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, name: "pi", state: "first", reconnect: pauses.options });
  const states = statesOf(host);
  host.cut();
  await pauses.begun();
  const bytes = bytesOf("last");
  const opening = [client.open("a"), client.open("b")];
  await client.update("c");
  await client.update(bytes);
  bytes.fill(0);
  await pauses.end();
  await Promise.all(opening);
  assertEquals(states, ["last"]);
  await client.update("next");
  assertEquals(await client.getText(), "{pi=next}");
});

Deno.test("state reported during the greeting comes after the first state", async () => {
  await using host = new MemoryHost();
  const states = statesOf(host);
  let writes = 0;
  const client: Client = new Client({
    dial: async (...parts) => {
      const duplex = await host.dial(...parts);
      const write = duplex.write.bind(duplex);
      duplex.write = (bytes) => {
        if (++writes <= 3) client.update(`during write ${writes}`);
        return write(bytes);
      };
      return duplex;
    },
    name: "pi",
    state: "first",
  });
  await client.connected;
  while (states.length < 4) await client.ping();
  assertEquals(states, ["first", "during write 1", "during write 2", "during write 3"]);
  await client.close();
});

Deno.test("calls that need an answer wait for the connection within their time limits", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, state: "a", reconnect: pauses.options });
  host.cut();
  await pauses.begun();
  const controller = new AbortController();
  const calls = [
    client.getText(),
    client.list().then(({ records }) => records.length),
    client.ping().then(() => "pong"),
  ];
  const late = codeOf(client.get({ timeout: 10 }));
  const stopped = codeOf(client.open("b", { signal: controller.signal }));
  controller.abort();
  assertEquals([await late, await stopped], ["TIMEOUT", "ABORTED"]);
  await pauses.end();
  // The aborted opening was sent all the same.
  assertEquals(await Promise.all(calls), ["{client2=b}", 1, "pong"]);
});

Deno.test("pending call rejects when the connection breaks, and an Update is kept", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, name: "pi", state: "a", reconnect: pauses.options });
  host.mute();
  const calls = [codeOf(client.get()), codeOf(client.list()), codeOf(client.ping()), codeOf(client.open("b"))];
  const updates = [client.update("c"), client.update("d", { timeout: 5_000 })];
  host.lose();
  assertEquals(await Promise.all(calls), Array(4).fill("CONNECTION_FAILED"));
  await Promise.all(updates);
  await pauses.end();
  assertEquals(await client.getText(), "{pi=d}");
  // Also when the system could not take it, and the loss is not yet noticed.
  host.lose();
  const late = [client.update("e"), client.update("f"), client.update("g", { timeout: 5_000 })];
  await Promise.all(late);
  await pauses.end();
  assertEquals(await client.getText(), "{pi=g}");
});

Deno.test("time spent waiting for the connection counts against a call's time limit", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, reconnect: pauses.options });
  client.onStatus(({ status }) => status === "open" && host.mute());
  host.cut();
  await pauses.begun();
  const start = performance.now();
  const call = codeOf(client.get({ timeout: 500 }));
  await new Promise((resolve) => setTimeout(resolve, 450));
  await pauses.end();
  assertEquals(await call, "TIMEOUT");
  assertLess(performance.now() - start, 900);
  // A server that is mute does not answer a Close either.
  client.abort();
});

Deno.test("client takes its name back from its dead connection without a leave", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  await using client = await connect({ dial: host.dial, name: "pi", state: "a", reconnect: pauses.options });
  const kinds: string[] = [];
  host.registry.subscribe(({ kind }) => kinds.push(kind));
  for (let round = 0; round < 3; round++) {
    host.lose();
    await pauses.end();
    await reached(client, "open");
  }
  assertEquals([host.map, kinds], ["{pi=a}", ["update", "update", "update"]]);
});

/** Connects to a host; of the first connection no reply arrives, and neither does its end. */
function loseFirstReply(host: MemoryHost, onWrite: (first: Duplex, bytes: Uint8Array) => Promise<number>): Dial {
  return async (signal, timeout) => {
    const duplex = await host.dial(signal, timeout);
    if (host.dials > 1) return duplex;
    const closed = Promise.withResolvers<never>();
    return {
      read: () => closed.promise,
      write: (bytes) => onWrite(duplex, bytes),
      close: () => closed.reject(new Deno.errors.Interrupted("operation canceled")),
    };
  };
}

Deno.test("client whose greeting was lost on its way takes its name back from the connection that has it", async () => {
  await using host = new MemoryHost();
  const kinds: string[] = [];
  host.registry.subscribe(({ kind }) => kinds.push(kind));
  const dial = loseFirstReply(host, (first, bytes) => first.write(bytes));
  const options = { dial, name: "pi", state: "a", timeout: 50, reconnect: { base: 0 } };
  await using client = new Client(options);
  await client.connected;
  assertEquals([host.dials, host.map, kinds], [2, "{pi=a}", ["join", "update"]]);
});

Deno.test("client is not thrown out by the late Hello of an attempt that it has given up", async () => {
  for (const takeover of [false, true]) {
    await using host = new MemoryHost();
    const late: (() => Promise<number>)[] = [];
    const dial = loseFirstReply(host, (first, bytes) => {
      const copy = bytes.slice();
      late.push(() => first.write(copy));
      return Promise.resolve(bytes.length);
    });
    const options = { dial, name: "pi", state: "a", grace: 60, takeover, timeout: 50, reconnect: { base: 0 } };
    await using client = new Client(options);
    await client.connected;
    for (const send of late) await send();
    await client.open("b");
    assertEquals([host.dials, host.map, client.status], [2, "{pi=b}", "open"]);
  }
});

Deno.test("client whose name another connection has tries again until that is gone", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  const { dial } = host;
  await using before = await connect({ dial, name: "pi", state: "before" });
  await using client = new Client({ dial, name: "pi", state: "after", reconnect: pauses.options });
  const errors: (string | undefined)[] = [];
  client.onStatus(({ error }) => errors.push(error?.code));
  await pauses.end();
  await pauses.begun();
  await before.close();
  await pauses.end();
  await client.connected;
  assertEquals([host.map, errors], ["{pi=after}", ["NAME_TAKEN", "NAME_TAKEN", undefined]]);
});

Deno.test("client whose name was taken meanwhile stays away for good when it has tried for long enough", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  const { dial } = host;
  const client = await connect({ dial, name: "pi", state: "a", takeover: true, reconnect: pauses.options });
  host.cut();
  await pauses.begun();
  await host.until((map) => map === "{}");
  await using _other = await connect({ dial, name: "pi", state: "b" });
  const begun = pauses.waits.length;
  let isOver = false;
  void client.finished.then(() => isOver = true);
  while (!isOver) await Promise.race([pauses.end(), client.finished]);
  assertEquals([client.status, client.error?.code], ["closed", "NAME_TAKEN"]);
  // Two and a half heartbeats, and five seconds.
  assertEquals(pauses.waits.slice(begun).reduce((sum, wait) => sum + wait, 0), 30_000);
  assertEquals(await codeOf(client.update("c")), "NAME_TAKEN");
  assertEquals(host.map, "{pi=b}");
});

Deno.test("client that loses its name to a takeover stays away", async () => {
  await using host = new MemoryHost();
  const options = { dial: host.dial, name: "pi", takeover: true, reconnect: { base: 0 } };
  const clients: Client[] = [];
  for (const state of ["a", "b", "c"]) clients.push(await connect({ ...options, state }));
  await clients[0]?.finished;
  await clients[1]?.finished;
  assertEquals(clients.map(({ status, error }) => [status, error?.code]), [
    ["closed", "TAKEN_OVER"],
    ["closed", "TAKEN_OVER"],
    ["open", undefined],
  ]);
  assertEquals([host.map, host.dials], ["{pi=c}", 3]);
  assertEquals(await codeOf(connect({ dial: host.dial, name: "pi" })), "NAME_TAKEN");
  assertEquals(host.dials, 4);
  await clients[2]?.close();
});

Deno.test("closing or aborting a client that is away rejects waiting calls", async () => {
  for (const end of ["close", "abort"] as const) {
    await using host = new MemoryHost();
    const pauses = new Pauses();
    const client = await connect({ dial: host.dial, state: "a", reconnect: pauses.options });
    host.cut();
    await pauses.begun();
    const call = codeOf(client.get());
    await client[end]();
    await client.finished;
    assertEquals([await call, client.status], ["CONNECTION_CLOSED", "closed"]);
    assertEquals(client.error?.code, end === "close" ? undefined : "CONNECTION_CLOSED");
    assertEquals(await codeOf(client.update("b")), "CONNECTION_CLOSED");
    assertEquals(host.dials, 1);
  }
});

Deno.test("all clients are back with their states after a server restart", async () => {
  const first = serve({ port: 0 });
  const { port } = first.addr;
  const clients = await Promise.all(Array.from({ length: 20 }, (_, number) => {
    return connect({ port, name: `pi-${number}`, state: `${number}`, reconnect: { base: 5, cap: 20 } });
  }));
  await first.shutdown();
  for (const client of clients) await reached(client, "reconnecting");
  clients[3]?.update("changed meanwhile");
  await using second = serve({ port });
  await Promise.all(clients.map((client) => client.ping()));
  const states = [...second.registry.entries()].map(({ id, state }) => `${id}=${textOf(state)}`);
  const expected = clients.map((_, number) => `pi-${number}=${number === 3 ? "changed meanwhile" : number}`);
  assertEquals(states.sort(), expected.sort());
  await Promise.all(clients.map((client) => client.close()));
  assertEquals(second.registry.size, 0);
});

Deno.test("client notices a server that vanished, and a silent client with a heartbeat stays live", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  const { dial } = host;
  await using client = await connect({ dial, name: "pi", state: "a", heartbeat: 1, reconnect: pauses.options });
  await using watch = client.watch();
  while ((await watch.next()).value?.kind !== "synced");
  const next = watch.next();
  host.mute();
  await using silent = await connect({ dial, name: "silent", state: "s", heartbeat: 1 });
  await pauses.begun(2);
  assertEquals([client.status, client.error?.code, silent.status], ["reconnecting", "TIMEOUT", "open"]);
  await pauses.end(2);
  await reached(client, "open");
  assertEquals((await next).value?.kind, "join");
  assertEquals(host.registry.get("silent")?.status, "live");
});

Deno.test("connections cut at random moments never lose the latest state", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const random = new Random(seed);
    await using host = new MemoryHost(seed);
    const reconnect = { base: 2, cap: 2, random: () => random.next() };
    const clients = await Promise.all(["a", "b", "c"].map((name) => connect({ dial: host.dial, name, reconnect })));
    const last = new Map<string, string>();
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 60; round++) {
      const client = random.pick(clients);
      const state = `${round}`.repeat(random.integer(1, 2_000));
      const act = random.pick(["update", "update", "update", "open", "get", "list", "ping", "cut", "lose", "yield"]);
      if (act === "cut" || act === "lose") host[act]();
      else if (act === "yield") await new Promise((resolve) => setTimeout(resolve, 0));
      else if (act === "get" || act === "list" || act === "ping") calls.push(client[act]());
      else calls.push(act === "open" ? client.open(state) : client.update(state));
      // Checked in the end; until then a rejection must not count as unhandled.
      calls.at(-1)?.catch(() => {});
      if (act === "update" || act === "open") last.set(client.id ?? "", state);
    }
    const codes = (await Promise.allSettled(calls)).flatMap((call) =>
      call.status === "rejected" ? [call.reason.code] : []
    );
    for (const code of codes) assert(["CONNECTION_FAILED", "CONNECTION_CLOSED"].includes(code), code);
    for (const client of clients) while (!await client.ping().then(() => true, () => false));
    const states = [...host.registry.entries()].map(({ id, state }): [string, string] => [id, textOf(state)]);
    assertEquals(new Map(states.sort()), new Map([...last].sort()), `seed ${seed}`);
    await Promise.all(clients.map((client) => client.close()));
  }
});
