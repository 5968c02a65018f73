import { assert, assertEquals, assertThrows } from "@std/assert";
import { connect, serve, type ServeOptions, type ServerEvent, TrackerError } from "../../mod.ts";
import { delay } from "../../lib/base/async.ts";
import { CONVERSATIONS } from "../fixtures/conversations.ts";
import { bytesOf, everyDelivery, longLength, readExactly, readToEnd, textOf } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("server answers every conversation over TCP, however its input is split", async () => {
  for (const { name, sent, replies, map } of CONVERSATIONS) {
    for (const delivery of everyDelivery(sent)) {
      await using bench = new TcpBench();
      const client = await bench.dial();
      for (const part of delivery) await client.send(part);
      assertEquals(await readExactly(client.connection, replies.length), replies, name);
      await bench.until((now) => now === map);
    }
  }
});

Deno.test("clients of all dialects share one map", async () => {
  await using bench = new TcpBench();
  const [compact, wide, java] = [await bench.dial(), await bench.dial(), await bench.dial()];
  await compact.send(42, 0, 1, "c");
  await compact.expect(1);
  await wide.send(42, 0, longLength(1), "w");
  await wide.expect(1);
  await java.send(66, 1, 0, longLength(1), "j");
  await java.expect(1);
  const map = "{client1=c, client2=w, client3=j}";
  await compact.send(42, 3);
  await compact.expect(map.length, map);
  await wide.send(42, 3);
  await wide.expect(longLength(map.length), map);
  await java.send(66, 1, 3);
  await java.expect(longLength(map.length), map);
});

Deno.test("each protocol violation gets its own error, and affects no other client", async () => {
  const violations: [string, string, Parameters<typeof bytesOf>][] = [
    ["BAD_MAGIC", "Cannot parse message: it begins with 71, not 42 or 66", ["GET / HTTP/1.1\r\nHost: x\r\n\r\n"]],
    ["BAD_MAGIC", "Cannot parse message: it begins with 0, not 42", [42, 0, 1, "a", 0, new Uint8Array(5_000)]],
    ["BAD_VERSION", "Cannot parse message: its version is 9, not 1", [66, 9, 0]],
    ["BAD_TYPE", "Cannot parse message: there is no type 13", [42, 13, longLength(2), "{}"]],
    ["BAD_HELLO", "Cannot parse Hello: its payload is not JSON in UTF-8", [42, 4, longLength(2), "{'"]],
    ["BAD_TYPE", "Cannot parse message: there is no type 255", [66, 1, 255]],
    [
      "STATE_TOO_LARGE",
      "Cannot parse state length: 9007199254740992 is above the limit of 65536",
      [42, 0, longLength(2n ** 53n)],
    ],
    [
      "STATE_TOO_LARGE",
      "Cannot parse state length: 18446744073709551615 is above the limit of 65536",
      [66, 1, 0, longLength(2n ** 64n - 1n), new Uint8Array(5_000)],
    ],
    ["TIMEOUT", "Cannot keep connection: a message was not complete 50 ms after it began", [42, 0, 9, "abc"]],
  ];
  await using bench = new TcpBench({ messageTimeout: 50 });
  const witness = await bench.dial();
  await witness.send(42, 0, 1, "w");
  await witness.expect(1);
  const before = bench.map;
  for (const [code, reason, sent] of violations) {
    const client = await bench.dial();
    // An Open settles the wide dialect first: the leading 0 of 2^53 alone could be a compact length.
    if (code === "STATE_TOO_LARGE" && sent[0] === 42) {
      await client.send(42, 0, longLength(1), "a");
      await client.expect(1);
    }
    await client.send(...sent);
    const opened = code === "BAD_MAGIC" && sent[0] === 42;
    if (opened) await client.expect(1);
    await client.expectError(code, reason);
    assertEquals(bench.map, before, code);
    client.close();
  }
  await witness.send(42, 3);
  await witness.expect(before.length, before);
});

Deno.test("a connection above the limit is refused with an error, and one that ends makes room", async () => {
  await using bench = new TcpBench({ maxClients: 2 });
  const [first, second] = [await bench.dial(), await bench.dial()];
  await first.send(42, 0, 1, "a");
  await first.expect(1);
  await second.send(42, 0, 1, "b");
  await second.expect(1);
  const third = await bench.dial();
  await third.send(42, 0, 1, "c");
  await third.expectError("TOO_MANY_CLIENTS", "Cannot accept connection: the limit of 2 is reached");
  assertEquals(bench.map, "{client1=a, client2=b}");
  await first.send(42, 1);
  assertEquals(await readToEnd(first.connection), bytesOf(1));
  first.close();
  for (let attempt = 0;; attempt++) {
    assert(attempt < 100);
    const fourth = await bench.dial();
    await fourth.send(42, 0, 1, "d");
    if ((await readExactly(fourth.connection, 1))[0] === 1) break;
  }
  assert(bench.map.startsWith("{client2=b, client"));
});

