/** A log that cannot be written, or that no process reads. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { Connection, dial } from "../../mod.ts";
import { commandLine, freePort, testUnless } from "../support/program.ts";
import { figure, notLinux, scale, size, time } from "./support/scale.ts";
import { Asker, FaultyServer, startFaulty } from "./support/server.ts";

/** Makes clients come and go, each with two lines in the log. */
async function churn(port: number, count: number): Promise<void> {
  for (let done = 0; done < count; done += 50) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const client = new Connection(await dial("127.0.0.1", port, undefined, 10_000));
      await client.open("here today");
      await client.close();
    }));
  }
}

async function stop(server: FaultyServer): Promise<number> {
  const asked = performance.now();
  server.kill("SIGTERM");
  assertEquals((await server.end()).code, 0);
  return performance.now() - asked;
}

testUnless(notLinux, "the server goes on when its log is on a full disk", async () => {
  for (const format of ["text", "json"]) {
    await using server = await startFaulty({ args: ["--log", format], shell: 'exec "$@" 2>/dev/full' });
    const before = await server.residentBytes();
    await churn(server.port, scale(200, 5_000));
    const asker = await Asker.dial(server);
    assertEquals(await asker.map(), "{}");
    assertLess(await server.residentBytes() - before, 60 * 2 ** 20, "bytes of additional memory");
    asker[Symbol.dispose]();
    figure(`until it stopped, ${format} on a full disk`, time(await stop(server)));
  }
});

testUnless(notLinux, "the server goes on when its standard output is on a full disk as well", async () => {
  const port = freePort();
  const command = commandLine(["serve", "--port", `${port}`]);
  await using server = new FaultyServer(["sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh", ...command]);
  const ended = server.status.then(({ code }) => ({ code }));
  for (;;) {
    const outcome = await Promise.race([ended, Deno.connect({ port }).catch(() => null)]);
    if (outcome === null) continue;
    assert(!("code" in outcome), `it ended with ${"code" in outcome ? outcome.code : ""}`);
    outcome.close();
    break;
  }
  server.port = port;
  const asker = await Asker.dial(server);
  assertEquals(await asker.map(), "{}");
  asker[Symbol.dispose]();
  await stop(server);
});

testUnless(notLinux, "a log in a pipe that no process reads is dropped, and delays no client", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tracker-faults-" });
  try {
    // The server itself holds the reading end and never reads: the pipe is full after 64 KiB.
    const shell = `mkfifo ${directory}/log && exec "$@" 2<>${directory}/log`;
    await using server = await startFaulty({ shell });
    await using silent = await startFaulty({ args: ["--log", "off"] });
    const count = scale(2_000, 20_000);
    const started = performance.now();
    await churn(server.port, count);
    const took = performance.now() - started;
    // That many clients take memory without a log, too.
    await churn(silent.port, count);
    const more = await server.residentBytes() - await silent.residentBytes();
    assertLess(more, 40 * 2 ** 20, "bytes of memory above those without a log");
    const asker = await Asker.dial(server);
    assertEquals(await asker.map(), "{}");
    asker[Symbol.dispose]();
    const stopping = await stop(server);
    assertLess(stopping, 5_000, "milliseconds until it stopped");
    figure(`${count} clients that come and go while the log is not read`, `${time(took / count)} each`);
    figure("memory above that without a log, and time until it stopped", `${size(more)}, ${time(stopping)}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
