/** Output that cannot be written, and input that cannot be read. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../mod.ts";
import {
  commandLine,
  connectEventually,
  freePort,
  noShell,
  Running,
  startServer,
  surroundings,
  testUnless,
} from "../../support/program.ts";

const noFullDevice = Deno.build.os === "linux" ? undefined : "there is no /dev/full";

/** Starts a command line whose standard output is closed. The shell holds it back until that is done. */
async function startUnread(args: string[]): Promise<Running> {
  const running = new Running(["sh", "-c", 'read line; exec "$@"', "sh", ...commandLine(args)]);
  await running.stdout.cancel();
  await running.type("go\n");
  return running;
}

/** Runs a command line with redirected standard streams. */
async function redirected(args: string[], redirection: string): Promise<{ code: number; stderr: string }> {
  await using running = new Running(["sh", "-c", `exec "$@" ${redirection}`, "sh", ...commandLine(args)]);
  return await running.end();
}

testUnless(noShell, "a command whose output is closed ends without a word", async () => {
  await using server = await startServer();
  for (const args of [["get", ...server.flags], ["send", ...server.flags, "get"], ["help"], ["--version"]]) {
    await using running = await startUnread(args);
    const { code, stderr } = await running.end();
    assertEquals([code, stderr], [0, ""]);
  }
});

testUnless(noShell, "a server whose output is closed serves until it is told to stop", async () => {
  using found = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = found.addr;
  found.close();
  await using running = await startUnread(["serve", "--port", `${port}`, "--log", "off"]);
  await (await connectEventually({ port, state: "abc" })).close();
  running.kill("SIGTERM");
  const { code, stderr } = await running.end();
  assertEquals([code, stderr], [0, ""]);
});

testUnless(noFullDevice, "failures of output and input are reported in one line", async () => {
  await using server = await startServer();
  const full = await redirected(["get", ...server.flags], ">/dev/full");
  assertEquals(full.code, 1);
  assertMatch(full.stderr, /^tracker: Cannot write output: No space left on device[^\n]*\n$/);
  const directory = await redirected(["open", ...server.flags], "</");
  assertEquals(directory.code, 1);
  assertMatch(directory.stderr, /^tracker: Cannot read standard input: [^\n]*\n$/);
  await server.logged({ event: "leave" });
  const absent = ["--server", `127.0.0.1:${freePort()}`];
  assertEquals((await redirected(["get", ...absent], "2>/dev/full")).code, 5);
});

Deno.test("a log that is not read delays neither clients nor the end", async () => {
  const [program, ...args] = commandLine(["serve", "--port", "0"]);
  const streams = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const server = new Deno.Command(program, { args, ...surroundings(), ...streams }).spawn();
  const reader = server.stdout.getReader();
  const line = new TextDecoder().decode((await reader.read()).value);
  const port = Number(line.trim().split(":")[1]);
  // Two lines each, and more than a pipe holds.
  for (let count = 0; count < 1_500; count++) {
    using connection = await Deno.connect({ port });
    await connection.write(Uint8Array.of(42, 0, 1, 97));
    await connection.read(new Uint8Array(1));
  }
  const client = await connect({ port });
  assertEquals((await client.get()).length > 0, true);
  await client.close();
  server.kill("SIGTERM");
  assertEquals((await server.status).code, 0);
  const written = await new Response(server.stderr).text();
  assert(written.length > 0 && written.length < 300_000);
  await reader.cancel();
});
