/** The permissions that the commands' page names are enough for each command, and none of them is too many. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadCommands } from "../../lib/commands/mod.ts";
import { codeOf, read, tableOf } from "../support/page.ts";
import { freePort, permissionsAreFixed, run, start, startServer, testUnless } from "../support/program.ts";

const COMMANDS = await loadCommands();

/** What to run of each command, and how what it prints begins. */
const TRIALS: Readonly<Record<string, { args: string[]; prints: RegExp }>> = {
  open: { args: ["idle"], prints: /^$/ },
  set: { args: ["job", "done"], prints: /^/ },
  unset: { args: ["job"], prints: /^/ },
  get: { args: [], prints: /^\{/ },
  list: { args: ["--json"], prints: /^[[{]/ },
  watch: { args: ["--json", "--until-lost"], prints: /^\{/ },
  ping: { args: ["--count", "1"], prints: /time=/ },
  health: { args: [], prints: /^ready\n$/ },
  stats: { args: ["--json"], prints: /^\{/ },
  send: { args: ["get"], prints: /^\{/ },
  version: { args: [], prints: /^tracker \d/ },
  completions: { args: ["bash"], prints: /complete / },
  help: { args: [], prints: /^Tracker/ },
};

/** What the page grants each command, for a server at some port. */
async function documented(port: number): Promise<Map<string, string[]>> {
  const rows = tableOf(await read("lib/commands/README.md"), "Permissions");
  return new Map(rows.map(([command = "", given = ""]) => {
    const flags = codeOf(given).map((flag) => flag.replace(":6789", `:${port}`));
    return [codeOf(command)[0] ?? "", flags];
  }));
}

testUnless(permissionsAreFixed, "the page names the permissions of every command", async () => {
  assertEquals([...(await documented(6789)).keys()], COMMANDS.map(({ name }) => name));
});

for (const [name, { args, prints }] of Object.entries(TRIALS)) {
  testUnless(
    permissionsAreFixed,
    `${name} works with the permissions that the page names, and not with fewer`,
    async () => {
      await using server = await startServer();
      const permissions = (await documented(server.port)).get(name) ?? [];
      const where = permissions.length === 0 ? [] : server.flags;
      if (name === "watch") {
        await using watch = start([name, ...where, ...args], { permissions });
        assertMatch(await watch.stdout.line(), prints);
      } else {
        const { code, stdout, stderr } = await run([name, ...where, ...args], { permissions });
        assertEquals(code, 0, stderr);
        assertMatch(stdout, prints);
      }
      for (const flag of permissions) {
        const fewer = permissions.filter((other) => other !== flag);
        const { code, stderr } = await run([name, ...where, ...args], { permissions: fewer });
        assert(code !== 0, `${name} does without ${flag}`);
        assertStringIncludes(stderr, "permission");
      }
    },
  );
}

testUnless(
  permissionsAreFixed,
  "serve works with the permissions that the page names, and not with fewer",
  async () => {
    const port = freePort();
    const permissions = (await documented(port)).get("serve") ?? [];
    const args = ["serve", "--port", `${port}`];
    {
      await using server = start(args, { permissions });
      assertStringIncludes(await server.stdout.line(), `listening on 127.0.0.1:${port}`);
      assertMatch((await run(["get", "--server", `127.0.0.1:${port}`])).stdout, /^\{\}/);
    }
    const { code, stderr } = await run(args, { permissions: [] });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "permission");
  },
);
