/** TLS from end to end: whom clients trust, who is told what, and that everything else is as without it. */

import { assert, assertEquals, assertGreater, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Client, connect, dialer, dialTls, type KeyPair, serve, Tokens, TrackerError } from "../../mod.ts";
import { CONVERSATIONS } from "../fixtures/conversations.ts";
import { bytesOf, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { Authority, LONG_AGO } from "../support/certificates.ts";
import { bytesOfCell, read, tableOf } from "../support/page.ts";
import { authority, TlsBench } from "../support/tls.ts";

const TOMORROW = new Date(Date.now() + 86_400_000);

/** How connecting fails. */
async function failure(run: Promise<Client>): Promise<[code: string, message: string]> {
  const { code, message } = await assertRejects(() => run, TrackerError);
  return [code, message];
}

Deno.test("a client and a server speak TLS, by name and by address", async () => {
  await using bench = await TlsBench.create();
  for (const hostname of ["localhost", "127.0.0.1"]) {
    await using client = await connect({ ...bench.client, hostname, state: "secret" });
    assertMatch(await client.getText(), /^\{client\d=secret\}$/);
  }
});

Deno.test("what travels is encrypted", async () => {
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

Deno.test("a certificate that is not to be trusted is refused, and the error says why", async () => {
  const issuer = await authority();
  const stranger = await Authority.create("Stranger");
  const refused: [pair: KeyPair, reason: RegExp][] = [
    [stranger.issue(), /: no authority that is trusted here has issued it \(caCerts adds one\)$/],
    [issuer.issue({ from: new Date(0), to: LONG_AGO }), /: it expired on 2001-02-03T04:05:06\.000Z; renew it, or /],
    [
      issuer.issue({ from: TOMORROW, to: new Date(TOMORROW.getTime() + 1_000) }),
      /: it is valid only from 20.+ on; is /,
    ],
    [issuer.issue({ isAuthority: true }), /: it is an authority's own \(CA:TRUE\); a server needs one of its own/],
    [
      issuer.issue({ names: ["example.com", "10.0.0.1"] }),
      /: it is for example\.com or 10\.0\.0\.1, not for localhost$/,
    ],
    [issuer.issue({ names: [] }), /: it is not for localhost, nor for any other name \(subjectAltName\)$/],
  ];
  for (const [tls, reason] of refused) {
    await using bench = await TlsBench.create({ tls });
    const [code, message] = await failure(connect({ ...bench.client, hostname: "localhost" }));
    assertEquals(code, "BAD_CERTIFICATE");
    assertMatch(message, reason);
    assert(message.startsWith(`Cannot trust the certificate of localhost:${bench.port}: `), message);
    const { error } = await bench.event("tls-error");
    assertMatch(
      `${error.code}: ${error.message}`,
      /^TLS_FAILED: Cannot agree on TLS: the client broke it off \(\w+\)$/,
    );
    assertEquals(bench.server.metrics().tlsErrors, 1);
  }
});

Deno.test("a client that reconnects outlives a certificate that is not to be trusted", async () => {
  const issuer = await authority();
  await using bench = await TlsBench.create({ tls: issuer.issue({ to: LONG_AGO, from: new Date(0) }) });
  await using client = new Client({
    ...bench.client,
    dial: dialer(bench.client),
    state: "patient",
    reconnect: { base: 1, cap: 5 },
  });
  await bench.event("tls-error");
  await bench.event("tls-error");
  assertEquals([client.status, client.error?.code], ["connecting", "BAD_CERTIFICATE"]);
  bench.server.reloadTls(issuer.issue());
  await client.connected;
  assertEquals(await client.getText(), "{client1=patient}");
});

Deno.test("a self-signed certificate is its own authority, and a name other than the host's can be asked for", async () => {
  const issuer = await authority();
  await using bench = await TlsBench.create({ tls: issuer.issue({ names: ["tracker.example"] }) });
  const { tls } = bench.client;
  assertEquals((await failure(connect(bench.client)))[0], "BAD_CERTIFICATE");
  await using client = await connect({ ...bench.client, tls: { ...tls, serverName: "tracker.example" } });
  assertEquals(await client.getText(), "{}");
});

Deno.test("without certificates of authorities the client trusts whom Deno trusts, which is not just anybody", async () => {
  await using bench = await TlsBench.create();
  assertEquals((await failure(connect({ port: bench.port, tls: true })))[0], "BAD_CERTIFICATE");
});

Deno.test("options of TLS that make no sense are refused before anything is connected", async () => {
  const { cert } = await authority();
  for (const caCerts of [["hello"], [cert, ""]]) {
    const [code, message] = await failure(connect({ port: 1, tls: { caCerts } }));
    assertEquals(code, "BAD_ARGUMENT");
    assertMatch(message, /^Cannot speak TLS: a member of caCerts is no certificate in PEM/);
  }
  await using bench = await TlsBench.create();
  const damaged = { caCerts: [cert.slice(0, 300) + cert.slice(400)] };
  const truncated = { caCerts: [cert.slice(0, 300)] };
  for (const tls of [damaged, truncated, { serverName: "no name" }]) {
    assertEquals((await failure(connect({ port: bench.port, tls })))[0], "BAD_ARGUMENT");
  }
});

Deno.test("a certificate and a key that cannot be used are refused when the server starts, and leave nothing open", async () => {
  const issuer = await authority();
  const { cert, key } = issuer.issue();
  const refused: [pair: KeyPair, reason: string][] = [
    [{ cert: "", key }, "there is no certificate in it; it must be in PEM (-----BEGIN CERTIFICATE-----)"],
    [{ cert: key, key }, "there is no certificate in it; it must be in PEM (-----BEGIN CERTIFICATE-----)"],
    [{ cert: cert.slice(0, 300), key }, "the certificate is damaged"],
    [{ cert, key: "" }, "there is no key in its key file; it must be in PEM, without a passphrase"],
    [{ cert, key: cert }, "there is no key in its key file; it must be in PEM, without a passphrase"],
    [
      { cert, key: key.replaceAll(/^[A-Za-z0-9+/]{64}\n/gm, "") },
      "the key is damaged, or neither RSA, ECDSA nor Ed25519",
    ],
    [{ cert, key: issuer.otherKey }, "the key is not the key of this certificate"],
  ];
  for (const [pair, reason] of refused) {
    const error = assertThrows(() => serve({ port: 0, tls: { port: 0, ...pair } }), TrackerError);
    assertEquals([error.code, error.message], ["BAD_CERTIFICATE", `Cannot use certificate: ${reason}`]);
  }
});

Deno.test("a server listens without TLS only if it is told to, once it has a certificate", async () => {
  const tls = { port: 0, ...(await authority()).issue() };
  await using only = serve({ tls });
  assertEquals(only.addr, only.tlsAddr!);
  await using both = serve({ port: 0, tls });
  assert(both.tlsAddr !== null && both.addr.port !== both.tlsAddr.port);
  await using plain = serve({ port: 0 });
  assertEquals(plain.tlsAddr, null);
  assertEquals(assertThrows(() => plain.reloadTls(tls), TrackerError).code, "BAD_ARGUMENT");
  const taken = assertThrows(() => serve({ port: 0, tls: { ...tls, port: only.addr.port } }), TrackerError);
  assertEquals(taken.code, "ADDRESS_IN_USE");
  assertEquals(assertThrows(() => serve({ tls: { ...tls, port: -1 } }), TrackerError).code, "BAD_ARGUMENT");
});

Deno.test("clients with TLS and without share one map and its limits", async () => {
  await using bench = await TlsBench.create({ port: 0, maxClients: 2 });
  await using plain = await connect({ port: bench.server.addr.port, state: "p" });
  await using secure = await connect({ ...bench.client, state: "s" });
  assertEquals(await plain.getText(), "{client1=p, client2=s}");
  assertEquals(await secure.getText(), "{client1=p, client2=s}");
  const reason = "Cannot accept connection: the limit of 2 is reached";
  assertEquals(await failure(connect(bench.client)), ["TOO_MANY_CLIENTS", reason]);
  assertEquals(await failure(connect({ port: bench.server.addr.port })), ["TOO_MANY_CLIENTS", reason]);
  assertEquals(bench.server.metrics().refused, { clients: 2 });
});

Deno.test("a client without TLS on the port for TLS hears that the server speaks it, in every dialect", async () => {
  await using bench = await TlsBench.create();
  for (const options of [{}, { hello: false, state: "a" }, { dialect: "compact", state: "abc" }] as const) {
    const [code, message] = await failure(connect({ port: bench.port, ...options }));
    assertEquals(code, "TLS_FAILED");
    assertEquals(message, "Cannot parse reply: the server speaks TLS on this port, and this connection does not");
    const { error } = await bench.event("tls-error");
    assertEquals(error.message, "Cannot agree on TLS: the client speaks no TLS on this connection");
  }
  await using witness = await connect({ ...bench.client, state: "fine" });
  assertMatch(await witness.getText(), /=fine\}$/);
});

Deno.test("a client that only asks hears that the server speaks TLS, however little it sends", async () => {
  await using bench = await TlsBench.create();
  await using client = await connect({ port: bench.port, hello: false });
  assertEquals((await assertRejects(() => client.get(), TrackerError)).code, "TLS_FAILED");
});

Deno.test("a server that has not said a word may speak TLS, and errors say so", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const hint = "it has said nothing at all, and perhaps speaks TLS on this port";
  const hungUp = failure(connect({ port, state: "a" }));
  (await listener.accept()).close();
  const [code, message] = await hungUp;
  assert(code === "CONNECTION_CLOSED" || code === "CONNECTION_FAILED", code);
  assert(message.endsWith(`; ${hint}`), message);
  const silent = failure(connect({ port, state: "a", timeout: 30 }));
  using _accepted = await listener.accept();
  assertEquals(await silent, ["TIMEOUT", `Cannot greet: no answer within 30 ms; ${hint}`]);
});

Deno.test("a client with TLS on the port without hears so, and so does the server", async () => {
  const errors: string[] = [];
  await using server = serve({
    port: 0,
    onEvent: (event) => {
      if (event.kind === "error") errors.push(event.error.message);
    },
  });
  const { port } = server.addr;
  const [code, message] = await failure(connect({ port, tls: true }));
  assertEquals(code, "TLS_FAILED");
  assertEquals(message, `Cannot connect to 127.0.0.1:${port}: the server speaks no TLS on this connection`);
  const hint = "it looks like TLS, which is not spoken on this port";
  assertEquals(errors, [`Cannot parse message: it begins with 22, not 42 or 66; ${hint}`]);
});

Deno.test("connecting with TLS gives up on a server that says nothing, or hangs up", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const address = `127.0.0.1:${port}`;
  const [code, message] = await failure(connect({ port, tls: true, timeout: 30 }));
  assertEquals(code, "TIMEOUT");
  const why = "the server did not agree on TLS within 30 ms; perhaps it speaks none on this port";
  assertEquals(message, `Cannot connect to ${address}: ${why}`);
  const controller = new AbortController();
  const waiting = failure(connect({ port, tls: true, signal: controller.signal }));
  (await listener.accept()).close();
  const accepted = await listener.accept();
  controller.abort();
  assertEquals((await waiting)[0], "ABORTED");
  accepted.close();
  const hungUp = failure(connect({ port, tls: true }));
  (await listener.accept()).close();
  const [broken, reason] = await hungUp;
  assertEquals(broken, "CONNECTION_FAILED");
  assertEquals(reason, `Cannot connect to ${address}: the server ended the connection before both had agreed on TLS`);
});

Deno.test("a handshake that is never completed takes a place, but not for long", async () => {
  await using bench = await TlsBench.create({ maxClients: 1, handshakeTimeout: 200 });
  const slow = await bench.dialPlain();
  // The beginning of a record with a handshake in it, byte by byte: no single byte buys it more time.
  await slow.write(Uint8Array.of(22));
  const dripping = (async () => {
    for (const byte of [3, 1, 0, 200, 1, 0, 0]) await slow.write(Uint8Array.of(byte));
  })();
  assertEquals((await failure(connect(bench.client)))[0], "TOO_MANY_CLIENTS");
  await dripping;
  const { error, peer } = await bench.event("tls-error");
  assertEquals(error.code, "TIMEOUT");
  assertEquals(error.message, "Cannot keep connection: it did not agree on TLS within 200 ms");
  assertEquals(peer.port, (slow.localAddr as Deno.NetAddr).port);
  await readToEnd(slow).catch(() => {});
  await using client = await connectSoon(bench);
  assertEquals(await client.getText(), "{}");
});

Deno.test("handshakes that nobody completes are ended, however many there are, and at once when there is no time", async () => {
  const bench = await TlsBench.create({ maxClients: 20, handshakeTimeout: 300 });
  const halfOpen = await Promise.all(Array.from({ length: 400 }, async (_, index) => {
    const connection = await bench.dialPlain();
    await writeFully(connection, bytesOf(22, 3, 1, 0, 200, 1, 0, 0).subarray(0, index % 9)).catch(() => {});
    return connection;
  }));
  // Some are reset, since nobody has read what they sent; what matters is that each has an end.
  await Promise.all(halfOpen.map((connection) => readToEnd(connection).catch(() => {})));
  const last = await bench.dialPlain();
  await last.write(Uint8Array.of(22));
  await bench.server.shutdown({ timeout: 0 });
  await readToEnd(last).catch(() => {});
  await bench[Symbol.asyncDispose]();
});

/** Connects as soon as the server has a place again. */
async function connectSoon(bench: TlsBench): Promise<Client> {
  for (let attempt = 0;; attempt++) {
    try {
      return await connect(bench.client);
    } catch (error) {
      if (attempt === 100) throw error;
    }
  }
}

Deno.test("many broken handshakes are each an event, and hurt nobody", async () => {
  await using bench = await TlsBench.create();
  await using witness = await connect({ ...bench.client, state: "w" });
  const attacks = [
    bytesOf(),
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

Deno.test("a token is asked for within TLS as well, and the time for both is one", async () => {
  const token = "a-token-of-some-length";
  await using bench = await TlsBench.create({ tokens: Tokens.parse(`robots:${token}`), handshakeTimeout: 300 });
  await using client = await connect({ ...bench.client, token, state: "a" });
  assertEquals(await client.getText(), "{client1=a}");
  const silent = await bench.dial();
  const reply = await readToEnd(silent);
  assertEquals(textOf(reply.subarray(2)), "TIMEOUT: Cannot keep connection: no Hello with a token came within 300 ms");
  assertEquals(await client.getText(), "{client1=a}");
});

Deno.test("server holds every conversation over TLS, whole and byte by byte", async () => {
  await using bench = await TlsBench.create();
  for (const { name, sent, replies } of CONVERSATIONS) {
    for (const delivery of [[sent], Array.from(sent, (byte) => Uint8Array.of(byte))]) {
      await using each = await TlsBench.create();
      const connection = await each.dial();
      for (const part of delivery) await writeFully(connection, part);
      assertEquals(await readExactly(connection, replies.length), replies, name);
    }
  }
  assertEquals(bench.count("tls-error"), 0);
});

Deno.test("the golden bytes are answered over TLS as without", async () => {
  for (const [what = "", sent = "", expected = ""] of tableOf(await read("PROTOCOL.md"), "Golden bytes")) {
    await using bench = await TlsBench.create();
    const connection = await bench.dial();
    await writeFully(connection, bytesOfCell(sent));
    await connection.closeWrite();
    assertEquals(await readToEnd(connection), bytesOfCell(expected), what);
  }
});

Deno.test("large states and large maps travel whole over TLS", async () => {
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

Deno.test("a client that asks without reading is held up over TLS too, and is served in the end", async () => {
  await using bench = await TlsBench.create();
  await using holder = await connect({ ...bench.client, state: new Uint8Array(60_000).fill(120) });
  const connection = await bench.dial();
  const gets = bytesOf(...Array.from({ length: 500 }, () => bytesOf(42, 3)));
  await writeFully(connection, bytesOf(gets, 42, 1));
  const answered = await readToEnd(connection);
  const map = await holder.get();
  assertEquals(answered.length, 500 * (8 + map.length) + 1);
});

Deno.test("lists, watches, mirrors and a client that comes back work over TLS", async () => {
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
  const told = changed(mirror, "two");
  await client.update("two");
  await told;
  assertEquals((await client.list()).records.map(({ id }) => id), ["pi-7"]);
  await first[Symbol.asyncDispose]();
  await client.update("three");
  const back = changed(mirror, "three");
  await using _second = serve({ tls: { port, ...pair } });
  await back;
  assertEquals(await client.getText(), "{pi-7=three}");
});

/** Waits until a mirror shows a state. */
async function changed(mirror: ReturnType<Client["mirror"]>, state: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = mirror.subscribe(() => {
    if (mirror.getText("pi-7") === state) resolve();
  });
  await promise;
  stop();
}

Deno.test("shutdown tells every client over TLS, ends what has not agreed yet, and leaves nothing behind", async () => {
  const bench = await TlsBench.create();
  const open = await bench.dial();
  await writeFully(open, bytesOf(42, 0, 1, "a"));
  assertEquals(await readExactly(open, 1), bytesOf(1));
  const halfOpen = await bench.dialPlain();
  await halfOpen.write(Uint8Array.of(22, 3));
  // It is accepted before this one is.
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

Deno.test("a refused client over TLS may go on sending and hears why all the same", async () => {
  await using bench = await TlsBench.create();
  const connection = await bench.dial();
  const flood = writeFully(connection, bytesOf(42, 9, new Uint8Array(200_000)));
  const text = "BAD_TYPE: Cannot parse message: there is no type 9";
  assertEquals(await readToEnd(connection), bytesOf(0, text.length, text));
  await flood;
});

Deno.test("a client that is cut off without a word of TLS is gone at once", async () => {
  await using bench = await TlsBench.create();
  using tcp = await Deno.connect({ port: bench.port });
  const connection = await Deno.startTls(tcp, { hostname: "127.0.0.1", ...bench.trust });
  await writeFully(connection, bytesOf(42, 0, 1, "a"));
  assertEquals(await readExactly(connection, 1), bytesOf(1));
  connection.close();
  await bench.until("{}");
});

Deno.test("dialTls makes a connection for whoever speaks the protocol without a client", async () => {
  await using bench = await TlsBench.create();
  const address = ["127.0.0.1", bench.port] as const;
  const signal = AbortSignal.abort();
  const aborted = await assertRejects(() => dialTls(...address, bench.trust, signal, 0), TrackerError);
  assertEquals(aborted.code, "ABORTED");
  using connection = await dialTls(...address, bench.trust, undefined, 0);
  await writeFully(connection, bytesOf(42, 3));
  assertEquals(await readExactly(connection, 3), bytesOf(2, "{}"));
});
