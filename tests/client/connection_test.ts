import { assertEquals, assertRejects } from "@std/assert";
import {
  Connection,
  type ConnectionOptions,
  dial,
  DIALECTS,
  type Greeting,
  Registry,
  TrackerError,
  type WatchedEvent,
} from "../../mod.ts";
import { EventWriter, ListWriter } from "../../lib/wire/mod.ts";
import { AWKWARD_STATES } from "../fixtures/conversations.ts";
import { bytesOf, longLength, readExactly, writeFully } from "../support/bytes.ts";
import { createPair, type MemoryConnection } from "../support/memory.ts";
import { TcpBench } from "../support/tcp.ts";

/** A connection whose server is the test. */
class ClientBench implements AsyncDisposable {
  readonly client: Connection;
  readonly server: MemoryConnection;

  constructor(options: ConnectionOptions = {}, seed?: number) {
    const [client, server] = createPair(seed);
    this.client = new Connection(client, options);
    this.server = server;
  }

  async receive(...parts: Parameters<typeof bytesOf>): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.server, expected.length), expected);
  }

  async answer(...parts: Parameters<typeof bytesOf>): Promise<void> {
    await writeFully(this.server, bytesOf(...parts));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.abort();
    await this.client.finished;
    if (!this.server.closed) this.server.close();
  }
}

const GREETING: Greeting = {
  server: "tracker",
  version: "1",
  incarnation: "x",
  id: null,
  resume: null,
  heartbeat: 0,
  grace: 0,
  maxState: 10,
};

/** The answer to a Hello. */
function greetingReply(greeting: unknown = GREETING): Uint8Array {
  const json = JSON.stringify(greeting);
  return bytesOf(1, longLength(json.length), json);
}

/** A frame, as a server writes it. */
function frame(build: (builder: EventWriter) => void): Uint8Array {
  const builder = new EventWriter();
  build(builder);
  return builder.finish();
}

/** A connection to a server of this process, which opens if there is a state. */
async function connect(
  { port, state, ...options }: ConnectionOptions & { port: number; state?: string | Uint8Array },
): Promise<Connection> {
  const connection = new Connection(await dial("127.0.0.1", port, undefined, 10_000), options);
  if (state !== undefined) await connection.open(state);
  return connection;
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => run, TrackerError)).code;
}

Deno.test("a connection opens, updates, reads and closes in every dialect", async () => {
  for (const dialect of DIALECTS) {
    await using bench = new TcpBench();
    const client = await connect({ port: bench.port, dialect, state: "first" });
    assertEquals(client.dialect, dialect);
    assertEquals(bench.map, "{client1=first}");
    await client.update("second");
    assertEquals(await client.get(), bytesOf("{client1=second}"));
    assertEquals(await client.getText(), "{client1=second}");
    await client.open(bytesOf("third"));
    assertEquals(await client.getText(), "{client1=third}");
    await client.close();
    assertEquals(bench.map, "{}");
    assertEquals(client.error, null);
    await client.finished;
  }
});

Deno.test("a connection carries awkward states through Open and Update in every dialect", async () => {
  await using bench = new TcpBench();
  for (const dialect of DIALECTS) {
    for (const [name, state] of Object.entries(AWKWARD_STATES)) {
      if (dialect === "compact" && state.length > 255) continue;
      await using client = await connect({ port: bench.port, dialect, state });
      const [entry] = [...bench.registry.entries()];
      assertEquals(entry?.state, state, name);
      client.update("between");
      client.update(state);
      const map = await client.get();
      assertEquals(map.subarray(map.indexOf(61) + 1, -1), state, name);
    }
  }
});

Deno.test("a compact connection brings across even the one state that an Update cannot carry", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port, dialect: "compact", state: "x" });
  const awkward = bytesOf(254, "y".repeat(254));
  await client.update(awkward);
  assertEquals(await client.get(), bytesOf("{client1=", awkward, "}"));
  await client.update(bytesOf(3, "abc"));
  assertEquals(await client.get(), bytesOf("{client1=", 3, "abc}"));
  const { message } = await assertRejects(() => client.update("z".repeat(256)), TrackerError);
  assertEquals(message, "Cannot encode state: 256 bytes is above the compact dialect's limit of 255");
});

