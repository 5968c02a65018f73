/** Handshakes that fail, never end, or meet a side that does not speak TLS. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, serve, TrackerError } from "../../mod.ts";
import { bytesOf, readToEnd, writeFully } from "../support/bytes.ts";
import { connectEventually } from "../support/program.ts";
import { TlsBench } from "../support/tls.ts";
import { failureOf } from "./support/failure.ts";

Deno.test("a client without TLS on the TLS port learns that the server speaks it, in every dialect", async () => {
  await using bench = await TlsBench.create();
  for (const options of [{}, { hello: false, state: "a" }, { dialect: "compact", state: "abc" }] as const) {
    const [code, message] = await failureOf(connect({ port: bench.port, ...options }));
    assertEquals(code, "TLS_FAILED");
    assertEquals(message, "Cannot parse reply: the server speaks TLS on this port, and this connection does not");
    const { error } = await bench.event("tls-error");
    assertEquals(error.message, "Cannot agree on TLS: the client speaks no TLS on this connection");
  }
  await using witness = await connect({ ...bench.client, state: "fine" });
  assertMatch(await witness.getText(), /=fine\}$/);
});

Deno.test("a client that only asks learns that the server speaks TLS, however little it sends", async () => {
  await using bench = await TlsBench.create();
  await using client = await connect({ port: bench.port, hello: false });
  assertEquals((await assertRejects(() => client.get(), TrackerError)).code, "TLS_FAILED");
});

Deno.test("errors say that a server that never sent anything may speak TLS", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const hint = "it has said nothing at all, and perhaps speaks TLS on this port";
  const hungUp = failureOf(connect({ port, state: "a" }));
  (await listener.accept()).close();
  const [code, message] = await hungUp;
  assert(code === "CONNECTION_CLOSED" || code === "CONNECTION_FAILED", code);
  assert(message.endsWith(`; ${hint}`), message);
  const silent = failureOf(connect({ port, state: "a", timeout: 30 }));
  using _accepted = await listener.accept();
  assertEquals(await silent, ["TIMEOUT", `Cannot greet: no answer within 30 ms; ${hint}`]);
});

Deno.test("a client with TLS on the port without it learns that, and so does the server", async () => {
  const errors: string[] = [];
  await using server = serve({
    port: 0,
    onEvent: (event) => {
      if (event.kind === "error") errors.push(event.error.message);
    },
  });
  const { port } = server.addr;
  const [code, message] = await failureOf(connect({ port, tls: true }));
  assertEquals(code, "TLS_FAILED");
  assertEquals(message, `Cannot connect to 127.0.0.1:${port}: the server speaks no TLS on this connection`);
  const hint = "it looks like TLS, which is not spoken on this port";
  assertEquals(errors, [`Cannot parse message: it begins with 22, not 42 or 66; ${hint}`]);
});

Deno.test("a handshake that never completes takes a place, but only until its time limit", async () => {
  await using bench = await TlsBench.create({ maxClients: 1, handshakeTimeout: 200 });
  const slow = await bench.dialPlain();
  // The beginning of a handshake record, byte by byte: no byte extends the time limit.
  await slow.write(Uint8Array.of(22));
  const dripping = (async () => {
    for (const byte of [3, 1, 0, 200, 1, 0, 0]) await slow.write(Uint8Array.of(byte));
  })();
  assertEquals((await failureOf(connect(bench.client)))[0], "TOO_MANY_CLIENTS");
  await dripping;
  const { error, peer } = await bench.event("tls-error");
  assertEquals(error.code, "TIMEOUT");
  assertEquals(error.message, "Cannot keep connection: it did not agree on TLS within 200 ms");
  assertEquals(peer.port, (slow.localAddr as Deno.NetAddr).port);
  await readToEnd(slow).catch(() => {});
  await using client = await connectEventually(bench.client);
  assertEquals(await client.getText(), "{}");
});

Deno.test("handshakes that never complete are ended, however many, and at once by a shutdown without a timeout", async () => {
  const bench = await TlsBench.create({ maxClients: 20, handshakeTimeout: 300 });
  const halfOpen = await Promise.all(Array.from({ length: 400 }, async (_, index) => {
    const connection = await bench.dialPlain();
    await writeFully(connection, bytesOf(22, 3, 1, 0, 200, 1, 0, 0).subarray(0, index % 9)).catch(() => {});
    return connection;
  }));
  // Some are reset because the server has not read what they sent; what matters is that each one ends.
  await Promise.all(halfOpen.map((connection) => readToEnd(connection).catch(() => {})));
  const last = await bench.dialPlain();
  await last.write(Uint8Array.of(22));
  await bench.server.shutdown({ timeout: 0 });
  await readToEnd(last).catch(() => {});
  await bench[Symbol.asyncDispose]();
});

Deno.test("a connection that ends without a word is no event, as on a port without TLS", async () => {
  await using bench = await TlsBench.create();
  for (let index = 0; index < 3; index++) {
    const connection = await bench.dialPlain();
    await connection.closeWrite();
    await readToEnd(connection).catch(() => {});
  }
  const broken = await bench.dialPlain();
  await writeFully(broken, bytesOf(22));
  await broken.closeWrite();
  await readToEnd(broken).catch(() => {});
  await bench.event("tls-error");
  assertEquals([bench.count("tls-error"), bench.server.metrics().tlsErrors], [0, 1]);
});

Deno.test("every broken handshake is an event, and affects no other client", async () => {
  await using bench = await TlsBench.create();
  await using witness = await connect({ ...bench.client, state: "w" });
  const attacks = [
    bytesOf(22),
    bytesOf(22, 3, 1, 255, 255),
    bytesOf("GET / HTTP/1.1\r\n\r\n"),
    bytesOf(0, 0, 0, 0, 0, 0),
  ];
  const count = 50;
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    const connection = await bench.dialPlain();
    await writeFully(connection, attacks[index % attacks.length]!);
    await connection.closeWrite();
    await readToEnd(connection).catch(() => {});
  }));
  for (let index = 0; index < count; index++) await bench.event("tls-error");
  assertEquals(bench.count("accept-error"), 0);
  assertEquals(bench.server.metrics().tlsErrors, count);
  assertEquals(bench.server.metrics().now.connections, 1);
  assertEquals(await witness.getText(), "{client1=w}");
});
