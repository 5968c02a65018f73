/** A server without a free file descriptor. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { bytesOf, readExactly, writeFully } from "../support/bytes.ts";
import { testUnless } from "../support/program.ts";
import { figure, notLinux, scale } from "./support/scale.ts";
import { Asker, startFaulty } from "./support/server.ts";

const LIMIT = 64;

async function open(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ port });
  await writeFully(connection, bytesOf(42, 0, 1, "s"));
  return connection;
}

/** Whether the server has answered the Open so far. */
async function isAnswered(connection: Deno.TcpConn): Promise<boolean> {
  return (await readExactly(connection, 1))[0] === 1;
}

testUnless(notLinux, "a server out of descriptors serves its clients and accepts the others later", async () => {
  await using server = await startFaulty({ shell: `ulimit -n ${LIMIT}; exec "$@"` });
  using asker = await Asker.dial(server);
  const connections = await Promise.all(Array.from({ length: 100 }, () => open(server.port)));
  const { message } = await server.logged({ event: "accept-error" });
  const { accepted } = await asker.stats();
  assertLess(accepted, LIMIT);

  const before = await server.cpuSeconds();
  const milliseconds = scale(1_000, 10_000);
  await delay(milliseconds);
  const share = (await server.cpuSeconds() - before) / (milliseconds / 1_000);
  assertLess(share, 0.2, "of a processor while it cannot accept");
  assertEquals((await asker.stats()).accepted, accepted);
  assertEquals((await asker.map()).split(", ").length, accepted - 1, "accepted clients are in the map");

  const served = connections.splice(0, accepted - 1);
  assertEquals(await Promise.all(served.map(isAnswered)), served.map(() => true));
  const givenBack = performance.now();
  for (const connection of served) connection.close();
  // The others have been waiting in the system's queue.
  const next = connections.splice(0, 20);
  assertEquals(await Promise.all(next.map(isAnswered)), next.map(() => true));
  const after = performance.now() - givenBack;
  for (const connection of [...next, ...connections]) connection.close();
  await server.until(({ now }) => now.connections <= 2);

  server.kill("SIGTERM");
  const { code, stderr } = await server.end();
  assertEquals(code, 0);
  const complaints = stderr.split("\n").filter((line) => line.includes("accept-error")).length;
  assertGreater(complaints, 0);
  assert(complaints <= 1 + milliseconds / 10_000, `${complaints} lines in ${milliseconds} ms`);
  figure("descriptors", `${accepted} connections with ulimit -n ${LIMIT}; the log says: ${message}`);
  figure("processor while it cannot accept", `${(share * 100).toFixed(1)} % of one`);
  figure("log lines about it", `${complaints} in ${milliseconds / 1_000} s`);
  figure("from the first freed descriptor to 20 more clients served", `${after.toFixed(0)} ms`);
});
