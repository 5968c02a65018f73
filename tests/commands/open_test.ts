import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { connect, type Registry, serve } from "../../mod.ts";
import { startOwnServer } from "../support/command_clients.ts";
import {
  eventually,
  fail,
  freePort,
  permissionsAreFixed,
  run,
  start,
  startLiar,
  startServer,
  testUnless,
} from "../support/program.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`open stays until ${signal}, which closes it with exit code 0`, async () => {
    await using server = await startServer();
    await using client = start(["open", ...server.flags, "abc"]);
    await server.logged({ event: "join", id: "client1" });
    assertEquals((await run(["get", ...server.flags])).stdout, "{client1=abc}\n");
    client.kill(signal);
    await server.logged({ event: "leave", id: "client1", cause: "close" });
    assertEquals(await client.end(), { code: 0, stdout: "", stderr: "" });
    assertEquals((await run(["get", ...server.flags])).stdout, "{}\n");
  });
}

Deno.test("each line of input is an update, byte for byte, and the end of input closes", async () => {
  await using server = await startServer();
  await using observer = await connect({ port: server.port });
  const ask = async () => String.fromCharCode(...await observer.get());
  await using client = start(["open", ...server.flags]);
  await server.logged({ event: "join" });
  assertEquals(await ask(), "{client1=}");
  await client.type("first\nsecond\n");
  await eventually(ask, "{client1=second}");
  await client.type("\n");
  await eventually(ask, "{client1=}");
  await client.type(Uint8Array.of(0xff, 0x00, 0xc3, 0x0d, 0x0a));
  await eventually(ask, "{client1=\xff\0\xc3}");
  await client.type("x".repeat(50_000) + "\n");
  await eventually(ask, `{client1=${"x".repeat(50_000)}}`);
  await client.type("no newline");
  await client.endInput();
  await server.logged({ event: "leave", cause: "close" });
  assertEquals(await client.end(), { code: 0, stdout: "", stderr: "" });
});

Deno.test("a state arrives as written", async () => {
  await using server = await startServer();
  const states: [string, string[]][] = [
    ["0x10", ["0x10"]],
    ["007", ["007"]],
    ["true", ["true"]],
    ["", [""]],
    ["-", ["-"]],
    ["-x --help", ["--", "-x --help"]],
    ["é\u{1f995}", ["--dialect", "java", "é\u{1f995}"]],
  ];
  for (const [state, args] of states) {
    await using client = start(["open", ...server.flags, ...args]);
    const { id } = await server.logged({ event: "join" });
    assertEquals((await run(["get", ...server.flags])).stdout, `{${id}=${state}}\n`);
    await client.endInput();
    await server.logged({ event: "leave", id: id as string, cause: "close" });
  }
});

Deno.test("a killed open leaves the map at once", async () => {
  await using server = await startServer();
  await using client = start(["open", ...server.flags, "abc"]);
  await server.logged({ event: "join", id: "client1" });
  client.kill("SIGKILL");
  await server.logged({ event: "leave", id: "client1", cause: "disconnect" });
  assertEquals((await run(["get", ...server.flags])).stdout, "{}\n");
});

Deno.test("open reports that the server is gone, and why, with exit code 1", async () => {
  for (
    const [signal, why] of [["SIGTERM", /Cannot keep connection: the server is being stopped$/], [
      "SIGKILL",
      /.+/,
    ]] as const
  ) {
    await using server = await startServer();
    await using client = start(["open", ...server.flags, "abc"]);
    await server.logged({ event: "join" });
    server.kill(signal);
    const { code, stderr } = await client.end();
    assertEquals(code, 1);
    const [line = "", ...rest] = stderr.split("\n");
    assertEquals(rest, [""]);
    assertEquals(line.startsWith(`tracker: Cannot stay open at 127.0.0.1:${server.port}: Cannot `), true, line);
    assertMatch(line, why);
  }
});

Deno.test("open reports a state that is too long for the dialect or the server", async () => {
  await using server = await startServer(["--log=json", "--max-state=4"]);
  assertMatch(
    await fail(["open", ...server.flags, "--dialect=compact", "x".repeat(256)], 1),
    /^tracker: Cannot encode state: 256 bytes is above the compact dialect's limit of 255$/,
  );
  assertMatch(await fail(["open", ...server.flags, "abcde"], 1), /: 5 is above the limit of 4$/);
  await using client = start(["open", ...server.flags, "abcd"]);
  await server.logged({ event: "join" });
  await client.type("abcde\n");
  const { code, stderr } = await client.end();
  assertEquals(code, 1);
  assertMatch(stderr, /^tracker: Cannot stay open at .+: 5 is above the limit of 4\n$/);
});

Deno.test("open, get and send report that nothing listens", async () => {
  const port = freePort();
  for (const command of ["open", "get", "send"]) {
    const step = command === "send" ? ["get"] : [];
    assertEquals(
      await fail([command, "--server", `127.0.0.1:${port}`, ...step], 5),
      `tracker: Cannot connect to 127.0.0.1:${port}: nothing listens there. Start one with: tracker serve`,
    );
  }
});

Deno.test("a host that does not exist is reported", async () => {
  assertMatch(
    await fail(["get", "--server", "nowhere.invalid"], 5),
    /^tracker: Cannot connect to nowhere\.invalid:6789: .+\. Say where the server is with --server HOST:PORT$/,
  );
});

