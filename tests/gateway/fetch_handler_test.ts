import { assert, assertEquals } from "@std/assert";
import { serve, Tokens } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";

const FROM = { remoteAddr: { transport: "tcp" as const, hostname: "10.0.0.7", port: 1 } };

Deno.test("a program's own HTTP server can answer with the routes", async () => {
  await using server = serve({ port: 0 });
  const handle = new Gateway().handlerFor(server);
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handle);
  const base = `http://127.0.0.1:${http.addr.port}`;
  const put = await fetch(`${base}/clients/a?for=1m`, { method: "PUT", body: "x" });
  assertEquals([put.status, (await put.json()).revision], [201, 1]);
  assertEquals(await (await fetch(`${base}/map`)).text(), "{a=x}");
  assertEquals((await (await fetch(`${base}/clients/b`)).json()).code, "NOT_FOUND");
  const head = await fetch(`${base}/clients`, { method: "HEAD" });
  assertEquals([head.status, head.headers.get("content-type"), await head.text()], [200, "application/json", ""]);
  assertEquals((await (await fetch(`${base}/ws`)).json()).code, "NOT_IMPLEMENTED");
  await http.shutdown();
});

Deno.test("a stream of events is told as it is read, and ends with its reader", async () => {
  await using server = serve({ port: 0 });
  const handle = new Gateway().handlerFor(server);
  const response = await handle(new Request("http://localhost/watch"), FROM);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (part: string) => {
    while (!text.includes(part)) text += (await reader.read()).value;
  };
  await until("event: synced");
  server.registry.open("x", { id: "a" });
  await until('"id":"a"');
  assertEquals(server.metrics().now.watchers, 1);
  await reader.cancel();
  assertEquals(server.metrics().now.watchers, 0);
});

Deno.test("long answers come in pieces, whose memory is their own", async () => {
  await using server = serve({ port: 0 });
  for (let at = 0; at < 500; at++) server.registry.open(`${at}`.repeat(300));
  const handle = new Gateway().handlerFor(server);
  const map = await handle(new Request("http://localhost/map"), FROM);
  assertEquals(new Uint8Array(await map.arrayBuffer()), server.registry.flatten());
  const list = await (await handle(new Request("http://localhost/clients"), FROM)).json();
  assertEquals(list.clients.length, 500);
  const cut = await handle(new Request("http://localhost/clients"), FROM);
  await cut.body!.cancel();
});

Deno.test("rights, limits and hosts hold there as well", async () => {
  const tokens = Tokens.of([{ name: "writer", token: "writer-0123456789" }]);
  await using server = serve({ port: 0, tokens, trustedNetworks: ["10.9.0.0/16"], maxState: 4 });
  const handle = new Gateway().handlerFor(server);
  const ask = async (init: RequestInit, from?: typeof FROM, host = "tracker.example") => {
    const response = await handle(new Request(`http://${host}/clients/a`, init), from);
    const { code } = await response.json();
    return [response.status, code];
  };
  const put = { method: "PUT", body: "x" };
  const headers = { Authorization: "Bearer writer-0123456789" };
  assertEquals(await ask(put, FROM), [401, "TOKEN_NEEDED"]);
  assertEquals(await ask(put), [401, "TOKEN_NEEDED"]);
  assertEquals(await ask({ ...put, headers }, FROM), [201, undefined]);
  assertEquals(await ask({ ...put, headers, body: "12345" }, FROM), [413, "STATE_TOO_LARGE"]);
  const trusted = { remoteAddr: { ...FROM.remoteAddr, hostname: "10.9.0.1" } };
  assertEquals(await ask(put, trusted), [200, undefined]);
  const local = { remoteAddr: { ...FROM.remoteAddr, hostname: "127.0.0.1" } };
  assertEquals(await ask({ ...put, headers }, local), [421, "WRONG_HOST"]);
  assert(server.registry.get("a") !== undefined);
});
