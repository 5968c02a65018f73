import { assert, assertEquals } from "@std/assert";
import { type ServeOptions, type ServerEvent, Tokens } from "../../mod.ts";
import type { GatewayOptions } from "../../lib/gateway/mod.ts";
import { WebBench } from "./support/web_bench.ts";

const READ = "reader-0123456789";
const WRITE = "writer-0123456789";
const ADMIN = "admin-0123456789";
const BOUND = "bound-0123456789";

const TOKENS = Tokens.of([
  { name: "reader", token: READ, access: "read" },
  { name: "writer", token: WRITE },
  { name: "admin", token: ADMIN, access: "admin" },
  { name: "bound", token: BOUND, prefix: "pi-" },
]);

function guarded(gateway: GatewayOptions = {}, options: ServeOptions = {}): WebBench {
  return new WebBench(gateway, { tokens: TOKENS, ...options });
}

/** Asks with a token, and returns status and code. */
async function statusOf(web: WebBench, path: string, token: string | null, init: RequestInit = {}) {
  const headers = { ...token !== null && { Authorization: `Bearer ${token}` }, ...init.headers };
  const response = await web.fetch(path, { ...init, headers });
  const text = await response.text();
  const code = text.startsWith('{"type"') ? JSON.parse(text).code : null;
  return code === null ? response.status : [response.status, code];
}

Deno.test("every route takes the right of the message that it stands for", async () => {
  await using web = guarded();
  web.registry.open("x", { id: "door" });
  const needed = [401, "TOKEN_NEEDED"];
  const denied = [403, "UNAUTHORIZED"];
  const put = { method: "PUT", body: "x" };
  const kick = { method: "POST" };
  const rows: [path: string, init: RequestInit, ...wanted: unknown[]][] = [
    ["/clients", {}, needed, 200, 200, 200],
    ["/clients/door", {}, needed, 200, 200, 200],
    ["/map", {}, needed, 200, 200, 200],
    ["/metrics", {}, needed, 200, 200, 200],
    ["/ticket", { method: "POST" }, needed, 201, 201, 201],
    ["/clients/a", put, needed, denied, 201, 200],
    ["/clients/a", { method: "DELETE" }, needed, denied, 200, [404, "NOT_FOUND"]],
    ["/clients/b/kick", kick, needed, denied, denied, [404, "NOT_FOUND"]],
    ["/watch", { method: "HEAD" }, 401, 200, 200, 200],
    ["/health/live", {}, 200, 200, 200, 200],
    ["/health/ready", {}, 200, 200, 200, 200],
    ["/openapi.json", {}, 200, 200, 200, 200],
    ["/", {}, 200, 200, 200, 200],
  ];
  for (const [path, init, ...wanted] of rows) {
    for (const [at, token] of [null, READ, WRITE, ADMIN].entries()) {
      assertEquals(await statusOf(web, path, token, init), wanted[at], `${path} ${token}`);
    }
  }
});

Deno.test("a token that is bound to a prefix sees and changes nothing else", async () => {
  await using web = guarded();
  web.registry.open("1", { id: "door" });
  web.registry.open("2", { id: "pi-7" });
  const ask = async (path: string) =>
    await (await web.fetch(path, { headers: { Authorization: `Bearer ${BOUND}` } })).text();
  assertEquals(await ask("/map"), "{pi-7=2}");
  assertEquals(JSON.parse(await ask("/clients")).clients.length, 1);
  assertEquals(JSON.parse(await ask("/clients?prefix=d")).clients.length, 0);
  assertEquals(JSON.parse(await ask("/clients?count")).count, 1);
  assertEquals(JSON.parse(await ask("/clients/door")).code, "NOT_FOUND");
  assertEquals(JSON.parse(await ask("/metrics")).code, "UNAUTHORIZED");
  assertEquals(JSON.parse(await ask("/watch?prefix=d")).code, "UNAUTHORIZED");
  assertEquals(await statusOf(web, "/clients/door-2", BOUND, { method: "PUT" }), [403, "UNAUTHORIZED"]);
  assertEquals(await statusOf(web, "/clients/pi-8", BOUND, { method: "PUT" }), 201);
});

