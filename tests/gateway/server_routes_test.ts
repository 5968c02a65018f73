import { assert, assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { isInstalled, testUnless } from "../support/program.ts";
import { WebBench } from "./support/web_bench.ts";

const noPromtool = await isInstalled("promtool") ? undefined : "promtool is not installed";

/** The values of metrics, by name and labels. */
function valuesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

async function metricsOf(web: WebBench, accept = "*/*"): Promise<Response> {
  return await web.fetch("/metrics", { headers: { Accept: accept } });
}

Deno.test("metrics tell what the server holds and has counted", async () => {
  await using web = new WebBench({ metricsPrefixes: ["pi-", 'a"b\\'] });
  await using _client = await connect({ port: web.port, name: "pi-1", state: "x", grace: 60 });
  await web.ask("/clients/pi-2", { method: "PUT", body: "yy" });
  await web.ask("/nowhere");
  await web.ask("/clients/client1", { method: "PUT" });
  const values = valuesOf(await (await metricsOf(web)).text());
  assertEquals(values.get('tracker_clients{status="live"}'), 1);
  assertEquals(values.get('tracker_clients{status="detached"}'), 1);
  assertEquals(values.get('tracker_prefix_clients{prefix="pi-"}'), 2);
  assertEquals(values.get('tracker_prefix_clients{prefix="a\\"b\\\\"}'), 0);
  assertEquals(values.get('tracker_messages_total{type="put",dialect="http"}'), 2);
  assertEquals(values.get('tracker_messages_total{type="open",dialect="wide"}'), 1);
  assertEquals(values.get('tracker_errors_total{code="BAD_HELLO"}'), 1);
  assertEquals(values.get("tracker_state_bytes"), 3);
  assertEquals(values.get("tracker_ready"), 1);
  assertEquals(values.get('tracker_ghost_seconds_bucket{le="+Inf"}'), 0);
  assert(values.get("process_resident_memory_bytes")! > 1_000_000);
});

Deno.test("a client that was lost is in the histogram, whose buckets count everything below them", async () => {
  await using web = new WebBench();
  const client = await web.dial();
  await client.open("x");
  client.connection.close();
  await web.until(() => web.registry.size === 0);
  const values = valuesOf(await (await metricsOf(web)).text());
  const buckets = [...values].filter(([name]) => name.startsWith("tracker_ghost_seconds_bucket"));
  const counts = buckets.map(([, count]) => count);
  assertEquals(counts, counts.toSorted());
  assertEquals([counts.at(-1), values.get("tracker_ghost_seconds_count")], [1, 1]);
});

Deno.test("metrics come in the format that is asked for", async () => {
  await using web = new WebBench();
  const text = await metricsOf(web);
  assertEquals(text.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert(!(await text.text()).includes("# EOF"));
  const open = await metricsOf(web, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  assertEquals(open.headers.get("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const body = await open.text();
  assert(body.endsWith("\n# EOF\n"));
  assert(body.includes("# TYPE tracker_messages counter\ntracker_messages_total{"), body);
  assert(body.includes("# UNIT tracker_state_bytes bytes\n"));
});

testUnless(noPromtool, "promtool has nothing to say against the metrics", async () => {
  await using web = new WebBench({ metricsPrefixes: ["pi-"] });
  await web.ask("/clients/pi-2", { method: "PUT", body: "yy" });
  const text = await (await metricsOf(web)).bytes();
  const promtool = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = promtool.stdin.getWriter();
  await writer.write(text);
  await writer.close();
  const { code, stdout, stderr } = await promtool.output();
  assertEquals([code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)], [0, "", ""]);
});

testUnless(noPromtool, "promtool has nothing to say against the rules", async () => {
  const path = new URL("../../lib/gateway/alerts.yml", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command("promtool", { args: ["check", "rules", path] }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});

Deno.test("the description names every route and what it answers, and nothing else", async () => {
  await using web = new WebBench();
  const { json } = await web.ask("/openapi.json");
  assertEquals(json.openapi, "3.1.0");
  const names = new Set<string>();
  for (const [path, methods] of Object.entries<Record<string, Described>>(json.paths)) {
    const allowed = await web.fetch(path.replace("{id}", "x"), { method: "OPTIONS" });
    const known = allowed.headers.get("allow")!.split(", ").filter((name) => name !== "HEAD" && name !== "OPTIONS");
    assertEquals(Object.keys(methods).map((name) => name.toUpperCase()), known, path);
    for (const [method, { operationId, parameters, responses }] of Object.entries(methods)) {
      assert(!names.has(operationId), operationId);
      names.add(operationId);
      assertEquals(parameters.some((each) => each.in === "path"), path.includes("{id}"));
      if (path === "/watch") continue;
      const client = await web.connect();
      await client.request(method.toUpperCase(), path.replace("{id}", "x"), "Connection: close", "Content-Length: 0");
      const { status, headers } = await client.response();
      const response = responses[status] ?? responses["default"]!;
      const type = headers.get("content-type")?.split(";")[0];
      assertEquals(
        type,
        Object.keys(response.content ?? {})[0] ?? "application/problem+json",
        `${method} ${path} ${status}`,
      );
    }
  }
  const schemas = Object.keys(json.components.schemas);
  const used = new Set(JSON.stringify(json).match(/(?<=schemas\/)\w+/g));
  assertEquals(schemas.filter((name) => !used.has(name) && name !== "Event"), []);
  assertEquals([...used].filter((name) => !schemas.includes(name)), []);
});

interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, unknown> }>>;
}

Deno.test("what is answered is as its description says", async () => {
  await using web = new WebBench();
  const { json } = await web.ask("/openapi.json");
  await web.ask("/clients/a", { method: "PUT", body: "x" });
  const shapes: [unknown, string][] = [
    [(await web.ask("/clients/a")).json, "Client"],
    [(await web.ask("/clients")).json, "List"],
    [(await web.ask("/clients?limit=1")).json, "List"],
    [(await web.ask("/clients?count")).json, "List"],
    [(await web.ask("/clients/a", { method: "PUT" })).json, "Set"],
    [(await web.ask("/clients/a", { method: "DELETE" })).json, "Removal"],
    [(await web.ask("/nowhere")).json, "Problem"],
    [(await web.ask("/ticket", { method: "POST" })).json, "Ticket"],
    [(await web.ask("/health/live")).json, "Health"],
  ];
  for (const [value, name] of shapes) {
    const { required, properties } = json.components.schemas[name];
    const members = Object.keys(value as object);
    assertEquals(required.filter((member: string) => !members.includes(member)), [], name);
    assertEquals(members.filter((member) => !Object.hasOwn(properties, member)), [], name);
  }
});

Deno.test("health is told to everybody, and the page lists every route", async () => {
  await using web = new WebBench();
  assertEquals((await web.ask("/health/live")).json, { status: "live" });
  assertEquals((await web.ask("/health/ready")).json, { status: "ready" });
  const page = await (await web.fetch("/")).text();
  const { json } = await web.ask("/openapi.json");
  for (const path of Object.keys(json.paths)) assert(page.includes(`<code>`) && page.includes(path), path);
});
