import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../mod.ts";
import { assertHarmless } from "../support/hostile.ts";
import { output, startOwnServer, startScript } from "../support/command_clients.ts";
import { run } from "../support/program.ts";
import { greetingReply, jsonReply } from "../support/greeting.ts";

Deno.test("stats prints what the server holds and has counted", async () => {
  await using server = startOwnServer();
  await using _client = await connect({ port: server.addr.port, state: "x".repeat(1_234) });
  const table = await output(["stats", ...server.flags]);
  assertStringIncludes(table, "clients          1, of which 0 suspect\n");
  assertStringIncludes(table, "connections      2, of which 0 watch\n");
  assertStringIncludes(table, "states           1,234 bytes, revision 1\n");
  assertStringIncludes(table, "wide messages    open 1, hello 2, stats 1\n");
});

Deno.test("stats --json prints the report of the server unchanged", async () => {
  await using server = startOwnServer();
  const { uptime, bytes, lag: _, ...report } = JSON.parse(await output(["stats", "--json", ...server.flags]));
  const { uptime: _uptime, bytes: _bytes, lag: _lag, ...own } = server.metrics();
  assertEquals(report, { ...own, now: { ...own.now, connections: 1 } });
  assertEquals([typeof uptime, typeof bytes.sent], ["number", "number"]);
});

Deno.test("an invalid report is refused, and no report can send commands to the terminal", async () => {
  const evil = "\\u001b[2J";
  const report = {
    version: evil,
    incarnation: evil,
    uptime: 1,
    revision: 0,
    now: { connections: 0, unauthorized: 0, clients: 0, suspects: 0, watchers: 0, stateBytes: 0 },
    accepted: 1,
    tlsErrors: 0,
    messages: { [evil]: { [evil]: 1 } },
    bytes: { received: 1, sent: 2 },
    errors: { [evil]: 1 },
    refused: { [evil]: 1 },
    conflated: 0,
    lag: { last: 0, worst: 0 },
    ghost: { bounds: [1], counts: [0, 0], count: 0, sum: 0 },
  };
  const json = JSON.stringify(report).replaceAll("\\\\u001b", "\\u001b");
  for (const flags of [[], ["--json"]]) {
    await using server = startScript([greetingReply(), jsonReply(json)]);
    const text = await output(["stats", ...flags, ...server.flags]);
    assertHarmless(text);
    assertStringIncludes(text, flags.length === 0 ? "\\x1b[2J" : "\\u001b[2J");
  }
  await using server = startScript([greetingReply(), jsonReply("{}")]);
  const { code, stderr } = await run(["stats", ...server.flags]);
  assertEquals(code, 1);
  assertMatch(stderr, /^tracker: Cannot parse reply: the report's version is missing or of a wrong type\n$/);
});