Deno.test("a flood of connections above the limit leaves the server as it was", async () => {
  await using bench = new TcpBench({ maxClients: 1 });
  const holder = await bench.dial();
  await holder.send(42, 0, 1, "a");
  await holder.expect(1);
  const flood = await Promise.all(Array.from({ length: 400 }, () => bench.dial()));
  const replies = await Promise.all(flood.map(({ connection }) => readToEnd(connection).catch(() => bytesOf())));
  const told = replies.filter((reply) => textOf(reply).includes("TOO_MANY_CLIENTS")).length;
  assert(told >= 256, `${told} were refused with an error`);
  for (const client of flood) client.close();
  await holder.send(42, 3);
  await holder.expect(11, "{client1=a}");
});

Deno.test("a client that dies without a Close is removed at once", async () => {
  await using bench = new TcpBench();
  const client = await bench.dial();
  await client.send(42, 0, 1, "a");
  await client.expect(1);
  assertEquals(bench.map, "{client1=a}");
  client.close();
  await bench.until((map) => map === "{}");
});

Deno.test("shutdown tells every client, ends every connection, and can be repeated", async () => {
  const events: ServerEvent[] = [];
  const bench = new TcpBench({ onEvent: (event) => events.push(event) });
  const [open, observer] = [await bench.dial(), await bench.dial()];
  await open.send(42, 0, 1, "a");
  await open.expect(1);
  await observer.send(42, 3);
  await observer.expect(11, "{client1=a}");
  const { server } = bench;
  const ending = server.shutdown();
  assertEquals(server.shutdown(), ending);
  assertEquals(server.registry.size, 0);
  const reason = "Cannot keep connection: the server is being stopped";
  await Promise.all([open.expectError("SHUTTING_DOWN", reason), observer.expectError("SHUTTING_DOWN", reason)]);
  open.close();
  observer.close();
  await ending;
  await server.finished;
  await bench[Symbol.asyncDispose]();
  const leave = events.find(({ kind }) => kind === "leave");
  assert(leave?.kind === "leave" && leave.cause === "shutdown" && leave.peer.hostname === "127.0.0.1");
  await Deno.connect({ port: bench.port }).then(() => assert(false), (error) => {
    assert(error instanceof Deno.errors.ConnectionRefused);
  });
});

Deno.test("a listener to events or changes may shut the server down between a client's messages", async () => {
  const batches = [bytesOf(42, 0, 1, "a", 42, 1), bytesOf(42, 0, 1, "a", 42, 2, 1, "b", 42, 3), bytesOf(42, 2, 1, "a")];
  for (const sent of batches) {
    for (const timeout of [0, 5_000]) {
      for (const way of ["event", "change"] as const) {
        let ending: Promise<void> | undefined;
        const end = () => ending ??= bench.server.shutdown({ timeout });
        await using bench: TcpBench = new TcpBench(way === "event" ? { onEvent: end } : {});
        if (way === "change") bench.registry.subscribe(end);
        const client = await bench.dial();
        await client.send(sent);
        const replies = textOf(await readToEnd(client.connection).catch(() => bytesOf()));
        client.close();
        await bench.server.finished;
        assertEquals(bench.map, "{}");
        if (timeout !== 0) assertEquals(replies.indexOf("SHUTTING_DOWN"), 2, JSON.stringify(replies));
      }
    }
  }
});

Deno.test("a stall of the server does not count as silence of its clients", async () => {
  await using bench = new TcpBench({ messageTimeout: 300, idleTimeout: 300 });
  const [slow, undecided] = [await bench.dial(), await bench.dial()];
  await slow.send(42, 0, 3, "a");
  await undecided.send(42, 0, 0);
  await bench.dial().then((other) => other.send(42, 3).then(() => other.expect(2, "{}")));
  // The bytes that complete the messages arrive in time, but the server cannot read them while it stands still.
  const completing = Promise.all([slow.send("bc"), undecided.send(0, 0, 0, 0, 0, 0, 1, "x")]);
  const until = performance.now() + 700;
  while (performance.now() < until);
  await completing;
  await slow.expect(1);
  await undecided.expect(1);
});

