/** Behaviour on a terminal, including a typed Ctrl-C. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, Tokens } from "../../../mod.ts";
import { assertHarmless } from "../../support/hostile.ts";
import { hostileRegistry, startOwnServer } from "../../support/command_clients.ts";
import {
  commandLine,
  isInstalled,
  Running,
  RunningServer,
  runtimeVersion,
  startServer,
  surroundings,
  testUnless,
} from "../../support/program.ts";

/** `script` of util-linux gives a program a terminal; others have another syntax. */
const noTerminal = Deno.build.os === "linux" && await isInstalled("script")
  ? undefined
  : "it takes the script program of util-linux";

const runtime = await runtimeVersion();

/** The reason to skip a test in which the program stops itself, if there is one. */
const cannotStop = /^2\.[0-8]\./.test(runtime) ? `before Deno 2.9 it may not, and this is ${runtime}` : undefined;

/** The reason to skip a test in which it may not, if there is one. */
const canStop = cannotStop === undefined ? `since Deno 2.9 it may, and this is ${runtime}` : undefined;

/**
 * Starts a command line on a terminal. `script` has a shell start it, which must replace itself (`exec`): a typed Ctrl-C
 * would reach both, and some shells then end with 130 however the program ends.
 */
function onTerminal(args: string[], env: Record<string, string> = {}, before = ""): Running {
  const line = commandLine(args).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  // It may be set where the tests run.
  const options = surroundings({ NO_COLOR: "", ...env });
  return new Running(["script", "-qefc", `${before} exec ${line}`, "/dev/null"], options);
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

testUnless(noTerminal, "send --hex prints its steps in bold on a terminal, unless NO_COLOR is set", async () => {
  await using server = await startServer();
  const args = ["send", "--hex", ...server.flags, "wait=1"];
  await using bold = onTerminal(args);
  assertEquals((await bold.end()).stdout, "\x1b[1mwait=1\x1b[22m\r\ntracker: waiting 1 ms\r\n");
  await using plain = onTerminal(args, { NO_COLOR: "1" });
  assertEquals((await plain.end()).stdout, "wait=1\r\ntracker: waiting 1 ms\r\n");
});

testUnless(noTerminal, "open explains itself on a terminal, and a typed Ctrl-C closes it", async () => {
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

testUnless(noTerminal, "a command that waits says on a terminal for what", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = `127.0.0.1:${silent.addr.port}`;
  for (const command of [["get"], ["list"], ["set", "a", "x"], ["ping"], ["send", "get"]]) {
    await using running = onTerminal([...command, "--server", server]);
    assertEquals(await running.stdout.line(), `tracker: waiting for ${server}\r`);
  }
});

/** Starts a watch on a terminal of some size. */
function watchOnTerminal(args: string[], columns: number, rows: number): Running {
  return onTerminal(["watch", ...args], {}, `tty; stty cols ${columns} rows ${rows};`);
}

/** Waits for a screen as wanted, and returns its lines without bold type. */
function screen(watch: Running, isWanted: (lines: string[]) => boolean): Promise<string[]> {
  return watch.stdout.until((text) => {
    const end = text.lastIndexOf("\x1b[J");
    const start = text.lastIndexOf("\x1b[H", end);
    if (start === -1) return undefined;
    const frame = text.slice(start + 3, end).replaceAll("\x1b[1m", "").replaceAll("\x1b[22m", "");
    const lines = frame.split("\x1b[K").map((line) => line.replace(/^\r*\n/, "")).slice(0, -1);
    return isWanted(lines) ? lines : undefined;
  });
}

/** The sequence that restores the screen. */
const LEFT = "\x1b[?7h\x1b[?25h\x1b[?1049l";

testUnless(noTerminal, "watch is a table that follows the map, and a typed Ctrl-C restores the screen", async () => {
  await using server = startOwnServer();
  const { port } = server.addr;
  await using _before = await connect({ port, name: "pi-7", state: "here" });
  await using watch = watchOnTerminal(server.flags, 70, 10);
  const first = await screen(watch, (lines) => /pi-7 .* \d\d:\d\d:\d\d .*here/.test(lines[2] ?? ""));
  assertEquals(first[0], `tracker 127.0.0.1:${port}  1 client`);
  assertMatch(first[1]!, /^ID +STATUS +SINCE +CHANGED +STATE$/);
  assertEquals(first.at(-1), "Ctrl-C ends");
  const client = await connect({ port, state: "雪".repeat(100) });
  const second = await screen(watch, (lines) => lines[0]!.includes("2 clients"));
  assertMatch(second[3]!, /^client1 +live .* 雪+…$/);
  await client.close();
  await screen(watch, (lines) => lines[0]!.includes("1 client") && lines.length === 4);
  await watch.type("\x03");
  const { code, stdout } = await watch.end();
  assertEquals(code, 0);
  assert(stdout.endsWith(LEFT), JSON.stringify(stdout.slice(-100)));
});

testUnless(noTerminal, "the table fits the terminal, even after a change of its size", async () => {
  await using server = startOwnServer();
  for (let count = 0; count < 30; count++) server.registry.open("x".repeat(500));
  await using watch = watchOnTerminal(server.flags, 60, 10);
  const path = (await watch.stdout.line()).trim();
  const small = await screen(watch, (lines) => lines.length === 10);
  assertEquals(small.at(-2), "… and 24 more");
  assert(small.every((line) => line.length <= 60));
  const resize = new Deno.Command("stty", { args: ["-F", path, "cols", "100", "rows", "40"] });
  assertEquals((await resize.output()).code, 0);
  const large = await screen(watch, (lines) => lines.length === 33);
  assertEquals(large[2]!.length, 100);
  watch.kill("SIGKILL");
});

testUnless(noTerminal, "the table shows that the connection is lost, and continues when it is back", async () => {
  await using server = await startServer();
  await using watch = watchOnTerminal(server.flags, 120, 10);
  await screen(watch, (lines) => lines.at(-1) === "Ctrl-C ends");
  server.kill("SIGTERM");
  await server.end();
  const waiting = new RegExp(`^waiting for 127.0.0.1:${server.port}: Cannot `);
  await screen(watch, (lines) => waiting.test(lines.at(-1) ?? ""));
  await using again = await new RunningServer(commandLine(["serve", "--port", `${server.port}`])).listening();
  await using _client = await connect({ port: again.port, state: "back" });
  await screen(watch, (lines) => lines.at(-1) === "Ctrl-C ends" && lines[0]!.includes("1 client"));
});

testUnless(noTerminal, "a watch that fails restores the screen before it says why", async () => {
  await using server = startOwnServer({ tokens: Tokens.parse("a:0123456789abcdef") });
  await using watch = watchOnTerminal(server.flags, 60, 10);
  const { code, stdout } = await watch.end();
  assertEquals(code, 4);
  assertStringIncludes(stdout, `${LEFT}tracker: Cannot give access: a token is needed.`);
});

testUnless(noTerminal, "no client can send commands to the terminal of the table", async () => {
  await using server = startOwnServer({ registry: hostileRegistry() });
  await using watch = watchOnTerminal(server.flags, 60, 40);
  for (const line of await screen(watch, (lines) => lines[0]!.includes("12 clients"))) assertHarmless(line);
  await using list = onTerminal(["list", ...server.flags], { NO_COLOR: "1" }, "stty cols 60;");
  assertHarmless((await list.end()).stdout.replaceAll("\r\n", "\n"));
});

/** Starts a table, and finds out the number of its process. */
async function tableWithId(args: string[]): Promise<{ watch: Running; id: number }> {
  const watch = onTerminal(["watch", ...args], {}, "echo $$; stty cols 60 rows 10;");
  const id = Number((await watch.stdout.line()).trim());
  await screen(watch, (lines) => lines.at(-1) === "Ctrl-C ends");
  return { watch, id };
}

testUnless(noTerminal ?? cannotStop, "Ctrl-Z gives the terminal back, and to go on takes it again", async () => {
  await using server = startOwnServer();
  const { watch, id } = await tableWithId(server.flags);
  await using _watch = watch;
  Deno.kill(id, "SIGTSTP");
  await watch.stdout.until((text) => text.endsWith(LEFT) || undefined);
  server.registry.open("x", { id: "meanwhile" });
  // script(1) stops with its child. When both have stopped cannot be seen from here.
  const waking = setInterval(() => {
    watch.kill("SIGCONT");
    Deno.kill(id, "SIGCONT");
  }, 50);
  try {
    await watch.stdout.until((text) => text.includes(`${LEFT}\x1b[?1049h`) || undefined);
  } finally {
    clearInterval(waking);
  }
  await screen(watch, (lines) => lines[0]!.includes("1 client"));
  await watch.type("\x03");
  assertEquals((await watch.end()).code, 0);
});

testUnless(noTerminal ?? canStop, "Ctrl-Z changes nothing where a program may not stop itself", async () => {
  await using server = startOwnServer();
  const { watch, id } = await tableWithId(server.flags);
  await using _watch = watch;
  Deno.kill(id, "SIGTSTP");
  await watch.stdout.until((text) => text.includes(`${LEFT}\x1b[?1049h`) || undefined);
  server.registry.open("x", { id: "meanwhile" });
  await screen(watch, (lines) => lines[0]!.includes("1 client"));
  await watch.type("\x03");
  assertEquals((await watch.end()).code, 0);
});

testUnless(noTerminal, "the end of its terminal ends the table, and restores the screen first", async () => {
  await using server = startOwnServer();
  const { watch, id } = await tableWithId(server.flags);
  await using _watch = watch;
  Deno.kill(id, "SIGHUP");
  const { code, stdout } = await watch.end();
  assertEquals([code, stdout.endsWith(LEFT)], [0, true]);
});
