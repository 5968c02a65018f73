import { assertEquals, assertGreater, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { connect, MAX_REQUEST, serve, TrackerError } from "../../mod.ts";
import { encodeJson, parseStats, REPLY_STATS, ReplyParser } from "../../lib/wire/mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";

Deno.test("client reads the report of its server", async () => {
  await using server = serve({ port: 0 });
  await using client = await connect({ port: server.addr.port, state: "abc" });
  const { version, incarnation, now, messages } = await client.stats();
  const own = server.metrics();
  assertEquals([version, incarnation], [own.version, own.incarnation]);
  assertEquals(now, { connections: 1, unauthorized: 0, clients: 1, suspects: 0, watchers: 0, stateBytes: 3 });
  assertEquals(messages, { wide: { open: 1, hello: 1, stats: 1 } });
});

Deno.test("report is only for connections that began with a Hello", async () => {
  await using server = serve({ port: 0 });
  await using client = await connect({ port: server.addr.port, hello: false });
  assertEquals((await assertRejects(() => client.stats(), TrackerError)).code, "BAD_ARGUMENT");
});

/** A report as small as it can be. */
const REPORT: Readonly<Record<string, unknown>> = {
  version: "1",
  incarnation: "x",
  uptime: 1,
  revision: 0,
  now: { connections: 0, unauthorized: 0, clients: 0, suspects: 0, watchers: 0, stateBytes: 0 },
  accepted: 1,
  messages: { wide: { hello: 1 } },
  bytes: { received: 1, sent: 2 },
  tlsErrors: 0,
  errors: {},
  refused: {},
  conflated: 0,
  lag: { last: 0, worst: 0 },
  ghost: { bounds: [1], counts: [0, 0], count: 0, sum: 0 },
};

function parse(report: object): unknown {
  return parseStats(encodeJson(report));
}

function refusal(parse: () => unknown): string {
  const { code, message } = assertThrows(parse, TrackerError);
  assertEquals(code, "BAD_REPLY");
  return message;
}

Deno.test("report with a member that is missing or of a wrong type is refused", () => {
  for (const name of Object.keys(REPORT)) {
    for (const wrong of [undefined, null, "\x1b", {}, [1], { wide: "\x1b" }]) {
      // Counters without a count are empty.
      if (/^(errors|refused|messages)$/.test(name) && JSON.stringify(wrong) === "{}") continue;
      if (typeof REPORT[name] === "string" && typeof wrong === "string") continue;
      const message = refusal(() => parse({ ...REPORT, [name]: wrong }));
      assertMatch(message, new RegExp(`the report's ${name}\\b`), JSON.stringify(wrong));
    }
  }
  for (const text of ["", "[]", "null", "{"]) refusal(() => parseStats(bytesOf(text)));
});

Deno.test("report of a server that does not count failed TLS handshakes is refused", () => {
  const { tlsErrors: _, ...older } = REPORT;
  const why = "the report's tlsErrors is missing or of a wrong type";
  assertEquals(refusal(() => parse(older)), `Cannot parse reply: ${why}`);
});

Deno.test("report with members of a later version is accepted", () => {
  assertEquals<unknown>(parse({ ...REPORT, later: true }), { ...REPORT, later: true });
});

Deno.test("report longer than a request may be goes through", () => {
  const errors = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`LONG_CODE_${index}`, index]));
  const report = { ...REPORT, errors };
  const json = encodeJson(report);
  assertGreater(json.length, MAX_REQUEST);
  const reply = bytesOf(longLength(json.length), json);
  const parser = new ReplyParser();
  assertEquals(parser.next(reply, 0, reply.length, "stats"), REPLY_STATS);
  assertEquals<unknown>(parseStats(reply.subarray(parser.payloadStart, parser.payloadEnd)), report);
});