Deno.test("shutdown cuts off clients that do not read once its timeout is over", async () => {
  const bench = new TcpBench();
  const deaf = await bench.dial();
  await deaf.send(42, 0, 1, "a");
  await deaf.expect(1);
  const start = performance.now();
  await bench.server.shutdown({ timeout: 100 });
  assert(performance.now() - start >= 99);
  await bench[Symbol.asyncDispose]();
});

Deno.test("an aborted signal shuts the server down, before or after it started", async () => {
  const controller = new AbortController();
  const server = serve({ port: 0, signal: controller.signal });
  controller.abort();
  await server.finished;
  const late = serve({ port: 0, signal: AbortSignal.abort() });
  await late.finished;
});

Deno.test("listening fails with a code and a reason", async () => {
  await using server = serve({ port: 0 });
  const fails = (options: ServeOptions) => {
    const { code, message, cause } = assertThrows(() => serve(options), TrackerError);
    return { code, message, cause };
  };
  const inUse = fails({ port: server.addr.port });
  assertEquals(inUse.code, "ADDRESS_IN_USE");
  // Options are checked before anything listens.
  assertEquals(fails({ port: server.addr.port, maxClients: 0 }).code, "BAD_ARGUMENT");
  assertEquals(inUse.message, `Cannot listen on 127.0.0.1:${server.addr.port}: another program already does`);
  assert(inUse.cause instanceof Deno.errors.AddrInUse);
  assertEquals(fails({ port: 0, hostname: "192.0.2.1" }).code, "BAD_ADDRESS");
  for (
    const options of [{ port: -1 }, { port: 65_536 }, { port: 1.5 }, { maxClients: 0 }, { maxState: 2 ** 31 }, {
      messageTimeout: -1,
    }, { idleTimeout: NaN }]
  ) {
    assertEquals(fails({ port: 0, ...options }).code, "BAD_ARGUMENT");
  }
});

Deno.test({
  name: "listening without Deno's permission is refused with a code",
  permissions: { net: false },
  fn() {
    assertEquals(assertThrows(() => serve({ port: 0 }), TrackerError).code, "PERMISSION_DENIED");
  },
});

Deno.test("the accept loop goes on after errors, and reports only the first", async () => {
  const { listen } = Deno;
  const failures = [
    // Connections that ended before they were accepted are not reported.
    new Deno.errors.ConnectionAborted("Software caused connection abort (os error 103)"),
    new Deno.errors.NotConnected("Transport endpoint is not connected (os error 107)"),
    Object.assign(new Error("Too many open files in system (os error 23)"), { code: "ENFILE" }),
    Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" }),
  ];
  const events: ServerEvent[] = [];
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const listener = listen(options);
    const accept = listener.accept.bind(listener);
    listener.accept = () => {
      const failure = failures.pop();
      return failure === undefined ? accept() : Promise.reject(failure);
    };
    return listener;
  }) as typeof Deno.listen;
  try {
    await using bench = new TcpBench({ onEvent: (event) => events.push(event) });
    const client = await bench.dial();
    await client.send(42, 0, 1, "a");
    await client.expect(1);
    assertEquals(events.map(({ kind }) => kind), ["accept-error", "join"]);
  } finally {
    Deno.listen = listen;
  }
});

Deno.test("a client that is silent for idleTimeout is closed with an error", async () => {
  await using bench = new TcpBench({ idleTimeout: 50 });
  const client = await bench.dial();
  await client.send(42, 0, 1, "a");
  await client.expect(1);
  await client.expectError("TIMEOUT", "Cannot keep connection: nothing was heard for 50 ms");
  assertEquals(bench.map, "{}");
});

Deno.test("shutdown tells watchers that every client leaves", async () => {
  const server = serve({ port: 0 });
  const { port } = server.addr;
  await using watching = await connect({ port });
  await using client = await connect({ port, name: "ada", state: "x" });
  const gone = await connect({ port, name: "ben", grace: 60, state: "y" });
  const told: string[] = [];
  const watch = watching.watch();
  for await (const event of watch) {
    if (event.kind === "leave") told.push(`${event.id} ${event.cause}`);
    if (event.kind === "synced") {
      gone.abort();
      await gone.finished;
      while (server.registry.get("ben")?.status !== "suspect") await delay(1);
      void server.shutdown();
    }
    if (told.length === 2) break;
  }
  await server.finished;
  assertEquals(told, ["ada shutdown", "ben shutdown"]);
  await client.finished;
});
