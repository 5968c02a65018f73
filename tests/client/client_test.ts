import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { Client, type ClientStatus, connect, type ConnectOptions, serve, TrackerError } from "../../mod.ts";
import { bytesOf, longLength, readExactly, textOf, writeFully } from "../support/bytes.ts";
import { MemoryHost } from "../support/host.ts";
import { createPair } from "../support/memory.ts";
import { Pauses } from "../support/pauses.ts";
import { Random } from "../support/random.ts";
import { TcpBench } from "../support/tcp.ts";

async function codeOf(run: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => run, TrackerError)).code;
}

/** Waits until a client has a status. */
async function reached(client: Client, wanted: ClientStatus): Promise<void> {
  if (client.status === wanted) return;
  await new Promise<void>((resolve) => {
    const stop = client.onStatus(({ status }) => {
      if (status !== wanted) return;
      stop();
      resolve();
    });
  });
}

/** Every state that a server is told, in order. */
function statesOf(host: MemoryHost): string[] {
  const states: string[] = [];
  host.registry.subscribe(({ kind, entry }) => {
    if (kind === "join" || kind === "update") states.push(textOf(entry.state));
  });
  return states;
}
Deno.test("an undisposed connection is closed by await using, whatever state it is in", async () => {
  await using bench = new TcpBench();
  {
    await using client = await connect({ port: bench.port, state: "a" });
    client.abort();
  }
  await bench.until((map) => map === "{}");
});

Deno.test("connecting fails with a code and a reason", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  const refused = await assertRejects(() => connect({ port }), TrackerError);
  assertEquals(refused.code, "CONNECTION_REFUSED");
  assertEquals(refused.message, `Cannot connect to 127.0.0.1:${port}: nothing listens there`);
  assertInstanceOf(refused.cause, Deno.errors.ConnectionRefused);
  assertEquals(await codeOf(connect({ port, signal: AbortSignal.abort() })), "ABORTED");
  assertEquals(await codeOf(connect({ hostname: "no such host", port })), "CONNECTION_FAILED");
});

Deno.test("connecting gives up on a server that accepts and says nothing", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  assertEquals(await codeOf(connect({ port, state: "a", timeout: 30 })), "TIMEOUT");
  const controller = new AbortController();
  const waiting = codeOf(connect({ port, state: "a", signal: controller.signal }));
  const first = await listener.accept();
  const second = await listener.accept();
  controller.abort();
  assertEquals(await waiting, "ABORTED");
  first.close();
  second.close();
});

Deno.test("connecting gives up in time when the system gets no answer", async () => {
  const { connect: dial } = Deno;
  Deno.connect = ((options: Deno.ConnectOptions) =>
    new Promise<Deno.TcpConn>((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason));
    })) as typeof Deno.connect;
  try {
    const error = await assertRejects(() => connect({ port: 6789, timeout: 20 }), TrackerError);
    assertEquals(error.code, "TIMEOUT");
    assertEquals(error.message, "Cannot connect to 127.0.0.1:6789: no answer within 20 ms");
    const controller = new AbortController();
    const waiting = codeOf(connect({ hostname: "::1", signal: controller.signal }));
    controller.abort();
    assertEquals(await waiting, "ABORTED");
  } finally {
    Deno.connect = dial;
  }
});

Deno.test({
  name: "connecting without Deno's permission is refused with a code",
  permissions: { net: false },
  async fn() {
    assertEquals(await codeOf(connect({ port: 1 })), "PERMISSION_DENIED");
  },
});

Deno.test("Hello and Open go out together, before anything is answered", async () => {
  const [near, far] = createPair();
  const connecting = connect({ dial: () => Promise.resolve(near), name: "pi-7", grace: 5, state: "on" });
  const hello = JSON.stringify({ name: "pi-7", grace: 5 });
  const expected = bytesOf(42, 4, longLength(hello.length), hello, 42, 0, longLength(2), "on");
  assertEquals(await readExactly(far, expected.length), expected);
  const greeting = {
    server: "tracker",
    version: "1",
    incarnation: "x",
    id: "pi-7",
    resume: "key",
    heartbeat: 0,
    grace: 5,
    maxState: 10,
  };
  const json = JSON.stringify(greeting);
  await writeFully(far, bytesOf(1, longLength(json.length), json, 1));
  const client = await connecting;
  assertEquals([client.id, client.status, client.greeting], ["pi-7", "open", greeting]);
  client.abort();
  await client.finished;
  far.close();
});

