/** What a server says of how it is doing, as a client reads it. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect, parseStats, serve, TrackerError } from "../../mod.ts";
import { bytesOf } from "../support/bytes.ts";

Deno.test("a client is told what the server counts", async () => {
  await using server = serve({ port: 0 });
  await using client = await connect({ port: server.addr.port, state: "abc" });
  const { version, incarnation, now, messages } = await client.stats();
  const own = server.metrics();
  assertEquals([version, incarnation], [own.version, own.incarnation]);
  assertEquals(now, { connections: 1, clients: 1, suspects: 0, watchers: 0, stateBytes: 3 });
  assertEquals(messages, { wide: { open: 1, hello: 1, stats: 1 } });
});

Deno.test("asking for the report needs a Hello", async () => {
  await using server = serve({ port: 0 });
  await using client = await connect({ port: server.addr.port, hello: false });
  assertEquals((await assertRejects(() => client.stats(), TrackerError)).code, "BAD_ARGUMENT");
});

Deno.test("a report that lacks a member, or has one of another type, is refused; one of a later version is not", () => {
  const report: Record<string, unknown> = {
    version: "1",
    incarnation: "x",
    uptime: 1,
    revision: 0,
    now: { connections: 0, clients: 0, suspects: 0, watchers: 0, stateBytes: 0 },
    accepted: 1,
    messages: { wide: { hello: 1 } },
    bytes: { received: 1, sent: 2 },
    errors: {},
    refused: {},
    conflated: 0,
    lag: { last: 0, worst: 0 },
    ghost: { bounds: [1], counts: [0, 0], count: 0, sum: 0 },
  };
  const parse = (value: unknown) => parseStats(bytesOf(JSON.stringify(value)));
  assertEquals<unknown>(parse({ ...report, later: true }), { ...report, later: true });
  for (const name of Object.keys(report)) {
    for (const wrong of [undefined, null, "\x1b", {}, [1], { wide: "\x1b" }]) {
      // Nothing was counted yet: that is no fault.
      if (/^(errors|refused|messages)$/.test(name) && JSON.stringify(wrong) === "{}") continue;
      if (typeof report[name] === "string" && typeof wrong === "string") continue;
      const error = assertThrows(() => parse({ ...report, [name]: wrong }), TrackerError);
      assertEquals(error.code, "BAD_REPLY", `${name} ${JSON.stringify(wrong)}`);
    }
  }
  for (const text of ["", "[]", "null", "{"]) {
    assertEquals(assertThrows(() => parseStats(bytesOf(text)), TrackerError).code, "BAD_REPLY");
  }
});
