/** Certificates: which ones clients trust and servers use. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Client, connect, dialer, type KeyPair, serve, TrackerError } from "../../mod.ts";
import { Authority, LONG_AGO } from "../support/certificates.ts";
import { authority, TlsBench } from "../support/tls.ts";
import { failureOf } from "./support/failure.ts";

const TOMORROW = new Date(Date.now() + 86_400_000);

Deno.test("a certificate that cannot be trusted is refused with the reason", async () => {
  const issuer = await authority();
  const stranger = await Authority.create("Stranger");
  const refused: [pair: KeyPair, reason: RegExp][] = [
    [
      stranger.issue(),
      /: no authority that is trusted here has issued it \(caCerts adds one\), or the server does not send the intermediate/,
    ],
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
    const [code, message] = await failureOf(connect({ ...bench.client, hostname: "localhost" }));
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

Deno.test("a reconnecting client keeps trying while the certificate cannot be trusted", async () => {
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

Deno.test("a certificate for another name than the host's is accepted if the client asks for that name", async () => {
  const issuer = await authority();
  await using bench = await TlsBench.create({ tls: issuer.issue({ names: ["tracker.example"] }) });
  const { tls } = bench.client;
  assertEquals((await failureOf(connect(bench.client)))[0], "BAD_CERTIFICATE");
  await using client = await connect({ ...bench.client, tls: { ...tls, serverName: "tracker.example" } });
  assertEquals(await client.getText(), "{}");
});

Deno.test("without caCerts the client trusts only the authorities that Deno trusts", async () => {
  await using bench = await TlsBench.create();
  assertEquals((await failureOf(connect({ port: bench.port, tls: true })))[0], "BAD_CERTIFICATE");
});

Deno.test("an unusable certificate or key is refused when the server starts, and leaves nothing open", async () => {
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
      "the key is damaged, or neither RSA of 2,048 bits or more, nor ECDSA, nor Ed25519",
    ],
    [{ cert, key: issuer.otherKey }, "the key is not the key of this certificate"],
  ];
  for (const [pair, reason] of refused) {
    const error = assertThrows(() => serve({ port: 0, tls: { port: 0, ...pair } }), TrackerError);
    assertEquals([error.code, error.message], ["BAD_CERTIFICATE", `Cannot use certificate: ${reason}`]);
  }
});

Deno.test("a server with a certificate listens without TLS only if it has a port for that", async () => {
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
