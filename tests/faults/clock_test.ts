/** A wall clock that is set while the server runs: it may be visible, but must not matter. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { connect, Connection, dial, serve } from "../../mod.ts";
import { filesUnder, read } from "../support/page.ts";

const HOUR = 3_600_000;

/** Runs with a wall clock that can be set, and that runs on from there. */
async function withClock(run: (set: (offset: number) => void) => Promise<void>): Promise<void> {
  const { now } = Date;
  let offset = 0;
  Date.now = () => now() + offset;
  try {
    await run((milliseconds) => offset = milliseconds);
  } finally {
    Date.now = now;
  }
}

Deno.test("a clock set forward times out no client early", async () => {
  await withClock(async (set) => {
    await using server = serve({ port: 0, idleTimeout: 400, messageTimeout: 400, writeTimeout: 400 });
    await using client = await connect({ port: server.addr.port, state: "here", heartbeat: 1, timeout: 1_000 });
    using slow = await Deno.connect({ port: server.addr.port });
    await slow.write(Uint8Array.of(42, 0, 5, 97));
    for (let step = 1; step <= 5; step++) {
      set(step * HOUR);
      client.update(`step ${step}`);
      assertEquals(await client.getText(), `{client1=step ${step}}`);
      // By then every deadline has been checked.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(server.metrics().errors, {});
    assertEquals(server.metrics().now.connections, 2);
    assertLess(server.metrics().uptime, HOUR);
  });
});

Deno.test("a clock set back keeps no client beyond its time", async () => {
  await withClock(async (set) => {
    await using server = serve({ port: 0, idleTimeout: 300 });
    await using client = new Connection(await dial("127.0.0.1", server.addr.port, undefined, 1_000));
    const started = performance.now();
    await client.open("here");
    set(-24 * HOUR);
    await client.finished;
    const silence = performance.now() - started;
    assertEquals(client.error?.code, "TIMEOUT");
    assertGreater(silence, 299);
    assertLess(silence, 2_000);
  });
});

Deno.test("the times of a record follow the wall clock", async () => {
  await withClock(async (set) => {
    await using server = serve({ port: 0 });
    await using client = await connect({ port: server.addr.port, state: "first" });
    const before = Date.now();
    set(-HOUR);
    await client.open("second");
    const { records: [record] } = await client.list();
    assert(record !== undefined);
    assert(Math.abs(record.openedAt - before) < 5_000, `${record.openedAt}`);
    assert(Math.abs(record.updatedAt - (before - HOUR)) < 5_000, `${record.updatedAt}`);
  });
});

/** Files that may read the wall clock, and why. */
const WALL_CLOCK: Record<string, string> = {
  "lib/map/registry.ts": "the times of records",
  "lib/cli/log/log.ts": "the time of a line",
  "lib/cli/terminal/event_lines.ts": "the time of a line",
  "lib/cli/terminal/record_table.ts": "how long ago a record was made",
  "lib/cli/text/forms.ts": "the end of a record in people's notation",
  "lib/client/watch.ts": "the time of an event",
  "lib/commands/set.ts": "the time at which a Put was issued",
  "lib/cli/terminal/live_table.ts": "how long ago a record was made",
  "lib/cli/text/times.ts": "the time of a record in people's notation",
  "lib/gateway/http_date.ts": "the date of a response",
  "lib/tcp/tls_errors.ts": "the end of a certificate's validity in people's notation",
};

Deno.test("only records and their display use the wall clock", async () => {
  const users: string[] = [];
  for (const path of await filesUnder("lib", "")) {
    if (/\bnew Date\b|\bDate\.now\b/.test(await withoutComments(path))) users.push(path);
  }
  assertEquals(users.sort(), Object.keys(WALL_CLOCK).sort());
});

async function withoutComments(path: string): Promise<string> {
  return (await read(path)).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}
