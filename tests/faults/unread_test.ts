/** Clients that ask for a large map and do not read it. */

import { assertLess } from "@std/assert";
import { Connection, dial } from "../../mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { testUnless } from "../support/program.ts";
import type { CrowdJob } from "./support/crowd.ts";
import { Helper } from "./support/helper.ts";
import { figure, notLinux, scale, size } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

const ASKERS = 60;
const STATE = 2 ** 18;
const CLIENTS = 248;

/** A Get, and a Hello with a List of all clients. */
const REQUESTS = [bytesOf(42, 3), bytesOf(42, 4, longLength(2), "{}", 42, 6, longLength(2), "{}")];

/** Connections besides: two of the test, and the one that asks for their number. */
const OTHERS = 3;

/** The least memory that the server has held while it answered a number of questions, in bytes. */
async function settledBytes(server: FaultyServer, asker: Asker): Promise<number> {
  let least = Infinity;
  for (let count = 0; count < 20; count++) {
    await asker.stats();
    least = Math.min(least, await server.residentBytes());
  }
  return least;
}

testUnless(
  notLinux,
  "unread Gets and Lists of a large map that changes cost little, and nothing afterwards",
  async () => {
    const args = ["--log", "off", "--max-state", `${STATE}`, "--write-timeout", "60s"];
    await using server = await startFaulty({ args });
    using asker = await Asker.dial(server);
    await using crowd = new Helper(
      "crowd.ts",
      { port: server.port, kind: "open", count: CLIENTS, stateLength: STATE } satisfies CrowdJob,
    );
    await crowd.answer();
    await server.until(({ now }) => now.stateBytes === CLIENTS * STATE);
    const writer = new Connection(await dial("127.0.0.1", server.port, undefined, 5_000));
    await asker.map();
    const before = await settledBytes(server, asker);
    const rounds = scale(1, 5);
    let most = 0;
    let after = Infinity;
    for (let round = 0; round < rounds; round++) {
      const deaf: Deno.TcpConn[] = [];
      for (let count = 0; count < ASKERS; count++) {
        const connection = await Deno.connect({ hostname: server.hostname, port: server.port });
        await connection.write(REQUESTS[count % REQUESTS.length]!);
        deaf.push(connection);
        // Each must show another map.
        await writer.open(`${count}`.padEnd(STATE / 4, "."));
      }
      await server.until(({ now }) => now.connections === CLIENTS + ASKERS + OTHERS);
      most = Math.max(most, await server.residentBytes());
      for (const connection of deaf) connection.close();
      await server.until(({ now }) => now.connections === CLIENTS + OTHERS);
      after = await settledBytes(server, asker);
    }
    await writer.close();
    figure(`memory for ${ASKERS} unread Gets and Lists of ${size(CLIENTS * STATE)}`, size(most - before));
    figure("the same when they are gone", size(after - before));
    assertLess(most - before, 100 * 2 ** 20, "bytes of memory");
    assertLess(after, before * 1.5, "bytes of memory afterwards");
  },
);