Deno.test("a compact connection reads a map that outgrew 255 bytes", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port, dialect: "compact", state: "x" });
  bench.registry.open("y".repeat(100_000), { id: "big" });
  assertEquals(await client.getText(), `{client1=x, big=${"y".repeat(100_000)}}`);
});

Deno.test("an observer reads the map without being in it", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port });
  assertEquals(await client.getText(), "{}");
  await client.update("now I am");
  assertEquals(await client.getText(), "{client1=now I am}");
});

Deno.test("calls that overlap are answered in order", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port });
  const calls: Promise<unknown>[] = [];
  for (let round = 0; round < 200; round++) {
    calls.push(client.open(`o${round}`), client.getText(), client.update(`u${round}`), client.getText());
  }
  const results = await Promise.all(calls);
  for (let round = 0; round < 200; round++) {
    assertEquals(results[round * 4 + 1], `{client1=o${round}}`);
    assertEquals(results[round * 4 + 3], `{client1=u${round}}`);
  }
});

Deno.test("updates of one turn go out in one write", async () => {
  let writes = 0;
  const [near, far] = createPair();
  const write = near.write.bind(near);
  near.write = (bytes) => {
    writes++;
    return write(bytes);
  };
  const client = new Connection(near);
  for (let round = 0; round < 500; round++) client.update("x");
  await client.update("y");
  assertEquals(writes, 1);
  const sent = await readExactly(far, 501 * 11);
  assertEquals(sent.subarray(-11), bytesOf(42, 2, longLength(1), "y"));
  client.abort();
  await client.finished;
  far.close();
});

Deno.test("replies are understood however they are cut", async () => {
  for (let seed = 0; seed < 30; seed++) {
    await using bench = new ClientBench({}, seed);
    const calls = [bench.client.open("a"), bench.client.getText(), bench.client.getText(), bench.client.getText()];
    const long = `{a=${"x".repeat(20_000)}}`;
    const answering = bench.answer(1, 2, "{}", longLength(long.length), long, 5, "{a=b}");
    assertEquals(await Promise.all(calls), [undefined, "{}", long, "{a=b}"]);
    await answering;
  }
});

Deno.test("an error reply rejects what waits, with the server's code and reason", async () => {
  await using bench = new ClientBench();
  const calls = [codeOf(bench.client.open("a")), codeOf(bench.client.get())];
  await bench.answer(0, 12, "BAD_TYPE: no");
  assertEquals(await Promise.all(calls), ["BAD_TYPE", "BAD_TYPE"]);
  await bench.client.finished;
  assertEquals([bench.client.error?.code, bench.client.error?.message], ["BAD_TYPE", "no"]);
  assertEquals(await codeOf(bench.client.get()), "BAD_TYPE");
  await bench.client.close();
});

Deno.test("an error that nobody asked for ends the client and is kept", async () => {
  await using bench = new ClientBench();
  await bench.answer(0, 18, "SHUTTING_DOWN: bye");
  await bench.client.finished;
  assertEquals(bench.client.error?.code, "SHUTTING_DOWN");
  assertEquals(await codeOf(bench.client.update("x")), "SHUTTING_DOWN");
});

Deno.test("bytes that are no reply end the client", async () => {
  for (const answer of [bytesOf(7), bytesOf("HTTP/1.1 400 Bad Request\r\n"), bytesOf(0, 0, 9)]) {
    await using bench = new ClientBench();
    const call = codeOf(bench.client.open("a"));
    await bench.answer(answer);
    assertEquals(await call, "BAD_REPLY");
  }
});

Deno.test("a map above the client's limit is refused from its length alone", async () => {
  await using bench = new ClientBench({ maxMap: 1_000 });
  const call = codeOf(bench.client.get());
  await bench.answer(longLength(2n ** 40n));
  assertEquals(await call, "REPLY_TOO_LARGE");
});

Deno.test("a connection that ends rejects what waits", async () => {
  for (const end of ["close", "reset"] as const) {
    await using bench = new ClientBench();
    const calls = [codeOf(bench.client.open("a")), codeOf(bench.client.get())];
    await bench.receive(42, 0, longLength(1), "a", 42, 3);
    bench.server[end]();
    const expected = end === "close" ? "CONNECTION_CLOSED" : "CONNECTION_FAILED";
    assertEquals(await Promise.all(calls), [expected, expected]);
    assertEquals(await codeOf(bench.client.update("x")), expected);
  }
});