Deno.test("only an administrator learns where clients are", async () => {
  await using web = guarded();
  assertEquals(await statusOf(web, "/clients/a", WRITE, { method: "PUT", body: "x" }), 201);
  const ask = async (token: string) =>
    await (await web.fetch("/clients/a", { headers: { Authorization: `Bearer ${token}` } })).json();
  assertEquals([(await ask(READ)).address, (await ask(READ)).token], [null, null]);
  assertEquals((await ask(ADMIN)).token, "writer");
});

Deno.test("a wrong token is told apart from none, and no answer has it", async () => {
  const events: ServerEvent[] = [];
  await using web = guarded({}, { onEvent: (event) => events.push(event) });
  for (const header of ["Bearer wrong-0123456789", "Basic dTpw", "Bearer", "Bearer a b"]) {
    const response = await web.fetch("/clients", { headers: { Authorization: header } });
    const text = await response.text();
    assertEquals([response.status, response.headers.get("www-authenticate")], [401, 'Bearer realm="tracker"']);
    assert(!text.includes("wrong-0123456789"));
  }
  await statusOf(web, "/clients/a", READ, { method: "PUT" });
  assert(!JSON.stringify(events).includes(READ));
});

Deno.test("a ticket watches once, and not after its time or its token", async () => {
  let tokens = TOKENS;
  await using web = new WebBench({}, { tokens: () => tokens });
  const give = async () => {
    const response = await web.fetch("/ticket", { method: "POST", headers: { Authorization: `Bearer ${READ}` } });
    return (await response.json()).ticket as string;
  };
  const ticket = await give();
  const client = await web.connect();
  await client.request("GET", `/watch?ticket=${ticket}`);
  await client.until("event: synced");
  assertEquals(await statusOf(web, `/watch?ticket=${ticket}`, null), [401, "TOKEN_NEEDED"]);
  assertEquals(await statusOf(web, `/clients?ticket=${await give()}`, null), [401, "TOKEN_NEEDED"]);
  const late = await give();
  tokens = Tokens.of([{ name: "admin", token: ADMIN, access: "admin" }]);
  assertEquals(await statusOf(web, `/watch?ticket=${late}`, null), [401, "TOKEN_NEEDED"]);
  assert((await client.rest()).includes('"code":"UNAUTHORIZED"'), "a removed token ends its streams");
});

Deno.test("the program that runs the server can decide over HTTP, too", async () => {
  await using web = new WebBench({}, {
    authorize: ({ token }) => token === READ ? { access: "read", prefix: "pi-" } : null,
  });
  web.registry.open("1", { id: "door" });
  assertEquals(await statusOf(web, "/map", READ), 200);
  assertEquals(await statusOf(web, "/clients/door", READ), [404, "NOT_FOUND"]);
  assertEquals(await statusOf(web, "/map", WRITE), [403, "UNAUTHORIZED"]);
  assertEquals(await statusOf(web, "/map", null), [401, "TOKEN_NEEDED"]);
});

Deno.test("strangers do not take the places of clients, and whoever shows a token takes one", async () => {
  await using web = guarded({}, { maxClients: 1 });
  const strangers = [await web.connect(), await web.connect()];
  for (const client of strangers) {
    await client.request("GET", "/health/live");
    assertEquals((await client.response()).status, 200);
  }
  assertEquals(web.server.metrics().now.unauthorized, 2);
  const [one, two] = strangers as [typeof strangers[0], typeof strangers[0]];
  await one!.request("GET", "/map", `Authorization: Bearer ${READ}`);
  assertEquals((await one!.response()).status, 200);
  assertEquals(web.server.metrics().now.unauthorized, 1);
  await two!.request("GET", "/map", `Authorization: Bearer ${READ}`);
  assertEquals(JSON.parse((await two!.response()).body).code, "TOO_MANY_CLIENTS");
  await one!.request("GET", "/map");
  assertEquals((await one!.response()).status, 401);
});

