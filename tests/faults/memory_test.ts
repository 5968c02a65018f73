/** Memory of a server at each of its limits, per thing it holds. */

import { assertEquals, assertLess } from "@std/assert";
import { Connection, DEFAULT_MAX_STATE, DEFAULT_MAX_UNSENT, dial, type Stats } from "../../mod.ts";
import { testUnless } from "../support/program.ts";
import type { CrowdJob, CrowdState } from "./support/crowd.ts";
import { Helper } from "./support/helper.ts";
import { affordable, figure, notLinux, scale, size } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

async function gather(
  server: FaultyServer,
  job: Omit<CrowdJob, "port">,
  isThere: (now: Stats["now"]) => boolean,
): Promise<Helper> {
  const crowd = new Helper("crowd.ts", { port: server.port, ...job } satisfies CrowdJob);
  await crowd.answer();
  await server.until(({ now }) => isThere(now));
  return crowd;
}

/** Longest state allowed, in bytes. */
const STATE = DEFAULT_MAX_STATE;

/** Memory of a busy server that does not depend on the number of clients, such as buffers and garbage, in bytes. */
const SLACK = 60 * 2 ** 20;

const CLIENTS = scale(1_000, 16_384);

for (const [kind, most] of [["idle", 40_000], ["open", 50_000]] as const) {
  testUnless(notLinux, `memory of a server full of clients: ${kind}`, async () => {
    const count = affordable(CLIENTS);
    await using server = await startFaulty({ args: ["--log", "off", "--max-clients", `${count + 1}`] });
    const before = await server.residentBytes();
    await using _crowd = await gather(server, { kind, count }, (now) => now.connections === count + 1);
    const each = (await server.residentBytes() - before) / count;
    assertLess(each, most, "bytes of memory for each");
    figure(`memory for each of ${count} clients (--max-clients), ${kind}`, size(each));
  });
}

testUnless(notLinux, "memory of a server full of watchers", async () => {
  const count = scale(500, 4_096);
  await using server = await startFaulty({ args: ["--log", "off", "--max-watchers", `${count}`] });
  const before = await server.residentBytes();
  await using _crowd = await gather(server, { kind: "watcher", count }, (now) => now.watchers === count);
  const each = (await server.residentBytes() - before) / count;
  assertLess(each, 60_000, "bytes of memory for each");
  figure(`memory for each of ${count} watchers (--max-watchers)`, size(each));
});

testUnless(notLinux, "memory of a server full of states, before and after a Get of all of them", async () => {
  const count = scale(256, 4_096);
  const total = count * STATE;
  await using server = await startFaulty({ args: ["--log", "off", "--max-total-state", `${total}`] });
  using asker = await Asker.dial(server);
  const before = await server.residentBytes();
  await using _crowd = await gather(
    server,
    { kind: "open", count, stateLength: STATE },
    (now) => now.stateBytes === total,
  );
  const full = await server.residentBytes() - before;
  assertEquals((await asker.map()).length > total, true);
  const asked = await server.residentBytes() - before;
  assertLess(full, SLACK + total * 1.5, "bytes of memory");
  assertLess(asked, SLACK + total * 3, "bytes of memory after a Get");
  figure(`memory for each byte of ${size(total)} of states (--max-total-state)`, (full / total).toFixed(2));
  figure("the same after a Get of all of them", (asked / total).toFixed(2));
});

testUnless(notLinux, "memory of a server whose watchers are as far behind as allowed", async () => {
  const watchers = scale(20, 200);
  await using server = await startFaulty({ args: ["--log", "off", "--write-timeout", "1s"] });
  // Together just as much as a watcher may be behind without being dropped.
  const states = DEFAULT_MAX_UNSENT / STATE - 1;
  const writers = await Promise.all(Array.from({ length: states }, async () => {
    return new Connection(await dial("127.0.0.1", server.port, undefined, 5_000));
  }));
  let round = 0;
  const change = () => Promise.all(writers.map((writer) => writer.open(`${round++}`.padEnd(STATE, "."))));
  for (let warmUp = 0; warmUp < 20; warmUp++) await change();
  const before = await server.residentBytes();
  await using crowd = await gather(
    server,
    { kind: "deaf watcher", count: watchers },
    (now) => now.watchers >= watchers,
  );
  // Their systems buffer little more than 4 MiB; they are behind by the rest, which is all states but the first.
  for (let more = 0; more < 20; more++) await change();
  const grown = await server.residentBytes() - before;
  assertEquals((await crowd.ask<CrowdState>({})).ended, 0);
  assertLess(grown, SLACK + watchers * 2 ** 18, `${grown} bytes of memory`);
  const what = `${watchers} watchers that read nothing and are ${size(states * STATE)} behind (--max-unsent)`;
  figure(`memory for each of ${what}`, size(grown / watchers));
  for (const writer of writers) await writer.close();
});
