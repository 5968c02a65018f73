import { assert, assertEquals } from "@std/assert";
import { Server } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";
import { LazyGateway } from "../../lib/gateway/lazy_gateway.ts";
import { TIME_LIMITS } from "../../lib/gateway/time_limits.ts";
import type { ServerOptions } from "../../mod.ts";
import { MemoryListener } from "../support/memory_listener.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { RawClient } from "./support/raw_client.ts";
import { WebBench } from "./support/web_bench.ts";

/** A server whose connections are in memory, and whose time is made. */
class MemoryWeb implements AsyncDisposable {
  readonly time = new VirtualTime();
  readonly listener = new MemoryListener();
  readonly server: Server;

  constructor(options: ServerOptions = {}) {
    this.server = new Server([this.listener], options, [new Gateway()]);
  }

  connect(): RawClient {
    return new RawClient(this.listener.connect());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown({ timeout: 0 });
    this.time[Symbol.dispose]();
  }
}

Deno.test("requests that come together are answered in their order", async () => {
  await using web = new WebBench();
  const client = await web.connect();
  const put = "PUT /clients/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none";
  const get = "GET /map HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const head = "HEAD /clients HTTP/1.1\r\nHost: localhost\r\n\r\n";
  await client.send(put + get + head + get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assertEquals((await client.response()).status, 201);
  assertEquals((await client.response()).body, "{a=one}");
  const headers = await client.response("HEAD");
  assert(Number(headers.headers.get("content-length")) > 50);
  const last = await client.response();
  assertEquals([last.body, last.headers.get("connection")], ["{a=one}", "close"]);
  assertEquals(await client.rest(), "");
});

Deno.test("a request is the same, wherever it is cut", async () => {
  await using web = new WebBench();
  const request = "PUT /clients/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1234\r";
  for (let at = 1; at < request.length; at++) {
    const client = await web.connect();
    await client.send(request.slice(0, at));
    await client.send(`${request.slice(at)}GET /map HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await client.response();
    assertEquals((await client.response()).body, "{a=1234\r}", `cut at ${at}`);
    client.close();
  }
});

Deno.test("a head may be longer than what is read at once, and as long as is allowed", async () => {
  await using web = new WebBench();
  for (const length of [1, 400, 450, 500, 700, 1_500, 5_000, 8_100]) {
    const client = await web.connect();
    for (let count = 0; count < 2; count++) {
      await client.request("GET", "/health/live", `X: ${"y".repeat(length)}`);
      assertEquals((await client.response()).status, 200, `${length}`);
    }
  }
  const client = await web.connect();
  await client.request("GET", "/health/live", `X: ${"y".repeat(8_192)}`);
  assertEquals((await client.response()).status, 431);
});

Deno.test("a client of HTTP/1.0 is answered, and its connection ends unless it asks otherwise", async () => {
  await using web = new WebBench();
  web.registry.open("x".repeat(200_000), { id: "a" });
  const short = await web.connect();
  await short.send("GET /health/live HTTP/1.0\r\n\r\n");
  assertEquals(JSON.parse((await short.response()).body), { status: "live" });
  assertEquals(await short.rest(), "");
  const kept = await web.connect();
  await kept.send("GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".repeat(2));
  assertEquals((await kept.response()).headers.get("connection"), "keep-alive");
  await kept.response();
  const long = await web.connect();
  await long.send("GET /clients HTTP/1.0\r\n\r\n");
  const { headers, body } = await long.response();
  assertEquals([headers.get("transfer-encoding"), JSON.parse(body).clients.length], [undefined, 1]);
});

Deno.test("a client that expects leave to send its body gets it, or the refusal at once", async () => {
  await using web = new WebBench({}, { maxState: 10 });
  const client = await web.connect();
  await client.request("PUT", "/clients/a", "Content-Length: 2", "Expect: 100-continue");
  assertEquals(await client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("ok");
  assertEquals((await client.response()).status, 201);
  await client.request("PUT", "/clients/a", "Content-Length: 11", "Expect: 100-continue");
  const refusal = await client.response();
  assertEquals([refusal.status, JSON.parse(refusal.body).code], [413, "STATE_TOO_LARGE"]);
  assertEquals(refusal.headers.get("connection"), "close");
  assertEquals(web.registry.stateBytes, 2);
});

Deno.test("what follows a refusal is no request", async () => {
  await using web = new WebBench();
  const smuggled = "GET /clients HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const heads = [
    "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n",
    "POST /ticket HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /ticket HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT /clients/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
    "PUT /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 42\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
    "NO\r\n\r\n",
  ];
  for (const head of heads) {
    const client = await web.connect();
    await client.send(head + smuggled);
    const { status, headers } = await client.response();
    assert(status >= 400, head);
    assertEquals(headers.get("connection"), "close", head);
    assertEquals(await client.rest(), "", head);
  }
});

Deno.test("a route says which methods it has", async () => {
  await using web = new WebBench();
  const options = await web.fetch("/clients/a", { method: "OPTIONS" });
  assertEquals([options.status, options.headers.get("allow")], [204, "GET, PUT, DELETE, HEAD, OPTIONS"]);
  const wrong = await web.ask("/map", { method: "DELETE" });
  assertEquals([wrong.status, wrong.json.code, wrong.headers.get("allow")], [
    405,
    "METHOD_NOT_ALLOWED",
    "GET, HEAD, OPTIONS",
  ]);
  assertEquals((await web.ask("/map", { method: "BREW" })).json.code, "NOT_IMPLEMENTED");
  assertEquals((await web.ask("/clients/")).json.code, "NOT_FOUND");
  assertEquals((await web.ask("/clients/a/b")).json.code, "NOT_FOUND");
  const client = await web.connect();
  await client.request("OPTIONS", "*");
  assertEquals((await client.response()).status, 204);
});

Deno.test("a connection that brings no request, or not in time, is ended", async () => {
  await using web = new MemoryWeb();
  const cases: [sent: string, wait: number, answer: string][] = [
    ["GE", TIME_LIMITS.head.duration, "408"],
    ["PUT /clients/a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", TIME_LIMITS.body.duration, "408"],
    ["GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", TIME_LIMITS.idle.duration, "200"],
  ];
  for (const [sent, wait, answer] of cases) {
    const client = web.connect();
    const rest = client.rest();
    await client.send(sent);
    await web.time.advance(wait - 500);
    assertEquals(web.server.metrics().now.connections, 1, sent);
    await web.time.advance(1_000);
    assertEquals(web.server.metrics().now.connections, 0, sent);
    assertEquals((await rest).slice(9, 12), answer);
  }
  assertEquals(web.server.registry.size, 0);
});

Deno.test("a head that comes drop by drop has no more time than another", async () => {
  await using web = new MemoryWeb();
  const client = web.connect();
  const rest = client.rest();
  await client.send("GET / HTTP/1.1\r\n");
  for (let second = 0; second < 9; second++) {
    await client.send("X: y\r\n");
    await web.time.advance(1_000);
  }
  assertEquals(web.server.metrics().now.connections, 1);
  await web.time.advance(2_000);
  assertEquals([web.server.metrics().now.connections, (await rest).slice(9, 12)], [0, "408"]);
});

Deno.test("a client that takes nothing of its answer is given up", async () => {
  await using web = new MemoryWeb({ writeTimeout: 5_000 });
  for (let at = 0; at < 20; at++) web.server.registry.open("x".repeat(60_000));
  const client = web.connect();
  await client.request("GET", "/map");
  await web.time.advance(4_000);
  assertEquals(web.server.metrics().now.connections, 1);
  await web.time.advance(4_000);
  assertEquals([web.server.metrics().now.connections, web.server.metrics().errors.TIMEOUT], [0, 1]);
});

Deno.test("a server that stops answers what it has begun, and ends what waits", async () => {
  await using web = new MemoryWeb();
  const [idle, waiting, watching] = [web.connect(), web.connect(), web.connect()];
  await idle.request("GET", "/health/ready");
  await idle.response();
  await waiting.request("GET", "/map?wait=0");
  await watching.request("GET", "/watch");
  await watching.until("event: synced");
  await web.time.settle();
  void web.server.shutdown();
  assertEquals(await idle.rest(), "");
  assertEquals((await waiting.response()).status, 304);
  const rest = await watching.rest();
  assert(rest.includes('event: end\ndata: {"event":"end","code":"SHUTTING_DOWN"'), rest);
});

Deno.test("one connection asks no faster than it may", async () => {
  await using web = new MemoryWeb({ messageRate: 10 });
  const client = web.connect();
  await client.send("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n".repeat(15));
  let answers = 0;
  const reading = (async () => {
    for (; answers < 15; answers++) await client.response();
  })().catch(() => {});
  await web.time.settle();
  await web.time.settle();
  assert(answers <= 11, `${answers} answers at once`);
  await web.time.advance(2_000);
  await reading;
});

Deno.test("the code of HTTP is loaded by the first request, which is answered", async () => {
  const listener = new MemoryListener();
  await using server = new Server([listener], {}, [new LazyGateway()]);
  const client = new RawClient(listener.connect());
  await client.request("GET", "/health/live");
  assertEquals((await client.response()).status, 200);
  await server.shutdown({ timeout: 0 });
});

Deno.test("requests leave no place behind", async () => {
  await using web = new WebBench({}, { maxClients: 1 });
  for (let count = 0; count < 3; count++) {
    const client = await web.connect();
    await client.request("GET", "/health/live", "Connection: close");
    await client.response();
    await client.rest();
    client.close();
  }
});