Deno.test("an Update nobody waits for is no unhandled rejection when the connection breaks", async () => {
  await using bench = new ClientBench();
  bench.client.update("a");
  bench.server.reset();
  bench.client.update("b");
  await bench.client.finished;
  bench.client.update("c");
});

Deno.test("a call gives up in time, and those behind it still get their own replies", async () => {
  await using bench = new ClientBench({ timeout: 10_000 });
  const [early, late] = [codeOf(bench.client.getText({ timeout: 20 })), bench.client.getText()];
  assertEquals(await early, "TIMEOUT");
  await bench.answer(5, "{a=1}", 5, "{a=2}");
  assertEquals(await late, "{a=2}");
});

Deno.test("every call can be aborted, before and while it waits", async () => {
  await using bench = new ClientBench();
  const reason = new Error("enough");
  const calls = [
    (signal: AbortSignal) => bench.client.open("a", { signal }),
    (signal: AbortSignal) => bench.client.get({ signal }),
    (signal: AbortSignal) => bench.client.getText({ signal }),
  ];
  for (const call of calls) {
    const controller = new AbortController();
    const waiting = assertRejects(() => call(controller.signal), TrackerError);
    controller.abort(reason);
    const error = await waiting;
    assertEquals([error.code, error.cause], ["ABORTED", reason]);
    assertEquals(await codeOf(call(AbortSignal.abort(reason))), "ABORTED");
  }
  assertEquals(await codeOf(bench.client.update("a", { signal: AbortSignal.abort(reason) })), "ABORTED");
  const closing = new AbortController();
  const closed = codeOf(bench.client.close({ signal: closing.signal }));
  closing.abort();
  assertEquals(await closed, "ABORTED");
  await bench.client.finished;
});

Deno.test("an Update to a server that does not read gives up in time", async () => {
  await using bench = new ClientBench({ timeout: 20 });
  assertEquals(await codeOf(bench.client.update("x".repeat(100_000))), "TIMEOUT");
  assertEquals(await codeOf(bench.client.update("x", { timeout: 5 })), "TIMEOUT");
});

Deno.test("a client holds only so much for a server that does not read", async () => {
  await using bench = new ClientBench();
  const megabyte = "x".repeat(2 ** 20);
  for (let round = 0; round < 16; round++) bench.client.update(megabyte);
  assertEquals(await codeOf(bench.client.update(megabyte)), "BUFFER_FULL");
});

Deno.test("a client with a full buffer can still be closed, and says that it was not in order", async () => {
  await using bench = new ClientBench({ timeout: 30 });
  const megabyte = "x".repeat(2 ** 20);
  for (let round = 0; round < 16; round++) bench.client.update(megabyte);
  assertEquals(await codeOf(bench.client.close()), "TIMEOUT");
  await bench.client.finished;
  assertEquals(bench.client.error?.code, "CONNECTION_CLOSED");
});

Deno.test("a server that refuses while the client still writes is heard", async () => {
  await using bench = new TcpBench({ maxState: 1_000 });
  await using client = await connect({ port: bench.port });
  const updates = Array.from({ length: 50 }, () => client.update("x".repeat(100_000)));
  await client.finished;
  await Promise.allSettled(updates);
  assertEquals(client.error?.code, "STATE_TOO_LARGE");
});

Deno.test("close is safe to repeat, and nothing can be sent behind it", async () => {
  await using bench = new TcpBench();
  const client = await connect({ port: bench.port, state: "a" });
  const closing = client.close();
  assertEquals(client.close(), closing);
  assertEquals(await codeOf(client.update("late")), "CONNECTION_CLOSED");
  await closing;
  await client.close();
  client.abort();
  assertEquals(await codeOf(client.get()), "CONNECTION_CLOSED");
});

Deno.test("close is bounded in time by a server that does not answer", async () => {
  await using bench = new ClientBench({ timeout: 20 });
  assertEquals(await codeOf(bench.client.close()), "TIMEOUT");
  await bench.client.finished;
});

Deno.test("a client that reads text keeps a byte order mark and marks what is no text", async () => {
  await using bench = new TcpBench();
  await using client = await connect({ port: bench.port, state: bytesOf(0xef, 0xbb, 0xbf, 0xff) });
  assertEquals(await client.getText(), "{client1=\ufeff\ufffd}");
});

