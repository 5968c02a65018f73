import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { bytesOf } from "../support/bytes.ts";
import { WebBench } from "./support/web_bench.ts";

const PUT = { method: "PUT", body: "open" };

Deno.test("a client is set, fetched and removed", async () => {
  await using web = new WebBench();
  const put = await web.ask("/clients/door?for=5m", PUT);
  assertEquals([put.status, put.json.id, put.json.revision], [201, "door", 1]);
  const again = await web.ask("/clients/door", { ...PUT, body: "shut" });
  assertEquals([again.status, again.json.revision], [200, 2]);
  const { status, json, headers } = await web.ask("/clients/door");
  assertEquals([status, headers.get("content-type"), headers.get("etag")], [
    200,
    "application/json",
    `"${web.registry.incarnation}:2"`,
  ]);
  assertEquals([json.id, json.status, json.state], ["door", "detached", "shut"]);
  // The clock is read twice.
  assert(Math.abs(json.until - json.updatedAt - 300_000) < 1_000, `${json.until - json.updatedAt}`);
  assertEquals((await web.ask("/clients/door", { method: "DELETE" })).json, { was: true });
  assertEquals((await web.ask("/clients/door", { method: "DELETE" })).json.code, "NOT_FOUND");
  assertEquals((await web.ask("/clients/door")).status, 404);
  assertEquals(web.registry.size, 0);
});

Deno.test("a state that is not UTF-8 is in base64, and any bytes can be set", async () => {
  await using web = new WebBench();
  await web.ask("/clients/a", { method: "PUT", body: bytesOf(0xff, 0, 1) });
  assertEquals(web.registry.get("a")?.state, bytesOf(0xff, 0, 1));
  const { json } = await web.ask("/clients/a");
  assertEquals([json.state, json.encoding], ["/wAB", "base64"]);
  await web.ask("/clients/b", { method: "PUT" });
  assertEquals((await web.ask("/clients/b")).json.state, "");
});

Deno.test("an identifier may be of any characters, encoded in the path", async () => {
  await using web = new WebBench();
  web.registry.open("x", { id: "a/b ü?" });
  assertEquals((await web.ask(`/clients/${encodeURIComponent("a/b ü?")}`)).json.id, "a/b ü?");
  assertEquals((await web.ask("/clients/%zz")).json.code, "BAD_REQUEST");
  assertEquals((await web.ask("/clients/%ff")).json.code, "BAD_REQUEST");
});

Deno.test("clients are listed in the order of opening, and selected", async () => {
  await using web = new WebBench();
  assertEquals((await web.ask("/clients")).json, { revision: 0, clients: [] });
  for (const id of ["b", "a", "c-1", "c-2"]) web.registry.open(id, { id });
  web.registry.put("x", { id: "c-3", until: Date.now() + 1_000 });
  const ids = async (query: string) =>
    (await web.ask(`/clients${query}`)).json.clients.map(({ id }: { id: string }) => id);
  assertEquals(await ids(""), ["b", "a", "c-1", "c-2", "c-3"]);
  assertEquals(await ids("?prefix=c-"), ["c-1", "c-2", "c-3"]);
  assertEquals(await ids("?status=detached"), ["c-3"]);
  assertEquals(await ids("?prefix=c-&status=live"), ["c-1", "c-2"]);
  assertEquals(await ids("?prefix=z"), []);
  assertEquals((await web.ask("/clients?count")).json, { count: 5 });
  assertEquals((await web.ask("/clients?prefix=c-&count=true&status=live")).json, { count: 2 });
  assertEquals((await web.ask("/clients?status=gone")).json.code, "BAD_REQUEST");
  assertEquals((await web.ask("/clients?limit=0")).json.code, "BAD_REQUEST");
  assertEquals((await web.ask("/clients?limit=1&limit=2")).json.code, "BAD_REQUEST");
});

Deno.test("pages go through all clients in order of identifier, however long", async () => {
  await using web = new WebBench();
  for (let at = 0; at < 2_500; at++) web.registry.open(`${at}`, { id: `pi-${at}` });
  const seen: string[] = [];
  for (let after: string | undefined = ""; after !== undefined;) {
    const query: string = after === "" ? "" : `&after=${after}`;
    const { json } = await web.ask(`/clients?limit=999${query}`);
    seen.push(...json.clients.map(({ id }: { id: string }) => id));
    after = json.next;
  }
  assertEquals(seen, Array.from({ length: 2_500 }, (_, at) => `pi-${at}`).sort());
  const whole = await web.ask("/clients");
  assertEquals([whole.json.clients.length, whole.headers.get("content-length")], [2_500, null]);
});

Deno.test("who has the present state is told so, and a change is another tag", async () => {
  await using web = new WebBench();
  web.registry.open("1", { id: "a" });
  for (const path of ["/clients", "/map", "/clients/a"]) {
    const first = await web.fetch(path);
    await first.body?.cancel();
    const tag = first.headers.get("etag")!;
    const second = await web.fetch(path, { headers: { "If-None-Match": `"x", W/${tag}` } });
    assertEquals([second.status, await second.text(), second.headers.get("etag")], [304, "", tag]);
    web.registry.update(web.registry.get("a")!, "2");
    const third = await web.fetch(path, { headers: { "If-None-Match": tag } });
    await third.body?.cancel();
    assertEquals(third.status, 200);
  }
});

