/** Connections to a server with tokens that show none. */

import { assertEquals, assertLess } from "@std/assert";
import { Tokens } from "../../mod.ts";
import { Crowd, crowdedOutError } from "../../lib/server/crowd.ts";
import { SessionHost } from "./support/session_host.ts";
import { longLength } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

const TOKEN = "a-token-for-writing";
const TOKENS = Tokens.parse(`robots:${TOKEN}`);

function stranger(hostname: string): { readonly peer: { transport: "tcp"; hostname: string; port: number } } {
  return { peer: { transport: "tcp", hostname, port: 0 } };
}

Deno.test("for one stranger too many the oldest has to go", () => {
  const strangers = Array.from({ length: 6 }, (_, index) => stranger(`10.0.0.${index}`));
  const unauthorized = new Crowd<typeof strangers[number]>(4);
  assertEquals(strangers.map((each) => strangers.indexOf(unauthorized.add(each)!)), [-1, -1, -1, -1, 0, 1]);
  assertEquals([...unauthorized], strangers.slice(2));
  assertEquals([unauthorized.delete(strangers[0]!), unauthorized.delete(strangers[2]!)], [false, true]);
  assertEquals(unauthorized.size, 3);
});

Deno.test("an address with a quarter of the places makes room for itself", () => {
  const unauthorized = new Crowd<ReturnType<typeof stranger>>(8);
  const patient = stranger("10.0.0.1");
  unauthorized.add(patient);
  const flood = Array.from({ length: 100 }, () => stranger("10.6.6.6"));
  const gone = flood.map((each) => unauthorized.add(each)).filter((each) => each !== null);
  assertEquals(gone.length, 93);
  assertEquals(gone, flood.slice(0, 93));
  assertEquals([...unauthorized][0], patient);
});

Deno.test("an owner of many IPv6 addresses has no more places than one with a single address", () => {
  const unauthorized = new Crowd<ReturnType<typeof stranger>>(8);
  const patient = stranger("2001:db8::1");
  unauthorized.add(patient);
  const flood = Array.from({ length: 100 }, (_, index) => stranger(`2001:db8:0:1::${index}`));
  const gone = flood.map((each) => unauthorized.add(each)).filter((each) => each !== null);
  assertEquals(gone, flood.slice(0, 93));
  for (const each of [patient, ...flood.slice(93)]) assertEquals(unauthorized.delete(each), true);
  assertEquals(unauthorized.size, 0);
});

Deno.test("a client with a token comes in while strangers fill every place that they may have", async () => {
  await using bench = new TcpBench({ tokens: TOKENS, maxClients: 1, maxUnauthorized: 4 });
  const [first] = await Promise.all(Array.from({ length: 1 }, () => bench.dial()));
  for (let count = 0; count < 4; count++) await bench.dial();
  assertEquals(await first!.readError(), `RATE_LIMITED: ${crowdedOutError().message}`);
  const robot = await bench.dial();
  await robot.hello({ token: TOKEN, name: "r2" });
  await robot.open("beep");
  const { now, refused } = bench.server.metrics();
  assertEquals([now.clients, now.unauthorized], [1, 3]);
  assertEquals(refused, { unauthorized: 2 });
  // The limit on clients is another one, and still holds.
  const late = await bench.dial();
  await late.send(42, 4, longLength(TOKEN.length + 12), `{"token":"${TOKEN}"}`);
  assertEquals((await late.readError()).split(":")[0], "TOO_MANY_CLIENTS");
});

Deno.test("what a stranger sends takes no more room than a Hello, whatever states may be", async () => {
  const rules = { tokens: () => TOKENS, authorize: null, trustedNetworks: [] };
  await using host = new SessionHost({ maxState: 2 ** 24 }, undefined, rules);
  const peer = host.connect();
  await peer.send(42, 0, longLength(2 ** 24));
  assertEquals(await peer.readErrorCode(), "UNAUTHORIZED");
  const patient = host.connect();
  await patient.send(42, 4, longLength(4_096), new Uint8Array(4_000));
  assertLess(patient.session.bufferSize, 8_193);
  const robot = host.connect();
  await robot.hello({ token: TOKEN });
  await robot.open("x".repeat(100_000));
  assertEquals(host.registry.stateBytes, 100_000);
});

Deno.test("a server is stopped while strangers are connected, and they are told", async () => {
  const bench = new TcpBench({ tokens: TOKENS });
  const silent = await bench.dial();
  await bench.server.shutdown();
  assertEquals((await silent.readError()).split(":")[0], "SHUTTING_DOWN");
  await bench[Symbol.asyncDispose]();
});