Deno.test("a page of another site may ask nothing, unless it is allowed to", async () => {
  await using web = new WebBench({ allowOrigin: ["https://example.com"] });
  const ask = async (origin: string, init: RequestInit = {}) => {
    const response = await web.fetch("/clients", { ...init, headers: { Origin: origin, ...init.headers } });
    await response.body?.cancel();
    return response;
  };
  const foreign = await ask("https://evil.example");
  assertEquals([foreign.status, foreign.headers.get("access-control-allow-origin")], [403, null]);
  assertEquals((await ask("null")).status, 403);
  const own = await ask(`http://127.0.0.1:${web.port}`);
  assertEquals([own.status, own.headers.get("access-control-allow-origin")], [200, null]);
  const allowed = await ask("https://example.com");
  assertEquals([allowed.status, allowed.headers.get("access-control-allow-origin")], [200, "https://example.com"]);
  assertEquals(allowed.headers.get("vary")?.includes("Origin"), true);
  const preflight = await ask("https://example.com", {
    method: "OPTIONS",
    headers: { "Access-Control-Request-Method": "PUT", "Access-Control-Request-Private-Network": "true" },
  });
  assertEquals(preflight.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  assertEquals(preflight.headers.get("access-control-allow-private-network"), "true");
});

Deno.test("a WebSocket and a stream of another site's page are refused", async () => {
  await using web = new WebBench();
  for (const path of ["/ws", "/watch"]) {
    const client = await web.connect();
    await client.request("GET", path, "Origin: https://evil.example", "Connection: Upgrade", "Upgrade: websocket");
    assertEquals((await client.response()).status, 403);
  }
});

Deno.test("a host that a page has made point to this machine is refused", async () => {
  await using web = new WebBench({ allowOrigin: ["https://tracker.example:8443"] });
  const ask = async (host: string) => {
    const client = await web.connect();
    await client.send(`GET /map HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await client.response()).status;
  };
  for (
    const host of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "[2001:db8::1]:1",
    ]
  ) {
    assertEquals(await ask(host), 421, host);
  }
  for (
    const host of ["localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "[::1]", "tracker.example:8443"]
  ) {
    assertEquals(await ask(host), 200, host);
  }
});

Deno.test("HTTP is spoken only with the networks that are named", async () => {
  await using web = new WebBench({ from: ["10.0.0.0/8"] });
  assertEquals(await statusOf(web, "/health/live", null), [403, "FORBIDDEN_NETWORK"]);
  const client = await web.dial();
  await client.open("still");
});

Deno.test("every response keeps browsers from doing what nobody has asked for", async () => {
  await using web = new WebBench();
  for (const path of ["/", "/map", "/nowhere", "/health/live"]) {
    const response = await web.fetch(path);
    await response.body?.cancel();
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assertEquals(response.headers.get("cross-origin-resource-policy"), "same-origin");
    assert(response.headers.get("content-security-policy")?.startsWith("default-src 'none'"));
    assert(/^no-(store|cache)$/.test(response.headers.get("cache-control")!));
  }
});

Deno.test("HTTP has a port of its own where that is wanted, and then no other", async () => {
  await using web = new WebBench({ port: 0 });
  assert(web.port !== web.server.addr.port);
  assertEquals((await web.ask("/health/live")).status, 200);
  const own = await web.connect();
  await own.send("*\x03");
  assertEquals((await own.response()).status, 400);
  const shared = await web.dial();
  await shared.send("GET / HTTP/1.1\r\n\r\n");
  assert((await shared.readError()).startsWith("BAD_MAGIC"));
});

Deno.test("a fault of the server's own ends one request, and tells nothing of itself but to the log", async () => {
  const events: ServerEvent[] = [];
  await using web = new WebBench({}, { onEvent: (event) => events.push(event) });
  web.registry.flatten = () => {
    throw new Error("secret");
  };
  const response = await web.fetch("/map");
  const text = await response.text();
  assertEquals([response.status, JSON.parse(text).code, text.includes("secret")], [500, "INTERNAL_ERROR", false]);
  assert(events.some((event) => event.kind === "error" && event.error.message.includes("secret")));
  assertEquals((await web.ask("/health/live")).status, 200);
});