Deno.test("without a Hello there are no extensions, and a client says so", async () => {
  await using bench = new TcpBench();
  for (const options of [{ hello: false }, { dialect: "compact" }, { dialect: "java" }] as ConnectOptions[]) {
    await using client = await connect({ port: bench.port, state: "a", ...options });
    assertEquals([client.id, client.greeting], [null, null]);
    assertEquals(await codeOf(client.list()), "BAD_ARGUMENT");
    assertEquals(await codeOf(client.ping()), "BAD_ARGUMENT");
    assertEquals(await codeOf(client.watch().next()), "BAD_ARGUMENT");
    const mirror = client.mirror();
    assertEquals(await codeOf(mirror.synced), "BAD_ARGUMENT");
    assertEquals(mirror.error?.code, "BAD_ARGUMENT");
    assertEquals(await codeOf(connect({ port: bench.port, name: "pi", ...options })), "BAD_ARGUMENT");
    assertEquals(await codeOf(connect({ port: bench.port, heartbeat: 5, ...options })), "BAD_ARGUMENT");
  }
});

Deno.test("options that make no sense are refused before anything is sent", async () => {
  await using host = new MemoryHost();
  const { dial } = host;
  assertEquals(await codeOf(connect({ dial, dialect: "java", hello: true })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, heartbeat: 0.5 })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, heartbeat: 3_601 })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, reconnect: { base: -1 } })), "BAD_ARGUMENT");
  assertEquals(host.dials, 0);
});

