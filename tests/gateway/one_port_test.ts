/** What is spoken on one port is told apart by its first byte. */

import { assert, assertEquals } from "@std/assert";
import { Client, dialer, type ServerEvent } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";
import { authority, TlsBench } from "../support/tls.ts";
import { WebBench } from "./support/web_bench.ts";

Deno.test("Tracker's dialects and HTTP share a port, and nobody is taken for another", async () => {
  await using web = new WebBench();
  const wide = await web.dial();
  await wide.open("wide");
  const java = await web.dial();
  await java.send(66, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, "j");
  await java.expect(1);
  assertEquals((await web.ask("/clients?count")).json, { count: 2 });
  // A capital letter that comes later is no beginning.
  await wide.send("GET / HTTP/1.1\r\n\r\n");
  assert((await wide.readError()).startsWith("BAD_MAGIC"));
});

Deno.test("a connection that is made and closed, as a load balancer does, leaves nothing in the log", async () => {
  const events: ServerEvent[] = [];
  await using web = new WebBench({}, { onEvent: (event) => events.push(event) });
  for (let count = 0; count < 5; count++) (await web.connect()).close();
  for (const path of ["/health/live", "/health/ready", "/map", "/metrics"]) {
    const client = await web.connect();
    await client.request("GET", path, "Connection: close");
    await client.rest();
    client.close();
  }
  const hasty = await web.connect();
  await hasty.send("GE");
  hasty.close();
  while (web.server.metrics().now.connections !== 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(events, []);
});

Deno.test("with a certificate both ports speak TLS, and HTTP within it", async () => {
  await using bench = await TlsBench.create({ port: 0, http: new Gateway() });
  const { server } = bench;
  server.registry.open("x", { id: "a" });
  const { cert } = await authority();
  const http = Deno.createHttpClient({ caCerts: [cert] });
  for (const port of [server.addr.port, server.tlsAddr!.port]) {
    const response = await fetch(`https://127.0.0.1:${port}/clients/a`, { client: http });
    assertEquals((await response.json()).state, "x");
    await using client = new Client({ dial: dialer({ port, tls: { caCerts: [cert] } }), state: "y" });
    await client.connected;
    assertEquals((await client.list()).records.length, 2);
  }
  http.close();
  const plain = await fetch(`http://127.0.0.1:${server.addr.port}/map`);
  assertEquals(await plain.text(), "{a=x}");
});

Deno.test("a port of HTTP's own speaks TLS if there is a certificate", async () => {
  await using bench = await TlsBench.create({ http: new Gateway({ port: 0 }) });
  const { server } = bench;
  const { cert } = await authority();
  const http = Deno.createHttpClient({ caCerts: [cert] });
  const response = await fetch(`https://127.0.0.1:${server.httpAddr!.port}/health/live`, { client: http });
  assertEquals(await response.json(), { status: "live" });
  http.close();
});
