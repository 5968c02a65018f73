/** What scripts and services rely on: exit codes, input, output, signals. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, Registry, Tokens } from "../../mod.ts";
import { output, secretFile, startOwnServer, startScript } from "../support/command_clients.ts";
import { bytesOf, textOf, writeFully } from "../support/bytes.ts";
import {
  commandLine,
  eventually,
  fail,
  freePort,
  noShell,
  permissionsAreFixed,
  run,
  runsSources,
  start,
  surroundings,
  testUnless,
} from "../support/program.ts";
import { until } from "../support/until.ts";

/** The reason to skip a test of arguments that the runtime may refuse before the program begins, if there is one. */
const refusesFirst = runsSources ? undefined : "the runtime of a standalone program may refuse it first";

/** Runs a command line of a shell, in which `tracker` is the program. */
async function shell(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const words = commandLine([], ["-N", "-R"]).map((word) => `'${word}'`).join(" ");
  const script = `tracker() { ${words} "$@"; }; ${line}`;
  const { code, stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script], ...surroundings() }).output();
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

Deno.test("exit codes tell a name that is taken, a refusal, and a server that is not there", async () => {
  await using server = startOwnServer({ tokens: Tokens.of([{ name: "a", token: "0123456789abcdef" }]) });
  await using file = await secretFile("0123456789abcdef");
  const known = [...server.flags, "--token-file", file.path];
  const mayRead = { permissions: ["-N", "-R"] };
  await using _holder = await connect({ port: server.addr.port, token: "0123456789abcdef", name: "pi-7", state: "on" });
  for (const command of [["set", "pi-7", "x"], ["unset", "pi-7"], ["open", "x", "--name", "pi-7"]]) {
    assertMatch(await fail([...command, ...known], 3, mayRead), /somebody else has it/);
    assertMatch(await fail([...command, ...server.flags], 4), /a token is needed/);
  }
  const nowhere = ["--server", `127.0.0.1:${freePort()}`];
  for (const command of [["get"], ["list"], ["set", "a", "b"], ["open", "x"], ["ping"], ["kick", "a"]]) {
    assertMatch(await fail([...command, ...nowhere], 5), /nothing listens there/);
  }
});

testUnless(permissionsAreFixed, "a variable that may not be read is named where it may be the reason", async () => {
  await using server = startOwnServer({ tokens: Tokens.of([{ name: "a", token: "0123456789abcdef" }]) });
  const denied = await fail(["get", ...server.flags], 4, { env: { TRACKER_TOKEN: "0123456789abcdef" } });
  assertMatch(denied, /If TRACKER_TOKEN is set, it was not read: run deno with -E=TRACKER_TOKEN$/);
});

testUnless(noShell ?? refusesFirst, "an argument that is not UTF-8 is refused", async () => {
  await using server = startOwnServer();
  const flags = server.flags.join(" ");
  const refused = await shell(`tracker set a $'x\\xffy' ${flags}`);
  assertEquals([refused.code, refused.stdout, server.registry.size], [2, "", 0]);
  assertMatch(refused.stderr, /^tracker: argument 3 is not valid UTF-8/);
});

testUnless(noShell, "a state on standard input need not be UTF-8", async () => {
  await using server = startOwnServer();
  const flags = server.flags.join(" ");
  assertEquals((await shell(`printf 'x\\xffy' | tracker set a - ${flags}`)).code, 0);
  assertEquals(server.registry.get("a")?.state, bytesOf("x", 0xff, "y"));
  assertEquals((await shell(`echo hello | tracker set a - ${flags}`)).code, 0);
  assertEquals(textOf(server.registry.get("a")!.state), "hello");
});

Deno.test("simultaneous sets all end with success, and the last that was begun counts", async () => {
  await using server = startOwnServer();
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, index) => run(["set", "door", `${index}`, ...server.flags])),
  );
  for (const { code, stderr } of results) {
    assertEquals(code, 0, stderr);
    assert(stderr === "" || stderr.includes("has been set again meanwhile"), stderr);
  }
  const kept = Number(textOf(server.registry.get("door")!.state));
  assertEquals(results[kept]?.stderr, "");
  assertEquals(server.registry.get("door")?.status, "detached");
});

/** Passes on a Hello, its answer, and a Put; and the answer to that, unless the line is cut. */
async function relay(connection: Deno.TcpConn, port: number, isCut: boolean): Promise<void> {
  using client = connection;
  using server = await Deno.connect({ port });
  const buffer = new Uint8Array(65_536);
  const steps = [[client, server], [server, client], [client, server], [server, client]] as const;
  for (const [at, [from, to]] of steps.entries()) {
    const count = await from.read(buffer);
    if (count === null || isCut && at === steps.length - 1) return;
    await writeFully(to, buffer.slice(0, count));
  }
}

