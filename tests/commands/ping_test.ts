import { assert, assertEquals, assertMatch } from "@std/assert";
import { RoundTrips } from "../../lib/cli/inspect/round_trips.ts";
import { output, startOwnServer, startScript } from "../support/command_clients.ts";
import { fail, freePort, run, start, startServer } from "../support/program.ts";
import { greetingReply } from "../support/greeting.ts";

Deno.test("round trips are summed up as by ping(8)", () => {
  const trips = new RoundTrips();
  assertEquals(trips.summary(), { sent: 0, answered: 0, loss: 0, min: null, avg: null, max: null, mdev: null });
  for (const time of [2, 4, 4, 4, 5, 5, 7, 9]) trips.add(time);
  trips.lose();
  trips.lose();
  const { mdev, ...rest } = trips.summary();
  assertEquals(rest, { sent: 10, answered: 8, loss: 0.2, min: 2, avg: 5, max: 9 });
  assertEquals(mdev, 2);
});

Deno.test("ping prints a line for each reply, and a summary", async () => {
  await using server = startOwnServer();
  const lines = (await output(["ping", "--count=3", "--interval=10ms", ...server.flags])).split("\n");
  const address = server.flags[1];
  for (const seq of [1, 2, 3]) {
    assertMatch(lines[seq - 1]!, new RegExp(`^pong from ${address}: seq=${seq} time=\\d+\\.\\d{3} ms$`));
  }
  assertEquals(lines.slice(3, 5), [`--- ${address} ---`, "3 sent, 3 answered, 0% lost"]);
  assertMatch(lines[5]!, /^round trip min\/avg\/max\/mdev = (\d+\.\d{3}\/){3}\d+\.\d{3} ms$/);
});

Deno.test("ping --json prints an object for each reply, and a summary", async () => {
  await using server = startOwnServer();
  const text = await output(["ping", "--json", "--count=2", "--interval=10ms", ...server.flags]);
  const [one, two, all, ...rest] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([one.seq, two.seq, rest], [1, 2, []]);
  const { min, avg, max, mdev, ...counts } = all;
  assertEquals(counts, { sent: 2, answered: 2, loss: 0 });
  assertEquals([min, max], [Math.min(one.time, two.time), Math.max(one.time, two.time)]);
  assert(avg >= min && avg <= max && mdev >= 0);
});

Deno.test("ping goes on until Ctrl-C, which prints the summary and exits with code 0", async () => {
  await using server = startOwnServer();
  await using ping = start(["ping", "--interval=10ms", ...server.flags]);
  await ping.stdout.line();
  await ping.stdout.line();
  ping.kill("SIGINT");
  const { code, stdout, stderr } = await ping.end();
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /, 0% lost\nround trip .*\n$/);
});

Deno.test("a ping whose server stops says so, and prints the summary", async () => {
  await using server = await startServer();
  await using ping = start(["ping", "--interval=10ms", ...server.flags]);
  await ping.stdout.line();
  server.kill("SIGTERM");
  const { code, stdout, stderr } = await ping.end();
  assertEquals([code, stderr], [1, "tracker: Cannot keep connection: the server is being stopped\n"]);
  assertMatch(stdout, /\n--- .+ ---\n\d+ sent, \d+ answered, /);
  assertMatch(await fail(["ping", "--server", `127.0.0.1:${freePort()}`], 5), /nothing listens there/);
});

Deno.test("a ping that is not answered in time is lost, and the next one is sent", async () => {
  await using server = startScript([greetingReply()]);
  const args = ["ping", "--count=2", "--interval=10ms", "--timeout=500ms", ...server.flags];
  const { code, stdout, stderr } = await run(args);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(stdout, /^no answer: seq=1 .+\nno answer: seq=2 .+\n--- .+ ---\n2 sent, 0 answered, 100% lost\n$/);
});
