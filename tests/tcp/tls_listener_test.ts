/** Replacing the certificate of a running server. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect, type KeyPair, TrackerError } from "../../mod.ts";
import { Authority } from "../support/certificates.ts";
import { authority, TlsBench } from "../support/tls.ts";

Deno.test("a replaced certificate is used for new connections, and existing ones go on", async () => {
  const other = await Authority.create("Other Authority");
  await using bench = await TlsBench.create();
  await using early = await connect({ ...bench.client, state: "early" });
  bench.server.reloadTls(other.issue());
  const late = { port: bench.port, tls: { caCerts: [other.cert] } };
  await using client = await connect({ ...late, state: "late" });
  assertEquals(await early.getText(), "{client1=early, client2=late}");
  assertEquals(await client.getText(), "{client1=early, client2=late}");
  const error = await assertRejects(() => connect(bench.client), TrackerError);
  assertEquals(error.code, "BAD_CERTIFICATE");
});

Deno.test("no connection is lost while certificates are replaced repeatedly", async () => {
  const issuer = await authority();
  await using bench = await TlsBench.create();
  const pairs = [issuer.issue(), issuer.issue()];
  let connected = 0;
  const connecting = Promise.all(Array.from({ length: 4 }, async () => {
    for (let round = 0; round < 10; round++) {
      await using client = await connect(bench.client);
      assertEquals(await client.getText(), "{}");
      connected++;
      // While other connections are shaking hands.
      bench.server.reloadTls(pairs[connected % 2]!);
    }
  }));
  await connecting;
  assertEquals(connected, 40);
  assertEquals(bench.count("tls-error"), 0);
  assertEquals(bench.count("accept-error"), 0);
});

Deno.test("a certificate that cannot be used leaves the old one in use", async () => {
  const issuer = await authority();
  await using bench = await TlsBench.create();
  const { cert, key } = issuer.issue();
  const refused: KeyPair[] = [{ cert: "", key }, { cert, key: "" }, { cert, key: issuer.otherKey }];
  for (const pair of refused) {
    assertEquals(assertThrows(() => bench.server.reloadTls(pair), TrackerError).code, "BAD_CERTIFICATE");
    await using client = await connect(bench.client);
    assertEquals(await client.getText(), "{}");
  }
});

Deno.test("a server that is shutting down refuses another certificate", async () => {
  const issuer = await authority();
  const bench = await TlsBench.create();
  bench.server.reloadTls(issuer.issue());
  const stopped = bench.server.shutdown();
  assertEquals(assertThrows(() => bench.server.reloadTls(issuer.issue()), TrackerError).code, "SHUTTING_DOWN");
  await stopped;
  await bench[Symbol.asyncDispose]();
});