Deno.test("set sends its state again when the answer was lost", async () => {
  await using server = startOwnServer();
  // The first connection is cut off when the server has the Put, and before its answer arrives.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const relaying = (async () => {
    for (const cut of [true, false]) await relay(await listener.accept(), server.addr.port, cut);
  })();
  const { code, stderr } = await run(["set", "a", "x", "--server", `127.0.0.1:${listener.addr.port}`]);
  await relaying;
  assertEquals([code, stderr], [0, ""]);
  assertEquals([textOf(server.registry.flatten()), server.registry.revision], ["{a=x}", 2]);
});

Deno.test("get and list bring single clients, and say which are missing", async () => {
  const registry = new Registry();
  for (const id of ["b", "a", "ab"]) registry.open(`state of ${id}`, { id });
  await using server = startOwnServer({ registry });
  assertEquals(await output(["get", "a", ...server.flags]), "state of a\n");
  assertEquals(await output(["get", "a", "--json", ...server.flags]), '{"id":"a","state":"state of a"}\n');
  assertEquals(await fail(["get", "x", ...server.flags], 1), "tracker: x is not in the map");
  const listed = await run(["list", "a", "x", "b", "--columns", "id", ...server.flags]);
  assertEquals([listed.code, listed.stdout, listed.stderr], [1, "ID\na\nb\n", "tracker: x is not in the map\n"]);
});

Deno.test("list selects, sorts, cuts and counts", async () => {
  const registry = new Registry();
  for (const id of ["b", "c", "a"]) registry.open(id === "b" ? "z" : "y", { id });
  await using server = startOwnServer({ registry });
  await output(["set", "d", "x", ...server.flags]);
  const ids = async (...flags: string[]) => {
    const text = await output(["list", "--columns", "id", ...flags, ...server.flags]);
    return text.trimEnd().split("\n").slice(1).join(" ");
  };
  assertEquals(await ids(), "b c a d");
  assertEquals(await ids("--sort", "id"), "a b c d");
  assertEquals(await ids("--sort", "state", "--reverse"), "b a c d");
  assertEquals(await ids("--sort", "id", "--reverse", "--limit", "2"), "d c");
  assertEquals(await ids("--status", "detached"), "d");
  assertEquals(await output(["list", "--count", ...server.flags]), "4\n");
  assertEquals(await output(["list", "--count", "--json", "--status=live", ...server.flags]), '{"count":3}\n');
  const table = await output(["list", "--columns=id,address,dialect,token,expires", "d", ...server.flags]);
  // In the last minutes of a day it expires on the next one.
  const expires = /(?:\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d)\n$/;
  assertMatch(table, /^ID +ADDRESS +DIALECT +TOKEN +EXPIRES\nd +127\.0\.0\.1:\d+ +wide +- +/);
  assertMatch(table, expires);
  assertMatch(await fail(["list", "--columns", "id,nme"], 2), /must be one of id, status, .* not 'nme'/);
});

Deno.test("a list of more clients than a function can have arguments is printed whole", async () => {
  const registry = new Registry();
  for (let index = 0; index < 130_000; index++) registry.open("", { id: `n${index}` });
  await using server = startOwnServer({ registry, maxTotalState: 2 ** 30 });
  const table = await output(["list", "--columns", "id,state", ...server.flags]);
  assertEquals(table.split("\n").length, 130_002);
  const json = JSON.parse(await output(["list", "--json", ...server.flags]));
  assertEquals(json.clients.length, 130_000);
});

Deno.test("one byte that is not UTF-8 does not change how the others are shown", async () => {
  const registry = new Registry();
  registry.open(bytesOf("é", 0xff, "ü"), { id: "a" });
  registry.open("ñandú", { id: "b" });
  await using server = startOwnServer({ registry });
  const table = await output(["list", "--columns", "state", ...server.flags]);
  assertEquals(table, "STATE\né\\xffü\nñandú\n");
});

Deno.test("get refuses what is no Tracker", async () => {
  await using other = startScript([bytesOf(`HTTP/1.1 400 Bad Request\r\n\r\n${"x".repeat(100)}`)]);
  const error = await fail(["get", ...other.flags], 1);
  assertMatch(error, /it is no map; perhaps another kind of server listens there$/);
});

Deno.test("open --stay lives without input, and SIGTERM leaves its entry behind for its grace", async () => {
  await using server = startOwnServer();
  await using open = start(["open", "up", "--name", "pi-7", "--stay", "--grace", "60s", ...server.flags]);
  await open.endInput();
  await until((listener) => server.registry.subscribe(listener), () => server.registry.get("pi-7") !== undefined);
  assertEquals(textOf(server.registry.flatten()), "{pi-7=up}");
  open.kill("SIGTERM");
  assertEquals((await open.end()).code, 0);
  assertEquals(server.registry.get("pi-7")?.status, "suspect");
  await using again = start(["open", "up", "--name", "pi-7", "--stay", ...server.flags]);
  await until((listener) => server.registry.subscribe(listener), () => server.registry.get("pi-7")?.status === "live");
  again.kill("SIGTERM");
  assertEquals([(await again.end()).code, server.registry.size], [0, 0]);
});