Deno.test("a Hello must come first, and what needs it says so", async () => {
  await using bench = new ClientBench();
  for (const call of [() => bench.client.list(), () => bench.client.ping(), () => bench.client.watch({}, () => {})]) {
    assertEquals(await codeOf(call()), "BAD_ARGUMENT");
  }
  bench.client.update("x");
  assertEquals(await codeOf(bench.client.hello()), "BAD_ARGUMENT");
  await using java = new ClientBench({ dialect: "java" });
  assertEquals(await codeOf(java.client.hello()), "BAD_ARGUMENT");
  await using long = new ClientBench();
  assertEquals(await codeOf(long.client.hello({ token: "x".repeat(4_096) })), "BAD_ARGUMENT");
});

Deno.test("a Hello, a List and a Ping are sent and answered in order with everything else", async () => {
  await using bench = new ClientBench();
  const { client } = bench;
  const calls = [
    client.hello({ name: "pi" }),
    client.open("a"),
    client.list({ prefix: "p" }),
    client.ping(),
    client.get(),
  ];
  const hello = '{"name":"pi"}';
  const list = '{"prefix":"p"}';
  await bench.receive(
    42,
    4,
    longLength(13),
    hello,
    42,
    0,
    longLength(1),
    "a",
    42,
    6,
    longLength(14),
    list,
    42,
    7,
    42,
    3,
  );
  const registry = new Registry({ now: () => 7 });
  registry.open("a", { id: "pi" });
  const builder = new ListWriter();
  builder.begin(registry.revision);
  for (const entry of registry.entries()) builder.record(entry);
  await bench.answer(greetingReply(), 1, builder.finish(), 1, longLength(6), "{pi=a}");
  const [greeting, opened, listed, took, map] = await Promise.all(calls);
  const records = [{ id: "pi", status: "live", revision: 1, openedAt: 7, updatedAt: 7, state: bytesOf("a") }];
  assertEquals([greeting, opened, listed, map], [GREETING, undefined, { revision: 1, records }, bytesOf("{pi=a}")]);
  assertEquals(typeof took, "number");
});

Deno.test("a greeting, list or frame that makes no sense ends the connection", async () => {
  const nonsense: [(client: Connection) => Promise<unknown>, Uint8Array][] = [
    [(client) => client.hello(), greetingReply([])],
    [(client) => client.hello(), greetingReply({ ...GREETING, maxState: "many" })],
    [(client) => client.hello().then(() => client.list()), bytesOf(greetingReply(), longLength(9), "123456789")],
    [(client) => client.hello().then(() => client.list()), bytesOf(greetingReply(), longLength(7), "1234567")],
    [(client) => client.hello().then(() => client.ping()), bytesOf(greetingReply(), 7)],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, longLength(3), "abc")],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, 1)],
    [(client) => watchFor(client, 1), bytesOf(greetingReply(), 1, longLength(11), 99, longLength(1), 0, 0)],
  ];
  for (const [call, answer] of nonsense) {
    await using bench = new ClientBench();
    const failing = codeOf(call(bench.client));
    await bench.answer(answer);
    assertEquals(await failing, "BAD_REPLY");
    await bench.client.finished;
    assertEquals(bench.client.error?.code, "BAD_REPLY");
  }
});

/** Watches until there are so many events, or the connection has ended. */
async function watchFor(client: Connection, count: number): Promise<WatchedEvent[]> {
  const events: WatchedEvent[] = [];
  const enough = Promise.withResolvers<void>();
  client.hello().catch(() => {});
  await client.watch({}, (more) => {
    events.push(...more);
    if (events.length >= count) enough.resolve();
  });
  await Promise.race([enough.promise, client.finished]);
  if (client.error !== null) throw client.error;
  return events;
}

Deno.test("frames are understood however they are cut, pongs and the answer to a Close among them", async () => {
  const registry = new Registry();
  const entry = registry.open("x".repeat(5_000), { id: "pi" });
  for (let seed = 0; seed < 20; seed++) {
    await using bench = new ClientBench({}, seed);
    const watching = watchFor(bench.client, 4);
    const answering = bench.answer(
      greetingReply(),
      1,
      frame((builder) => {
        builder.present(entry);
        builder.synced(1, "abc");
        builder.pong(1);
      }),
      frame((builder) => builder.pong(1)),
      frame((builder) => {
        builder.state("update", 2, entry);
        builder.leave(3, "pi", "kicked");
      }),
    );
    const events = await watching;
    await answering;
    assertEquals(events.map(({ kind, revision }) => [kind, revision]), [
      ["present", 1],
      ["synced", 1],
      ["update", 2],
      ["leave", 3],
    ]);
    const ping = bench.client.ping();
    const closing = bench.client.close();
    await bench.answer(frame((builder) => builder.pong(3)), frame((builder) => builder.status("suspect", 4, entry)), 1);
    assertEquals(typeof await ping, "number");
    await closing;
    assertEquals([bench.client.error, events.length], [null, 4]);
  }
});