Deno.test("a named client has its name, lists the others and pings", async () => {
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

Deno.test("a state that the server would refuse is refused here, and the client goes on", async () => {
  await using bench = new TcpBench({ maxState: 4 });
  await using client = await connect({ port: bench.port, state: "abcd" });
  const { code, message } = await assertRejects(() => client.update("abcde"), TrackerError);
  assertEquals([code, message], ["STATE_TOO_LARGE", "Cannot update: 5 bytes is above the server's limit of 4"]);
  assertEquals(await codeOf(client.open("abcde")), "STATE_TOO_LARGE");
  await client.update("dcba");
  assertEquals(await client.getText(), "{client1=dcba}");
});

Deno.test("without reconnect a client ends with its connection", async () => {
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

Deno.test("a client that was cut off comes back with its name and state, and says how it is", async () => {
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

Deno.test("a numbered client comes back too, in every dialect; an observer stays one", async () => {
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

Deno.test("of the states reported while away the last one is sent, and no other", async () => {
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

Deno.test("a state reported while the server is greeted comes after the one it was greeted with", async () => {
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

Deno.test("calls that need an answer wait for the connection, within their own limits", async () => {
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
  // The opening that nobody waits for any more was sent all the same.
  assertEquals(await Promise.all(calls), ["{client2=b}", 1, "pong"]);
});

Deno.test("a call on its way when the connection breaks rejects, an Update is kept", async () => {
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
  // Also when not even the system could take it, and nobody has noticed yet.
  host.lose();
  const late = [client.update("e"), client.update("f"), client.update("g", { timeout: 5_000 })];
  await Promise.all(late);
  await pauses.end();
  assertEquals(await client.getText(), "{pi=g}");
});

Deno.test("a call that has waited for the connection has only the rest of its time for the answer", async () => {
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

Deno.test("a client that is being ended does not say that it comes back", async () => {
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

Deno.test("a client that was stopped while it connected does not connect after all", async () => {
  for (const end of ["signal", "abort", "close"] as const) {
    await using host = new MemoryHost();
    const controller = new AbortController();
    const client: Client = new Client({
      dial: async (...parts) => {
        await Promise.resolve();
        if (end === "signal") controller.abort();
        else client[end]();
        return await host.dial(...parts);
      },
      hello: false,
      signal: controller.signal,
    });
    await client.finished;
    const codes = { signal: "ABORTED", abort: "CONNECTION_CLOSED", close: undefined };
    assertEquals([client.status, client.error?.code], ["closed", codes[end]]);
  }
});

Deno.test("a client whose old connection the server still holds takes its name back, and nobody sees it leave", async () => {
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

Deno.test("a client whose name is another's by now stays away for good", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  const { dial } = host;
  const client = await connect({ dial, name: "pi", state: "a", takeover: true, reconnect: pauses.options });
  host.cut();
  await pauses.begun();
  await host.until((map) => map === "{}");
  await using _other = await connect({ dial, name: "pi", state: "b" });
  await pauses.end();
  await client.finished;
  assertEquals([client.status, client.error?.code, host.dials], ["closed", "NAME_TAKEN", 3]);
  assertEquals(await codeOf(client.update("c")), "NAME_TAKEN");
  assertEquals(host.map, "{pi=b}");
});

Deno.test("of two clients that fight over a name the loser stays away", async () => {
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
  assertEquals(await codeOf(connect({ ...options, takeover: false })), "NAME_TAKEN");
  assertEquals(host.dials, 4);
  await clients[2]?.close();
});

Deno.test("connecting is tried again until the server is up, or the time is", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  host.isDown = true;
  const connecting = connect({ dial: host.dial, state: "a", reconnect: pauses.options });
  for (let round = 0; round < 3; round++) {
    await pauses.end();
  }
  await pauses.begun();
  host.isDown = false;
  await pauses.end();
  await using client = await connecting;
  assertEquals([client.status, host.map, host.dials], ["open", "{client1=a}", 5]);
  assertEquals(pauses.waits, [50, 100, 200, 200]);

  host.isDown = true;
  const late = connect({ dial: host.dial, reconnect: new Pauses().options, timeout: 20 });
  assertEquals(await codeOf(late), "CONNECTION_REFUSED");
  const few = connect({ dial: host.dial, reconnect: { base: 0, attempts: 3 } });
  assertEquals([await codeOf(few), host.dials], ["CONNECTION_REFUSED", 10]);
});

Deno.test("connecting can be stopped while it waits to try again", async () => {
  await using host = new MemoryHost();
  host.isDown = true;
  const pauses = new Pauses();
  const controller = new AbortController();
  const connecting = codeOf(connect({ dial: host.dial, reconnect: pauses.options, signal: controller.signal }));
  await pauses.begun();
  controller.abort();
  assertEquals(await connecting, "ABORTED");
});

Deno.test("the signal of the connecting does not end a client that is connected", async () => {
  await using host = new MemoryHost();
  const pauses = new Pauses();
  const controller = new AbortController();
  const { signal } = controller;
  await using client = await connect({ dial: host.dial, state: "a", reconnect: pauses.options, signal });
  controller.abort();
  host.cut();
  await pauses.end();
  assertEquals(await client.getText(), "{client2=a}");
});

Deno.test("a client that is away can be closed and aborted, which ends all that waits", async () => {
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

Deno.test("a client made with new connects by itself, and keeps what it is told until then", async () => {
  await using host = new MemoryHost();
  await using client = new Client({ dial: host.dial, name: "pi" });
  assertEquals(client.status, "connecting");
  await client.update("a");
  await client.update("b");
  assertEquals(await client.getText(), "{pi=b}");
  host.isDown = true;
  const failing = new Client({ dial: host.dial });
  await failing.finished;
  assertEquals(await codeOf(failing.connected), "CONNECTION_REFUSED");
});

Deno.test("a listener that was taken back hears nothing more", async () => {
  await using host = new MemoryHost();
  const client = new Client({ dial: host.dial });
  const seen: string[] = [];
  const stop = client.onStatus(({ status }) => seen.push(status));
  await client.connected;
  stop();
  await client.close();
  assertEquals(seen, ["open"]);
});

Deno.test("closing says Close, and a client that is closed does not come back", async () => {
  await using host = new MemoryHost();
  const causes: unknown[] = [];
  host.registry.subscribe(({ kind, cause }) => kind === "leave" && causes.push(cause));
  const client = await connect({ dial: host.dial, name: "pi", grace: 60, state: "a", reconnect: true });
  await client.close();
  assertEquals([causes, client.status, client.error, host.dials], [["close"], "closed", null, 1]);
});

Deno.test("all clients of a server that starts again are there again, each with its state", async () => {
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

Deno.test("a server that vanishes without a word is noticed, and one that is there does not miss a silent client", async () => {
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

Deno.test("connections that are cut at any moment lose no last state", async () => {
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
      // Looked at in the end; until then a rejection is nobody's.
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