testUnless(
  noShell,
  "open --stay does without an input that cannot be read, and without --stay it says so",
  async () => {
    await using server = startOwnServer();
    const refused = await shell(`tracker open up ${server.flags.join(" ")} 0>/dev/null`);
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /with --stay, none is needed\n$/);
    const staying = shell(`tracker open up --stay ${server.flags.join(" ")} 0>/dev/null & sleep 0.1; wait`);
    await until((listener) => server.registry.subscribe(listener), () => server.registry.size === 1);
    await server.shutdown();
    assertEquals((await staying).code, 0);
  },
);

Deno.test("a last line that no connection can take is no success", async () => {
  const port = freePort();
  await using open = start(["open", "one", "--reconnect", "--timeout", "1s", "--server", `127.0.0.1:${port}`]);
  await open.type("two\n");
  await open.endInput();
  const { code, stderr } = await open.end();
  assertEquals(code, 1);
  assertMatch(stderr, /\ntracker: Cannot deliver the last state: [^\n]+\n$/);
});

Deno.test("a last line is delivered to a server that comes back in time", async () => {
  const first = startOwnServer();
  const { port } = first.addr;
  await using open = start(["open", "one", "--name", "a", "--reconnect", ...first.flags]);
  await until((listener) => first.registry.subscribe(listener), () => first.registry.size === 1);
  await first.shutdown();
  await open.stderr.line();
  await open.type("two\n");
  await open.endInput();
  const states: string[] = [];
  const registry = new Registry();
  registry.subscribe(({ kind, entry }) => states.push(`${kind} ${textOf(entry.state)}`));
  await using _second = startOwnServer({ port, registry });
  assertEquals((await open.end()).code, 0);
  assertEquals(states.at(-1), "leave two");
});

Deno.test("a line without an end stops at the longest state, whether there is a connection or not", async () => {
  await using server = startOwnServer({ maxState: 1_000 });
  const nowhere = ["--server", `127.0.0.1:${freePort()}`];
  for (
    const [flags, limit] of [[server.flags, 1_000], [[...server.flags, "--reconnect"], 1_000], [[
      "--reconnect",
      ...nowhere,
    ], 2 ** 24]] as const
  ) {
    await using open = start(["open", "--name", "a", ...flags]);
    if (limit === 1_000) {
      await until((listener) => server.registry.subscribe(listener), () => server.registry.size === 1);
    }
    const piece = new Uint8Array(limit / 2 + 100).fill(120);
    // Until it has ended, and nobody reads any more.
    while (await open.type(piece).then(() => true, () => false));
    const { code, stderr } = await open.end();
    assertEquals(code, 1, stderr);
    assertMatch(stderr, new RegExp(`a line has more than ${limit} bytes, which is the limit for a state\n$`));
    await until((listener) => server.registry.subscribe(listener), () => server.registry.size === 0);
  }
});

testUnless(noShell, "watch ends when its reader is gone, on a map that does not change", async () => {
  await using server = startOwnServer();
  server.registry.open("x", { id: "a" });
  const flags = server.flags.join(" ");
  const text = await shell(`tracker watch ${flags} | grep -m1 present; echo "\${PIPESTATUS[0]}"`);
  assertMatch(text.stdout, /present a live x\n0\n$/);
  const json = await shell(`tracker watch --json ${flags} | head -3 | wc -l`);
  assertEquals(json.stdout.trim(), "3");
});

testUnless(noShell, "a space before a line is all that a quiet watch writes", async () => {
  await using server = startOwnServer();
  const watching = shell(`tracker watch --json ${server.flags.join(" ")} | head -4`);
  await using asker = await connect({ port: server.addr.port });
  await eventually(async () => (await asker.stats()).now.watchers, 1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  server.registry.open("x", { id: "a" });
  const lines = (await watching).stdout.trimEnd().split("\n");
  assertEquals(lines.map((line) => JSON.parse(line).event), ["connected", "snapshot", "synced", "join"]);
  assertMatch(lines[3]!, /^ +\{/);
});

testUnless(noShell, "a terminal that cannot be drawn on gets lines", async () => {
  await using server = startOwnServer();
  const words = commandLine(["watch", "--until-lost", ...server.flags], ["-N", "-E=TERM"]).join(" ");
  const script = new Deno.Command("script", {
    args: ["-qfec", words, "/dev/null"],
    env: { TERM: "dumb" },
    stdin: "null",
  });
  const running = script.output();
  await using asker = await connect({ port: server.addr.port });
  await eventually(async () => (await asker.stats()).now.watchers, 1);
  await server.shutdown();
  const text = textOf((await running).stdout);
  assert(text.includes("snapshot") && !text.includes("\x1b[?1049h"), text);
});
