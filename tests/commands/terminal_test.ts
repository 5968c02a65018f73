/** What differs in front of a terminal, and a Ctrl-C that is typed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../mod.ts";
import { commandLine, Running, startServer, surroundings, testUnless } from "./tracker.ts";

/** util-linux's `script` gives a program a terminal; elsewhere it is written differently. */
const noTerminal = Deno.build.os === "linux" && await exists("script")
  ? undefined
  : "it takes the script program of util-linux";

async function exists(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/**
 * `script` has a shell start the program. The shell must not stay around it (`exec`): a typed Ctrl-C reaches both, and
 * some shells then end with 130 whatever the program made of it.
 */
function onTerminal(args: string[], env: Record<string, string> = {}): Running {
  const line = commandLine(args).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  // Whoever runs the tests may have set it.
  return new Running(["script", "-qefc", `exec ${line}`, "/dev/null"], surroundings({ NO_COLOR: "", ...env }));
}

testUnless(noTerminal, "get escapes control characters on a terminal, and only there", async () => {
  await using server = await startServer();
  await using client = await connect({ port: server.port, state: "\x1b[2J\x07" });
  await using shown = onTerminal(["get", ...server.flags]);
  assertEquals((await shown.end()).stdout, "{client1=\\x1b[2J\\x07}\r\n");
  await using piped = new Running(commandLine(["get", ...server.flags]));
  assertEquals((await piped.end()).stdout, "{client1=\x1b[2J\x07}\n");
  await client.close();
});

testUnless(noTerminal, "send --hex sets its steps off on a terminal, unless NO_COLOR says not to", async () => {
  await using server = await startServer();
  const args = ["send", "--hex", ...server.flags, "wait=1"];
  await using bold = onTerminal(args);
  assertEquals((await bold.end()).stdout, "\x1b[1mwait=1\x1b[22m\r\ntracker: waiting 1 ms\r\n");
  await using plain = onTerminal(args, { NO_COLOR: "1" });
  assertEquals((await plain.end()).stdout, "wait=1\r\ntracker: waiting 1 ms\r\n");
});

testUnless(noTerminal, "open says on a terminal what it waits for, and a typed Ctrl-C closes it", async () => {
  await using server = await startServer();
  await using client = onTerminal(["open", ...server.flags, "abc"]);
  assertEquals(await client.stdout.line(), "tracker: client is open; each line is an update, Ctrl-C closes\r");
  await client.type("\x03");
  await server.logged({ event: "leave", cause: "close" });
  assertEquals((await client.end()).code, 0);
});

testUnless(noTerminal, "serve says on a terminal that it is stopping", async () => {
  await using server = onTerminal(["serve", "--port", "0", "--log", "off"]);
  await server.stdout.line();
  await server.type("\x03");
  const { code, stdout } = await server.end();
  assertEquals(code, 0);
  assertStringIncludes(stdout, "tracker: stopping: ");
});
