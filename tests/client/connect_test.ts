/** Connecting: with what, how long, and how often. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { Client, type ClientOptions, connect, type ConnectOptions, TrackerError } from "../../mod.ts";
import { bytesOf, longLength, readExactly, textOf, writeFully } from "../support/bytes.ts";
import { codeOf } from "../support/errors.ts";
import { GREETING, greetingReply } from "../support/greeting.ts";
import { MemoryHost } from "../support/host.ts";
import { createPair } from "../support/memory.ts";
import { Pauses } from "../support/pauses.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("connecting fails with a code, a message and a cause", async () => {
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

Deno.test("connecting gives up on a server that accepts and stays silent", async () => {
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

Deno.test("connecting keeps its time limit when the system gets no answer", async () => {
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
  name: "connecting without Deno's permission fails with a code",
  permissions: { net: false },
  async fn() {
    assertEquals(await codeOf(connect({ port: 1 })), "PERMISSION_DENIED");
  },
});

Deno.test("client sends Hello and Open together, before the first answer", async () => {
  const [near, far] = createPair();
  const connecting = connect({ dial: () => Promise.resolve(near), name: "pi-7", grace: 5, state: "on" });
  const wanted = JSON.stringify({ name: "pi-7", grace: 5, instance: "i".repeat(32), attempt: 1 });
  const length = bytesOf(42, 4, longLength(wanted.length), wanted, 42, 0, longLength(2), "on").length;
  const sent = await readExactly(far, length);
  const instance = textOf(sent).match(/"instance":"([0-9a-f]{32})"/)?.[1] ?? "";
  const hello = wanted.replace("i".repeat(32), instance);
  assertEquals(sent, bytesOf(42, 4, longLength(hello.length), hello, 42, 0, longLength(2), "on"));
  const greeting = { ...GREETING, id: "pi-7", resume: "key", grace: 5 };
  await writeFully(far, bytesOf(greetingReply(greeting), 1));
  const client = await connecting;
  assertEquals([client.id, client.status, client.greeting], ["pi-7", "open", greeting]);
  client.abort();
  await client.finished;
  far.close();
});

Deno.test("client without a Hello refuses calls and options of the extensions", async () => {
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

Deno.test("client refuses invalid options before it connects", async () => {
  await using host = new MemoryHost();
  const { dial } = host;
  assertEquals(await codeOf(connect({ dial, dialect: "java", hello: true })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, heartbeat: 0.5 })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, heartbeat: 3_601 })), "BAD_ARGUMENT");
  assertEquals(await codeOf(connect({ dial, reconnect: { base: -1 } })), "BAD_ARGUMENT");
  assertEquals(host.dials, 0);
});

Deno.test("client stopped while it connects stays closed", async () => {
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

Deno.test("connecting is retried until the server is up or the time limit is over", async () => {
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

Deno.test("connecting can be aborted while it waits to retry", async () => {
  await using host = new MemoryHost();
  host.isDown = true;
  const pauses = new Pauses();
  const controller = new AbortController();
  const connecting = codeOf(connect({ dial: host.dial, reconnect: pauses.options, signal: controller.signal }));
  await pauses.begun();
  controller.abort();
  assertEquals(await connecting, "ABORTED");
});

Deno.test("signal for connecting does not end a connected client", async () => {
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

Deno.test("client created with new connects in the background and keeps its state until then", async () => {
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

Deno.test("a client without a dial is refused at once, and not tried again and again", () => {
  const options = { port: 1, reconnect: true } as unknown as ClientOptions;
  const error = assertThrows(() => new Client(options), TrackerError, "make one with dialer()");
  assertEquals(error.code, "BAD_ARGUMENT");
});

Deno.test("connecting waits as long as it is told, apart from the calls, and its first failure is heard", async () => {
  const heard: (string | undefined)[] = [];
  const started = performance.now();
  const error = await assertRejects(() =>
    connect({
      port: 1,
      reconnect: { base: 10, cap: 10 },
      timeout: 60_000,
      connectTimeout: 100,
      onStatus: ({ error }) => heard.push(error?.code),
    }), TrackerError);
  assertEquals([error.code, heard[0]], ["CONNECTION_REFUSED", "CONNECTION_REFUSED"]);
  assert(performance.now() - started < 30_000);
});
