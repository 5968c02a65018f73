/** The log under systemd. A pipe stands in for its journal: only the identity of standard error matters. */

import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../mod.ts";
import { commandLine, RunningServer, runsSources } from "../../support/program.ts";

/** `stat` of the GNU coreutils names a stream as systemd does; others have another syntax. */
const ignore = Deno.build.os !== "linux";

/** Returns what a server logs for a client that comes and goes, if JOURNAL_STREAM names one of its streams. */
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
  name: "serve leaves times to the journal, and gives it severities",
  ignore,
  fn: async () => {
    assertEquals(await logged(OWN, [], MAY_READ), ["<6>join client1 PEER wide", "<6>leave client1 PEER close"]);
  },
});

Deno.test({
  name: "serve logs times if standard error is not the journal, or that cannot be determined",
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
  name: "serve logs JSON with times even to the journal",
  ignore,
  fn: async () => {
    const lines = (await logged(OWN, ["--log=json"], MAY_READ)).map((line) => JSON.parse(line));
    assertEquals(lines.map(({ event, time }) => [event, Date.parse(time) > 0]), [["join", true], ["leave", true]]);
  },
});
