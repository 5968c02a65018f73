import { assert, assertEquals, assertMatch } from "@std/assert";
import { fail, run, startServer } from "../support/program.ts";

async function get(url: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(url, init);
}

Deno.test("serve answers over HTTP what list and get print, byte for byte", async () => {
  await using server = await startServer();
  const base = `http://127.0.0.1:${server.port}`;
  await (await get(`${base}/clients/door?for=1h`, { method: "PUT", body: "\u202eopen\x7f" })).body?.cancel();
  await (await get(`${base}/clients/b`, { method: "PUT", body: Uint8Array.of(255) })).body?.cancel();
  const listed = await run(["list", "--json", ...server.flags]);
  assertEquals(await (await get(`${base}/clients`)).text(), listed.stdout);
  const { clients } = JSON.parse(listed.stdout);
  assertEquals(await (await get(`${base}/clients/door`)).text(), `${listed.stdout.match(/\{"id":"door".*?\}/)?.[0]}\n`);
  assertEquals(clients.length, 2);
  const count = await run(["list", "--count", "--json", ...server.flags]);
  assertEquals(await (await get(`${base}/clients?count`)).text(), count.stdout);
});

Deno.test("lines of the log tell who came by another way, in every format", async () => {
  for (
    const [format, pattern] of [["json", /"via":"http"\}$/], [
      "text",
      / set door 127\.0\.0\.1:\d+ \S+ via=http$/,
    ]] as const
  ) {
    await using server = await startServer(["--log", format]);
    await (await get(`http://127.0.0.1:${server.port}/clients/door`, { method: "PUT", body: "x" })).body?.cancel();
    assertMatch(await server.stderr.line(), pattern);
  }
});

Deno.test("serve speaks HTTP on a port of its own, or not at all", async () => {
  await using own = await startServer(["--http-port", "0", "--metrics-prefix", "pi-,door"]);
  const [, port] = /^tracker \S+ listening on 127\.0\.0\.1:(\d+) with HTTP$/.exec(await own.stdout.line()) ?? [];
  const metrics = await (await get(`http://127.0.0.1:${port}/metrics`)).text();
  assert(metrics.includes('tracker_prefix_clients{prefix="door"} 0\n'));
  await using none = await startServer(["--no-http"]);
  for (const server of [own, none]) {
    const connection = await Deno.connect({ port: server.port });
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    const buffer = new Uint8Array(100);
    await connection.read(buffer);
    assertEquals([buffer[0], new TextDecoder().decode(buffer.subarray(2, 11))], [0, "BAD_MAGIC"]);
    connection.close();
  }
});

Deno.test("serve refuses flags of HTTP that cannot be used", async () => {
  assertMatch(await fail(["serve", "--no-http", "--http-port", "0"], 2), /--http-port goes without --no-http/);
  assertMatch(await fail(["serve", "--allow-origin", "example.com"], 2), /--allow-origin must be origins/);
  assertMatch(await fail(["serve", "--http-from", "home"], 2), /--http-from must be networks/);
  assertMatch(await fail(["serve", "--http-port", "x"], 2), /--http-port must be an integer/);
});

Deno.test("serve lets the pages of a named site in, and the networks that are named", async () => {
  await using server = await startServer(["--allow-origin", "https://a.example, https://b.example:8443"]);
  for (
    const [origin, status] of [["https://a.example", 200], ["https://b.example:8443", 200], [
      "https://c.example",
      403,
    ]] as const
  ) {
    const response = await get(`http://127.0.0.1:${server.port}/map`, { headers: { Origin: origin } });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
  await using closed = await startServer(["--http-from", "10.0.0.0/8"]);
  const response = await get(`http://127.0.0.1:${closed.port}/map`);
  assertEquals((await response.json()).code, "FORBIDDEN_NETWORK");
});

Deno.test("health asks whether a server is ready, and says what is in the way", async () => {
  await using server = await startServer();
  assertEquals(await run(["health", ...server.flags]), { code: 0, stdout: "ready\n", stderr: "" });
  assertEquals(JSON.parse((await run(["health", "--json", ...server.flags])).stdout), { ready: true, status: 200 });
  await using closed = await startServer(["--http-from", "10.0.0.0/8"]);
  assertMatch(await fail(["health", ...closed.flags], 1), /is not ready: it answers with status 403$/);
  await using none = await startServer(["--no-http"]);
  assertMatch(await fail(["health", ...none.flags], 1), /speaks no HTTP/);
  await fail(["health", "--server", "127.0.0.1:1"], 5);
});
