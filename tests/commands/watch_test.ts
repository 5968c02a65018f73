import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, serve } from "../../mod.ts";
import { assertHarmless, HOSTILE_TEXTS } from "../support/hostile.ts";
import { hostileRegistry, startOwnServer } from "../support/command_clients.ts";
import { commandLine, freePort, noShell, Running, start, testUnless } from "../support/program.ts";

/** Waits for the next lines, and returns them without their times. */
async function lines(watch: Running, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const [, line = "?"] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.+)$/.exec(await watch.stdout.line()) ?? [];
    taken.push(line);
  }
  return taken;
}

async function event(watch: Running): Promise<Record<string, unknown>> {
  const { time, ...rest } = JSON.parse(await watch.stdout.line());
  assert(Date.parse(time) > 0);
  return rest;
}

Deno.test("watch prints a line for each event, until Ctrl-C", async () => {
  await using server = startOwnServer();
  const { port } = server.addr;
  await using _client = await connect({ port, state: "here before" });
  await using watch = start(["watch", ...server.flags]);
  assertEquals(await lines(watch, 4), ["connected", "snapshot", "present client1 live here before", "synced 1"]);
  const pi = await connect({ port, name: "pi-7", state: "a", grace: 60 });
  assertEquals(await lines(watch, 1), ["join pi-7 a"]);
  await pi.open("b\nc");
  assertEquals(await lines(watch, 1), ["update pi-7 b\\x0ac"]);
  await pi.detach();
  assertEquals(await lines(watch, 1), ["suspect pi-7"]);
  const back = await connect({ port, name: "pi-7" });
  assertEquals(await lines(watch, 1), ["resume pi-7"]);
  await back.close();
  assertEquals(await lines(watch, 1), ["leave pi-7 close"]);
  watch.kill("SIGINT");
  const { code, stderr } = await watch.end();
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("watch --json prints an object for each event, and with --prefix only those of matching clients", async () => {
  await using server = startOwnServer();
  const { port } = server.addr;
  await using _other = await connect({ port, state: "not told of" });
  await using pi = await connect({ port, name: "pi-7", state: "on" });
  await using watch = start(["watch", "--json", "--prefix", "pi-", ...server.flags]);
  assertEquals(await event(watch), { event: "connected" });
  assertEquals(await event(watch), { event: "snapshot" });
  const { openedAt, updatedAt } = server.registry.get("pi-7")!;
  const present = { revision: 2, id: "pi-7", status: "live", openedAt, updatedAt, until: 0, state: "on" };
  assertEquals(await event(watch), { event: "present", ...present });
  assertEquals(await event(watch), { event: "synced", revision: 2, incarnation: server.registry.incarnation });
  await pi.open(Uint8Array.of(0xff));
  assertEquals(await event(watch), { event: "update", revision: 3, id: "pi-7", state: "/w==", encoding: "base64" });
  await pi.close();
  assertEquals(await event(watch), { event: "leave", revision: 4, id: "pi-7", cause: "close" });
});

Deno.test("watch waits for a server that is down, reconnects to one that was lost, and says so", async () => {
  const port = freePort();
  await using watch = start(["watch", "--json", "--server", `127.0.0.1:${port}`]);
  const { event: kind, code, message } = await event(watch);
  assertEquals([kind, code], ["lost", "CONNECTION_REFUSED"]);
  assertMatch(String(message), /nothing listens there/);
  for (const id of ["one", "two"]) {
    await using server = serve({ port });
    server.registry.open("x", { id });
    assertEquals(await event(watch), { event: "connected" });
    assertEquals(await event(watch), { event: "snapshot" });
    assertEquals((await event(watch)).id, id);
    assertEquals((await event(watch)).event, "synced");
    await server.shutdown();
    // The leaves of clients may come first.
    while ((await event(watch)).event !== "lost");
  }
  watch.kill("SIGTERM");
  assertEquals((await watch.end()).code, 0);
});

Deno.test("watch --until-lost ends with its connection, and does not wait for a server", async () => {
  await using server = startOwnServer();
  await using watch = start(["watch", "--until-lost", ...server.flags]);
  assertEquals(await lines(watch, 3), ["connected", "snapshot", "synced 0"]);
  await server.shutdown();
  const { code, stderr } = await watch.end();
  assertEquals([code, stderr], [1, "tracker: Cannot keep connection: the server is being stopped\n"]);
  await using none = start(["watch", "--until-lost", "--server", `127.0.0.1:${freePort()}`]);
  const ended = await none.end();
  assertEquals(ended.code, 5);
  assertMatch(ended.stderr, /: nothing listens there\. Start one with: tracker serve\n$/);
});

Deno.test("no client can send commands to the terminal of watch", async () => {
  await using server = startOwnServer({ registry: hostileRegistry() });
  for (const flags of [[], ["--json"]]) {
    await using watch = start(["watch", ...flags, ...server.flags]);
    for (let count = Object.keys(HOSTILE_TEXTS).length + 4; count > 0; count--) {
      assertHarmless(await watch.stdout.line());
    }
  }
});

testUnless(noShell, "watch ends without a word when its reader ends", async () => {
  await using server = startOwnServer();
  // The exit code goes to the only stream that is not piped into head.
  const script = '{ "$@"; echo "code $?" >&2; } | head -n 1';
  await using watch = new Running(["sh", "-c", script, "sh", ...commandLine(["watch", ...server.flags])]);
  assertMatch(await watch.stdout.line(), / connected$/);
  // Only a write shows that the reader is gone.
  const more = setInterval(() => server.registry.close(server.registry.open("x")), 20);
  try {
    assertEquals(await watch.stderr.line(), "code 0");
  } finally {
    clearInterval(more);
  }
});

Deno.test("a watch whose reader has stopped reading still ends on Ctrl-C", async () => {
  await using server = startOwnServer();
  for (let count = 0; count < 200; count++) server.registry.open("x".repeat(10_000));
  // The stream reads ahead a little and a pipe holds a little, but not the whole map.
  const [program, ...args] = commandLine(["watch", ...server.flags]);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.getReader({ mode: "byob" });
  await reader.read(new Uint8Array(1));
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  await reader.cancel();
});