Deno.test("a request can wait for a change", async () => {
  await using web = new WebBench();
  web.registry.open("1", { id: "a" });
  const tag = (await web.ask("/clients")).headers.get("etag")!;
  // Another revision is no reason to wait.
  assertEquals((await web.ask("/clients?wait=0")).status, 200);
  const waiting = web.ask(`/clients?prefix=b&wait=${encodeURIComponent(tag)}`);
  const other = web.ask("/map?wait=1&timeout=0");
  assertEquals([(await other).status, (await other).json], [304, null]);
  web.registry.update(web.registry.get("a")!, "2");
  web.registry.open("3", { id: "b" });
  const { json } = await waiting;
  assertEquals([json.revision, json.clients.map(({ id }: { id: string }) => id)], [3, ["b"]]);
  assertEquals((await web.ask("/map?wait=now")).json.code, "BAD_REQUEST");
  assertEquals((await web.ask("/map?wait=3&timeout=2m")).json.code, "BAD_REQUEST");
});

Deno.test("preconditions keep a late change from replacing another", async () => {
  await using web = new WebBench();
  const put = (headers: Record<string, string>) => web.ask("/clients/a", { ...PUT, headers });
  assertEquals((await put({ "If-Match": "*" })).json.code, "PRECONDITION_FAILED");
  const first = await put({ "If-None-Match": "*" });
  assertEquals(first.status, 201);
  assertEquals((await put({ "If-None-Match": "*" })).status, 412);
  const tag = first.headers.get("etag")!;
  assertEquals((await put({ "If-Match": tag })).status, 200);
  assertEquals((await put({ "If-Match": tag })).json.code, "PRECONDITION_FAILED");
  assertEquals((await put({ "If-Match": '"another:2"' })).status, 412);
  assertEquals((await put({ "If-Match": "2" })).status, 200);
  assertEquals((await put({ "If-Match": "*" })).status, 200);
  assertEquals((await put({ "If-Match": "two" })).json.code, "BAD_REQUEST");
  const dropped = await web.ask("/clients/a", { method: "DELETE", headers: { "If-Match": tag } });
  assertEquals([dropped.status, web.registry.size], [412, 1]);
});

Deno.test("names, limits and times are those of every other way", async () => {
  await using web = new WebBench({}, { maxState: 4, maxTotalState: 6 });
  const code = async (path: string, init: RequestInit) => {
    const { status, json } = await web.ask(path, init);
    return [status, json.code];
  };
  assertEquals(await code("/clients/client7", PUT), [400, "BAD_HELLO"]);
  assertEquals(await code("/clients/a%20b", PUT), [400, "BAD_HELLO"]);
  assertEquals(await code("/clients/a", { ...PUT, body: "12345" }), [413, "STATE_TOO_LARGE"]);
  assertEquals(await code("/clients/a?for=0", PUT), [400, "BAD_REQUEST"]);
  assertEquals(await code("/clients/a?for=25h", PUT), [400, "BAD_REQUEST"]);
  assertEquals(await code("/clients/a?for=soon", PUT), [400, "BAD_REQUEST"]);
  assertEquals((await web.ask("/clients/a", PUT)).status, 201);
  assertEquals(await code("/clients/b", PUT), [507, "TOO_MUCH_STATE"]);
  const now = Date.now();
  assertEquals((await web.ask(`/clients/a?issued=${now}`, PUT)).status, 200);
  assertEquals(await code(`/clients/a?issued=${now - 1}`, PUT), [409, "SUPERSEDED"]);
});

Deno.test("a connected client keeps its name, unless it is taken over or kicked", async () => {
  await using web = new WebBench();
  await using client = await connect({ port: web.server.addr.port, name: "pi", state: "live" });
  const { status, json } = await web.ask("/clients/pi", PUT);
  assertEquals([status, json.code], [409, "NAME_TAKEN"]);
  assertEquals((await web.ask("/clients/pi", { method: "DELETE" })).status, 409);
  assertEquals((await web.ask("/clients/pi")).json.dialect, "wide");
  assertMatch((await web.ask("/clients/pi")).json.address, /^127\.0\.0\.1:\d+$/);
  assertEquals((await web.ask("/clients/pi?takeover", PUT)).status, 200);
  await client.finished;
  assertEquals(client.error?.code, "TAKEN_OVER");
  await using next = await connect({ port: web.server.addr.port, name: "pi-2", state: "live" });
  const kick = { method: "POST", body: JSON.stringify({ reason: "out of order", for: 60 }) };
  assertEquals((await web.ask("/clients/pi-2/kick", kick)).json, { was: true });
  await next.finished;
  assert(next.error?.message.includes("out of order"));
  assertEquals((await web.ask("/clients/pi-2", PUT)).json.code, "KICKED");
  assertEquals((await web.ask("/clients/pi-3/kick", { method: "POST" })).status, 404);
  assertEquals((await web.ask("/clients/pi-3/kick", { method: "POST", body: "[]" })).json.code, "BAD_HELLO");
});

Deno.test("the map is as Get has it, also a long one", async () => {
  await using web = new WebBench();
  assertEquals(await (await web.fetch("/map")).text(), "{}");
  web.registry.open(bytesOf(0xff), { id: "a" });
  const short = await web.fetch("/map");
  assertEquals(new Uint8Array(await short.arrayBuffer()), bytesOf("{a=", 0xff, "}"));
  assertEquals(short.headers.get("content-type"), "application/octet-stream");
  for (let at = 0; at < 5; at++) web.registry.open("x".repeat(60_000));
  const long = await web.fetch("/map");
  assertEquals(new Uint8Array(await long.arrayBuffer()), web.registry.flatten());
  assertEquals(long.headers.get("content-length"), `${web.registry.flatLength}`);
});