Deno.test("a connection that watches takes Updates and Pings, and says what it does not take", async () => {
  await using bench = new ClientBench();
  const watching = watchFor(bench.client, 1);
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await watching;
  assertEquals(await codeOf(bench.client.get()), "BAD_ARGUMENT");
  assertEquals(await codeOf(bench.client.open("a")), "BAD_ARGUMENT");
  assertEquals(await codeOf(bench.client.watch({}, () => {})), "BAD_ARGUMENT");
  await bench.client.update("a");
  assertEquals(await codeOf(bench.client.ping({ timeout: 10 })), "TIMEOUT");
  assertEquals(await codeOf(bench.client.ping({ signal: AbortSignal.abort() })), "ABORTED");
  assertEquals(bench.client.error, null);
});

Deno.test("whoever takes events holds the server up for as long as it takes", async () => {
  const registry = new Registry();
  const entry = registry.open("x".repeat(10_000), { id: "pi" });
  await using bench = new ClientBench();
  const { client } = bench;
  client.hello();
  let taken = 0;
  let proceed = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const watching = client.watch({}, (events) => {
    taken += events.length;
    arrived.resolve();
    return proceed.promise;
  });
  const updates = Array.from({ length: 100 }, (_, at) => frame((builder) => builder.state("update", at + 2, entry)));
  let written = 0;
  const writing = (async () => {
    await bench.answer(greetingReply(), 1);
    for (const update of updates) {
      await bench.answer(update);
      written++;
    }
  })();
  await watching;
  await arrived.promise;
  await client.update("not held up");
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setTimeout(resolve, 0));
  const before = performance.now();
  assertEquals([taken, written < 10, client.heardAt >= before], [1, true, true]);
  proceed.resolve();
  proceed = { ...proceed, promise: Promise.resolve() };
  await writing;
  await client.update("let through");
  while (taken < 100) await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(taken, 100);
});

Deno.test("a connection whose events nobody takes can be closed, aborted and broken", async () => {
  for (const end of ["close", "abort"] as const) {
    await using bench = new ClientBench();
    const { client } = bench;
    client.hello();
    const arrived = Promise.withResolvers<void>();
    const watching = client.watch({}, () => {
      arrived.resolve();
      return new Promise(() => {});
    });
    await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
    await watching;
    await arrived.promise;
    const ended = client[end]();
    if (end === "close") await bench.answer(frame((builder) => builder.leave(2, "pi", "close")), 1);
    await ended;
    await client.finished;
    assertEquals(client.error?.code, end === "close" ? undefined : "CONNECTION_CLOSED");
  }
  await using inside = new ClientBench();
  inside.client.hello();
  const aborting = inside.client.watch({}, () => {
    inside.client.abort();
    return new Promise(() => {});
  });
  await inside.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await aborting;
  await inside.client.finished;

  await using bench = new ClientBench();
  bench.client.hello();
  const watching = bench.client.watch({}, () => Promise.reject(new Error("no more")));
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")));
  await watching;
  await bench.client.finished;
  assertEquals(bench.client.error?.message, "Connection lost: no more");
});

Deno.test("an error that a server says on a connection that watches ends it with that", async () => {
  await using bench = new ClientBench();
  const watching = watchFor(bench.client, 2);
  const code = codeOf(watching);
  await bench.answer(greetingReply(), 1, frame((builder) => builder.synced(1, "abc")), 0, 17, "SLOW_CONSUMER: no");
  assertEquals(await code, "SLOW_CONSUMER");
});

Deno.test("a frame above the limit is refused from its length alone", async () => {
  await using bench = new ClientBench({ maxMap: 1_000 });
  const code = codeOf(watchFor(bench.client, 1));
  await bench.answer(greetingReply(), 1, longLength(1_001));
  assertEquals(await code, "REPLY_TOO_LARGE");
});