Deno.test("TRACKER_SERVER says where the server is, unless a flag does", async () => {
  await using server = await startServer();
  const permissions = ["-N", "--allow-env=TRACKER_SERVER"];
  const granted = { env: { TRACKER_SERVER: `127.0.0.1:${server.port}` }, permissions };
  assertEquals((await run(["get"], granted)).stdout, "{}\n");
  const elsewhere = ["get", "--server", `127.0.0.1:${freePort()}`];
  assertMatch(await fail(elsewhere, 5, granted), /nothing listens there/);
  assertEquals(
    await fail(["get"], 2, { env: { TRACKER_SERVER: "::" }, permissions }),
    "tracker: TRACKER_SERVER must be HOST:PORT such as 127.0.0.1:6789 or [::1]:6789, not '::'. Run 'tracker help get'",
  );
});

testUnless(permissionsAreFixed, "TRACKER_SERVER is ignored if reading it is not permitted", async () => {
  // If it were read it would be refused; otherwise the default address answers or does not.
  assertNotEquals((await run(["get"], { env: { TRACKER_SERVER: "::" } })).code, 2);
});

Deno.test("a hostile server cannot send commands to the terminal", async () => {
  const text = new TextEncoder().encode("OOPS: \x1b[2J\x07\nsecond line");
  for (const command of [["get"], ["open", "abc"], ["send", "--hex", "get"]]) {
    await using liar = startLiar(Uint8Array.of(0, text.length, ...text));
    const { code, stdout, stderr } = await run([...command, "--server", `127.0.0.1:${liar.port}`]);
    assertEquals([code, stderr], [1, "tracker: OOPS: \\x1b[2J\\x07\\x0asecond line\n"]);
    assertEquals(/[^\x20-\x7e\n]/.test(stdout), false);
  }
});

Deno.test("an invalid reply is distinguished from a refusal", async () => {
  await using liar = startLiar(Uint8Array.of(7));
  assertEquals(
    await fail(["open", "abc", "--server", `127.0.0.1:${liar.port}`], 1),
    "tracker: Cannot parse reply: it begins with 7, which is no answer to an Open or a Close",
  );
});

Deno.test("open has its name, stays for its grace, and comes back under it", async () => {
  await using server = startOwnServer();
  const { registry } = server;
  const args = ["open", "on", "--name=pi-7", "--grace=1m", "--heartbeat=1s", ...server.flags];
  for (const status of ["join", "resume"]) {
    const changed = change(registry, status);
    await using client = start(args);
    await changed;
    const suspect = change(registry, "suspect");
    client.kill("SIGKILL");
    await suspect;
  }
  const left = change(registry, "leave");
  await using client = start(args);
  await client.endInput();
  assertEquals((await client.end()).code, 0);
  // The server does not wait for a client that ended in order.
  await left;
});

/** Waits for the next change of a kind. */
function change(registry: Registry, kind: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = registry.subscribe((change) => {
      if (change.kind !== kind) return;
      stop();
      resolve();
    });
  });
}

Deno.test("open --reconnect waits for a server, comes back with the latest state, and says so", async () => {
  const port = freePort();
  const address = `127.0.0.1:${port}`;
  await using client = start(["open", "first", "--name=pi-7", "--reconnect", "--server", address]);
  const waiting = `tracker: waiting for ${address}: Cannot connect to ${address}: nothing listens there. ` +
    "Start one with: tracker serve";
  assertEquals(await client.stderr.line(), waiting);
  for (const state of ["first", "second"]) {
    await using server = serve({ port });
    assertEquals(await client.stderr.line(), `tracker: connected to ${address}`);
    assertEquals(server.registry.size, 1);
    assertEquals(new TextDecoder().decode(server.registry.get("pi-7")?.state), state);
    if (state === "second") break;
    await server.shutdown();
    assertMatch(await client.stderr.line(), /^tracker: waiting for .+: Cannot keep connection: .+ is being stopped$/);
    await client.type("second\n");
    assertEquals(await client.stderr.line(), waiting);
  }
  client.kill("SIGINT");
  const { code, stdout } = await client.end();
  assertEquals([code, stdout], [0, ""]);
});

Deno.test("the second of two clients with one name waits for the first to go, unless it takes over", async () => {
  await using server = startOwnServer();
  const args = ["open", "--name=pi-7", "--reconnect", ...server.flags];
  const joined = change(server.registry, "join");
  await using first = start([...args, "first"]);
  await joined;
  await using refused = start([...args, "second"]);
  const taken =
    /^tracker: waiting for \S+: Cannot take name pi-7: somebody else has it, silent for \S+ s, given up after 25 s\. /;
  assertMatch(await refused.stderr.line(), taken);
  refused.kill("SIGINT");
  assertEquals((await refused.end()).code, 0);
  await using second = start([...args, "second", "--takeover"]);
  const lost = await first.end();
  const why = "Cannot keep name pi-7: another connection took it over";
  assertEquals([lost.code, lost.stderr], [1, `tracker: Cannot stay open at ${server.flags[1]}: ${why}\n`]);
  assertEquals(new TextDecoder().decode(server.registry.flatten()), "{pi-7=second}");
  await second.endInput();
  assertEquals((await second.end()).code, 0);
});

Deno.test("flags that need a name are refused without one", async () => {
  const wrong: [string, string][] = [
    ["--grace=1m", "--grace needs a --name: the server does not wait for a client without one"],
    ["--takeover", "--takeover needs a --name to take over"],
    ["--name=client7", "--name must be 1 to 128 letters, digits and ._:- and not client1 or the like, not 'client7'"],
    ["--heartbeat=2h", "--heartbeat must be from 1s to 1h, or 0, not '2h'"],
    ["--grace=25h", "--grace must be from 1s to 24h, or 0, not '25h'"],
  ];
  for (const [flag, message] of wrong) {
    assertEquals(await fail(["open", flag], 2), `tracker: ${message}. Run 'tracker help open'`);
  }
});
