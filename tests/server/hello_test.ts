/** Hello: what it grants and refuses. */

import { assert, assertEquals } from "@std/assert";
import { Registry } from "../../mod.ts";
import { delay } from "../../lib/base/async.ts";
import { SessionHost } from "./support/session_host.ts";

Deno.test("a Hello is answered with what the server is and what it grants", async () => {
  await using host = new SessionHost({ maxState: 1_000 }, new Registry({ incarnation: "first" }));
  const plain = await host.greet();
  const { version, ...rest } = plain.greeting;
  assert(/^\d+\.\d+\.\d+$/.test(version));
  const expected = { server: "tracker", incarnation: "first", id: null, resume: null, heartbeat: 0, grace: 0 };
  assertEquals(rest, { ...expected, maxState: 1_000, edition: 2 });
  const named = await host.greet({ name: "robot:7", heartbeat: 5, grace: 30 });
  const { id, heartbeat, grace, resume } = named.greeting;
  assertEquals({ id, heartbeat, grace }, { id: "robot:7", heartbeat: 5, grace: 30 });
  assert(/^[0-9a-f]{32}$/.test(resume ?? ""));
});

Deno.test("a named client has its name as its identifier, and others are numbered", async () => {
  await using host = new SessionHost();
  const named = await host.greet({ name: "ada" });
  assertEquals(host.map, "{}");
  await named.open("here");
  await (await host.greet()).open("too");
  assertEquals(host.map, "{ada=here, client1=too}");
  await named.leave();
  assertEquals(host.map, "{client1=too}");
});

Deno.test("an invalid Hello is refused, and unknown members are ignored", async () => {
  await using host = new SessionHost();
  const wrong = [
    [],
    "ada",
    null,
    { name: "" },
    { name: "client7" },
    { name: "a b" },
    { name: "ä" },
    { name: "x".repeat(129) },
    { name: 7 },
    { heartbeat: 0.5 },
    { heartbeat: 3_601 },
    { heartbeat: "5" },
    { grace: -1 },
    { grace: 86_401 },
    { takeover: 1 },
    { resume: 5 },
    { token: {} },
  ];
  for (const request of wrong) {
    const peer = host.connect();
    await peer.request(4, request);
    assertEquals(await peer.readErrorCode(), "BAD_HELLO", JSON.stringify(request));
  }
  for (const request of [{ name: "client" }, { name: "client7x" }, { name: "x".repeat(128) }, { colour: "red" }]) {
    await host.greet(request);
  }
});

Deno.test("a client that is silent for 2.5 times its heartbeat is closed", async () => {
  await using host = new SessionHost();
  const peer = await host.greet({ heartbeat: 1 });
  await peer.open("x");
  const start = performance.now();
  await delay(400);
  await peer.send(42, 7);
  await peer.expect(1);
  const heard = performance.now();
  assertEquals(await peer.readErrorCode(), "TIMEOUT");
  const silence = performance.now() - heard;
  assert(silence >= 2_450 && silence < 3_200, `closed after ${silence} ms`);
  assert(performance.now() - start >= 2_800);
  assertEquals(host.map, "{}");
});
