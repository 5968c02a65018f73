/** Connecting with TLS. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, dialTls, TrackerError } from "../../mod.ts";
import { bytesOf, readExactly, writeFully } from "../support/bytes.ts";
import { authority, TlsBench } from "../support/tls.ts";
import { failureOf } from "./support/failure.ts";

Deno.test("invalid TLS options are refused before anything is connected", async () => {
  const { cert } = await authority();
  for (const caCerts of [["hello"], [cert, ""]]) {
    const [code, message] = await failureOf(connect({ port: 1, tls: { caCerts } }));
    assertEquals(code, "BAD_ARGUMENT");
    assertMatch(message, /^Cannot speak TLS: a member of caCerts is no certificate in PEM/);
  }
  await using bench = await TlsBench.create();
  const damaged = { caCerts: [cert.slice(0, 300) + cert.slice(400)] };
  const truncated = { caCerts: [cert.slice(0, 300)] };
  for (const tls of [damaged, truncated, { serverName: "no name" }]) {
    assertEquals((await failureOf(connect({ port: bench.port, tls })))[0], "BAD_ARGUMENT");
  }
});

Deno.test("connecting with TLS fails when the server says nothing or hangs up", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const address = `127.0.0.1:${port}`;
  const [code, message] = await failureOf(connect({ port, tls: true, timeout: 30 }));
  assertEquals(code, "TIMEOUT");
  const why = "the server did not agree on TLS within 30 ms; perhaps it speaks none on this port";
  assertEquals(message, `Cannot connect to ${address}: ${why}`);
  const controller = new AbortController();
  const waiting = failureOf(connect({ port, tls: true, signal: controller.signal }));
  (await listener.accept()).close();
  const accepted = await listener.accept();
  controller.abort();
  assertEquals((await waiting)[0], "ABORTED");
  accepted.close();
  const hungUp = failureOf(connect({ port, tls: true }));
  (await listener.accept()).close();
  const [broken, reason] = await hungUp;
  assertEquals(broken, "CONNECTION_FAILED");
  assertEquals(reason, `Cannot connect to ${address}: the server ended the connection before both had agreed on TLS`);
});

Deno.test("dialTls makes a connection for programs that speak the protocol without a client", async () => {
  await using bench = await TlsBench.create();
  const address = ["127.0.0.1", bench.port] as const;
  const signal = AbortSignal.abort();
  const aborted = await assertRejects(() => dialTls(...address, bench.trust, signal, 0), TrackerError);
  assertEquals(aborted.code, "ABORTED");
  using connection = await dialTls(...address, bench.trust, undefined, 0);
  await writeFully(connection, bytesOf(42, 3));
  assertEquals(await readExactly(connection, 3), bytesOf(2, "{}"));
});
