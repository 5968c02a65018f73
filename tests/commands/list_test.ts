import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { assertHarmless, HOSTILE_TEXTS } from "../support/hostile.ts";
import { hostileRegistry, output, startOwnServer } from "../support/command_clients.ts";
import { fail } from "../support/program.ts";

Deno.test("list prints the clients with their status, times and states", async () => {
  await using server = startOwnServer();
  await using _one = await connect({ port: server.addr.port, name: "pi-7", state: "on" });
  const other = await connect({ port: server.addr.port, name: "robot", state: "idle now", grace: 60 });
  await other.detach();
  const lines = (await output(["list", ...server.flags])).split("\n");
  // Late in the evening it expires on another day, which makes the column wider.
  assertMatch(lines[0]!, /^ID {5}STATUS {3}SINCE {5}UPDATED {3}EXPIRES {3,5}STATE$/);
  assertMatch(lines[1]!, /^pi-7 {3}live {5}\d\d:\d\d:\d\d {2}\d\d:\d\d:\d\d {2}- {9,11}on$/);
  const expires =
    /^robot {2}suspect {2}\d\d:\d\d:\d\d {2}\d\d:\d\d:\d\d {2}(?:\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d) {2}idle now$/;
  assertMatch(lines[2]!, expires);
  assertEquals(lines.slice(3), [""]);
  const some = await output(["list", ...server.flags, "--prefix", "pi-"]);
  assertEquals(some.split("\n").map((line) => line.split(" ")[0]), ["ID", "pi-7", ""]);
});

Deno.test("list --json prints what the library returns, and binary states in base64", async () => {
  await using server = startOwnServer();
  await using client = await connect({ port: server.addr.port, name: "a", state: "\ufeffé" });
  await using _other = await connect({ port: server.addr.port, name: "b", state: Uint8Array.of(0xff, 0x00) });
  const { revision, records } = await client.list({ details: true });
  const forms = [{ state: "\ufeffé" }, { state: "/wA=", encoding: "base64" }];
  assertEquals(JSON.parse(await output(["list", "--json", ...server.flags])), {
    revision,
    clients: records.map(({ state: _, details, ...record }, at) => {
      return { ...record, ...details, until: null, ...forms[at] };
    }),
  });
  assertEquals(JSON.parse(await output(["list", "--json", "--prefix=x", ...server.flags])).clients, []);
});

Deno.test("get --json prints an array that no state can forge", async () => {
  await using server = startOwnServer();
  assertEquals(await output(["get", "--json", ...server.flags]), "[]\n");
  await using _client = await connect({ port: server.addr.port, state: "a, client9=b" });
  await using _other = await connect({ port: server.addr.port, state: Uint8Array.of(0xc3) });
  assertEquals(JSON.parse(await output(["get", "--json", ...server.flags])), [
    { id: "client1", state: "a, client9=b" },
    { id: "client2", state: "ww==", encoding: "base64" },
  ]);
  assertMatch(await fail(["get", "--json", "--dialect=java", ...server.flags], 1), /the java dialect has no Hello$/);
});

Deno.test("no client can send commands to the terminal of list and get", async () => {
  await using server = startOwnServer({ registry: hostileRegistry() });
  const table = await output(["list", ...server.flags]);
  assertHarmless(table);
  assertEquals(table.trimEnd().split("\n").length, Object.keys(HOSTILE_TEXTS).length + 2);
  for (const args of [["list", "--json"], ["get", "--json"]]) {
    const json = await output([...args, ...server.flags]);
    assertHarmless(json);
    const parsed = JSON.parse(json);
    const clients: { id: string; state: string }[] = parsed.clients ?? parsed;
    assertEquals(clients.map(({ state }) => state), [...Object.values(HOSTILE_TEXTS), "/xub"]);
  }
});
