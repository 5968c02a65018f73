/** The log under systemd, whose journal is a pipe here: what counts is that standard error is the one it names. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../mod.ts";
import { commandLine, RunningServer, runsSources } from "../../support/program.ts";

/** `stat` of the coreutils names a stream as systemd does; elsewhere it is written differently. */
const ignore = Deno.build.os !== "linux";

/** What a server logs for a client that comes and goes, with JOURNAL_STREAM naming this stream of its own. */
async function logged(stream: string, args: readonly string[], permissions?: string[]): Promise<string[]> {
  const script = `export JOURNAL_STREAM=$(stat -Lc %d:%i ${stream}); exec "$@"`;
  const line = commandLine(["serve", "--port=0", ...args], permissions);
  await using server = await new RunningServer(["sh", "-c", script, "sh", ...line]).listening();
  await (await connect({ port: server.port, state: "abc" })).close();
  server.kill("SIGTERM");
  const { code, stderr } = await server.end();
  assertEquals(code, 0);
  return stderr.split("\n").slice(0, -1).map((line) => line.replace(/127\.0\.0\.1:\d+/, "PEER"));
}

const MAY_READ = ["-N", "-E=JOURNAL_STREAM"];
const OWN = "/proc/self/fd/2";

Deno.test({
  name: "serve leaves the time to the journal, and gives it severities",
  ignore,
  fn: async () => {
    assertEquals(await logged(OWN, [], MAY_READ), ["<6>join client1 PEER wide", "<6>leave client1 PEER close"]);
  },
});

Deno.test({
  name: "serve logs times when what it writes to is not the journal, or that cannot be known",
  ignore,
  fn: async () => {
    const cases: [stream: string, permissions: string[]][] = [["/dev/null", MAY_READ]];
    if (runsSources) cases.push([OWN, ["-N"]]);
    for (const [stream, permissions] of cases) {
      for (const line of await logged(stream, [], permissions)) assertMatch(line, /^[0-9-]+T[0-9:.]+Z (join|leave) /);
    }
  },
});

Deno.test({
  name: "serve logs JSON with its times to the journal too",
  ignore,
  fn: async () => {
    const lines = (await logged(OWN, ["--log=json"], MAY_READ)).map((line) => JSON.parse(line));
    assertEquals(lines.map(({ event, time }) => [event, Date.parse(time) > 0]), [["join", true], ["leave", true]]);
  },
});
