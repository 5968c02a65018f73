/** The protocol over TLS: everything works as it does without. */

import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { type Client, connect, serve, Tokens } from "../../mod.ts";
import { CONVERSATIONS } from "../fixtures/conversations.ts";
import { bytesOf, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { bytesOfCell, read, tableOf } from "../support/page.ts";
import { authority, TlsBench } from "../support/tls.ts";
import { until } from "../support/until.ts";
import { failureOf } from "./support/failure.ts";

Deno.test("a client and a server speak TLS, by name and by address", async () => {
  await using bench = await TlsBench.create();
  for (const hostname of ["localhost", "127.0.0.1"]) {
    await using client = await connect({ ...bench.client, hostname, state: "secret" });
    assertMatch(await client.getText(), /^\{client\d=secret\}$/);
  }
});

Deno.test("a connection with TLS is encrypted", async () => {
  await using bench = await TlsBench.create();
  const seen: Uint8Array[] = [];
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const tapping = (async () => {
    using near = await listener.accept();
    using far = await Deno.connect({ port: bench.port });
    await Promise.all([tap(near, far), tap(far, near)]);
  })();
  async function tap(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4_096);
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer).catch(() => null)) {
      seen.push(buffer.slice(0, count));
      await writeFully(to, buffer.subarray(0, count)).catch(() => {});
    }
    await to.closeWrite().catch(() => {});
  }
  const client = await connect({ ...bench.client, port: listener.addr.port, state: "a state that is a secret" });
  assertEquals(await client.getText(), "{client1=a state that is a secret}");
  await client.close();
  await tapping;
  const text = textOf(bytesOf(...seen));
  assertGreater(text.length, 500);
  assert(!text.includes("secret") && !text.includes("client1"));
});

Deno.test("clients with TLS and without share one map and its limits", async () => {
  await using bench = await TlsBench.create({ port: 0, maxClients: 2 });
  await using plain = await connect({ port: bench.server.addr.port, state: "p" });
  await using secure = await connect({ ...bench.client, state: "s" });
  assertEquals(await plain.getText(), "{client1=p, client2=s}");
  assertEquals(await secure.getText(), "{client1=p, client2=s}");
  const reason = "Cannot accept connection: the limit of 2 is reached";
  assertEquals(await failureOf(connect(bench.client)), ["TOO_MANY_CLIENTS", reason]);
  assertEquals(await failureOf(connect({ port: bench.server.addr.port })), ["TOO_MANY_CLIENTS", reason]);
  assertEquals(bench.server.metrics().refused, { clients: 2 });
});

Deno.test("a token is required over TLS as well, within the same time limit as the handshake", async () => {
  const token = "a-token-of-some-length";
  await using bench = await TlsBench.create({ tokens: Tokens.parse(`robots:${token}`), handshakeTimeout: 300 });
  await using client = await connect({ ...bench.client, token, state: "a" });
  assertEquals(await client.getText(), "{client1=a}");
  const silent = await bench.dial();
  const reply = await readToEnd(silent);
  assertEquals(textOf(reply.subarray(2)), "TIMEOUT: Cannot keep connection: no Hello with a token came within 300 ms");
  assertEquals(await client.getText(), "{client1=a}");
});

Deno.test("server answers every conversation over TLS, whole and byte by byte", async () => {
  for (const { name, sent, replies } of CONVERSATIONS) {
    for (const delivery of [[sent], Array.from(sent, (byte) => Uint8Array.of(byte))]) {
      await using each = await TlsBench.create();
      const connection = await each.dial();
      for (const part of delivery) await writeFully(connection, part);
      assertEquals(await readExactly(connection, replies.length), replies, name);
      assertEquals(each.count("tls-error"), 0, name);
    }
  }
});

Deno.test("the golden bytes get the same replies over TLS", async () => {
  for (const [what = "", sent = "", expected = ""] of tableOf(await read("PROTOCOL.md"), "Golden bytes")) {
    await using bench = await TlsBench.create();
    const connection = await bench.dial();
    await writeFully(connection, bytesOfCell(sent));
    await connection.closeWrite();
    assertEquals(await readToEnd(connection), bytesOfCell(expected), what);
  }
});

Deno.test("large states and large maps arrive whole over TLS", async () => {
  await using bench = await TlsBench.create({ maxState: 2 ** 21 });
  const state = Uint8Array.from({ length: 2 ** 21 }, (_, index) => index * 7 % 251);
  await using one = await connect({ ...bench.client, state });
  await using other = await connect({ ...bench.client, state: state.slice().reverse() });
  const map = await one.get();
  assertEquals(map.length, "{client1=, client2=}".length + 2 * state.length);
  assertEquals(map.slice(9, 9 + state.length), state);
  const { records } = await other.list();
  assertEquals(records.map((record) => record.state.length), [state.length, state.length]);
  assertEquals(await other.get(), map);
});

Deno.test("a client that asks without reading waits over TLS too, and gets every reply in the end", async () => {
  await using bench = await TlsBench.create();
  await using holder = await connect({ ...bench.client, state: new Uint8Array(60_000).fill(120) });
  const connection = await bench.dial();
  const gets = bytesOf(...Array.from({ length: 500 }, () => bytesOf(42, 3)));
  await writeFully(connection, bytesOf(gets, 42, 1));
  const answered = await readToEnd(connection);
  const map = await holder.get();
  assertEquals(answered.length, 500 * (8 + map.length) + 1);
});

Deno.test("lists, watches, mirrors and reconnecting clients work over TLS", async () => {
  const pair = (await authority()).issue();
  const first = await TlsBench.create();
  const { port } = first;
  await using client = await connect({
    ...first.client,
    name: "pi-7",
    state: "one",
    heartbeat: 0,
    reconnect: { base: 5, cap: 20 },
  });
  await using mirror = client.mirror();
  await mirror.synced;
  assertEquals(mirror.getText("pi-7"), "one");
  const shown = changed(mirror, "two");
  await client.update("two");
  await shown;
  assertEquals((await client.list()).records.map(({ id }) => id), ["pi-7"]);
  await first[Symbol.asyncDispose]();
  await client.update("three");
  const back = changed(mirror, "three");
  await using _second = serve({ tls: { port, ...pair } });
  await back;
  assertEquals(await client.getText(), "{pi-7=three}");
});

/** Waits until a mirror shows a state. */
function changed(mirror: ReturnType<Client["mirror"]>, state: string): Promise<void> {
  return until((listener) => mirror.subscribe(listener), () => mirror.getText("pi-7") === state);
}

Deno.test("shutdown tells every client over TLS, ends handshakes under way, and leaves nothing open", async () => {
  const bench = await TlsBench.create();
  const open = await bench.dial();
  await writeFully(open, bytesOf(42, 0, 1, "a"));
  assertEquals(await readExactly(open, 1), bytesOf(1));
  const halfOpen = await bench.dialPlain();
  await halfOpen.write(Uint8Array.of(22, 3));
  // The server has accepted it once this one has shaken hands.
  const late = await bench.dial();
  const ending = bench.server.shutdown();
  const text = "SHUTTING_DOWN: Cannot keep connection: the server is being stopped";
  for (const connection of [open, late]) {
    assertEquals(await readToEnd(connection), bytesOf(0, text.length, text));
    connection.close();
  }
  await ending;
  await readToEnd(halfOpen).catch(() => {});
  assertEquals(bench.count("tls-error"), 0);
  await assertRejects(() => Deno.connect({ port: bench.port }), Deno.errors.ConnectionRefused);
  await bench[Symbol.asyncDispose]();
});

Deno.test("a client that is refused over TLS may go on sending and still gets the error", async () => {
  await using bench = await TlsBench.create();
  const connection = await bench.dial();
  const flood = writeFully(connection, bytesOf(42, 13, new Uint8Array(200_000)));
  const text = "BAD_TYPE: Cannot parse message: there is no type 13";
  assertEquals(await readToEnd(connection), bytesOf(0, text.length, text));
  await flood;
});

Deno.test("a client that is cut off without a TLS close alert is removed at once", async () => {
  await using bench = await TlsBench.create();
  using tcp = await Deno.connect({ port: bench.port });
  const connection = await Deno.startTls(tcp, { hostname: "127.0.0.1", ...bench.trust });
  await writeFully(connection, bytesOf(42, 0, 1, "a"));
  assertEquals(await readExactly(connection, 1), bytesOf(1));
  connection.close();
  await bench.until("{}");
});
