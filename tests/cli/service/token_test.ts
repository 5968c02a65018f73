/** The tokens that commands show to a server. */

import { assertEquals, assertMatch } from "@std/assert";
import { Tokens } from "../../../mod.ts";
import { output, secretFile, startOwnServer } from "../../support/command_clients.ts";
import { fail, permissionsAreFixed, run, runsSources, start, startServer, testUnless } from "../../support/program.ts";

const WRITE = "0123456789abcdef0123";
const READ = "fedcba98765432100000";

const tokens = Tokens.parse(`robots:${WRITE}\ndashboard:${READ}:read`);

/** The permissions to read a token file. */
const mayRead = { permissions: ["-N", "-R"] };

Deno.test("every command shows the token in its file", async () => {
  await using server = startOwnServer({ tokens });
  await using file = await secretFile(`${WRITE}\n`);
  const flags = ["--token-file", file.path, ...server.flags];
  assertEquals(await output(["set", "a", "x", ...flags], mayRead), "");
  assertEquals(await output(["get", ...flags], mayRead), "{a=x}\n");
  for (const command of [["get", "--json"], ["list"], ["stats"], ["ping", "--count=1"], ["unset", "a"]]) {
    await output([...command, ...flags], mayRead);
  }
  await using watch = start(["watch", ...flags], mayRead);
  assertMatch(await watch.stdout.line(), / connected$/);
  await using open = start(["open", "abc", ...flags], mayRead);
  for (let line = ""; !/ join client1 abc$/.test(line);) line = await watch.stdout.line();
  await open.endInput();
  assertEquals((await open.end()).code, 0);
});

Deno.test("TRACKER_TOKEN is shown unless a file is named", async () => {
  await using server = startOwnServer({ tokens });
  await using file = await secretFile(WRITE);
  const permissions = ["-N", "-R", "--allow-env=TRACKER_TOKEN"];
  const inherited = { env: { TRACKER_TOKEN: READ }, permissions };
  assertEquals(await output(["get", ...server.flags], inherited), "{}\n");
  assertEquals(
    await fail(["set", "a", "x", ...server.flags], 4, inherited),
    "tracker: Cannot give access: the token is for reading. Show a token that may write: --token-file FILE",
  );
  assertEquals(await output(["set", "a", "x", "--token-file", file.path, ...server.flags], inherited), "");
  assertEquals(
    await fail(["get", ...server.flags], 2, { env: { TRACKER_TOKEN: "too short" }, permissions }),
    "tracker: TRACKER_TOKEN must be a token of 16 to 1024 characters, without : or spaces. Run 'tracker help get'",
  );
});

Deno.test("a client without a token, or with an unknown one, is told what to do", async () => {
  await using server = startOwnServer({ tokens });
  const advice = "Show one of the server's tokens: --token-file FILE, or TRACKER_TOKEN in the environment";
  const permission = runsSources ? ". If TRACKER_TOKEN is set, it was not read: run deno with -E=TRACKER_TOKEN" : "";
  assertEquals(
    await fail(["list", ...server.flags], 4),
    `tracker: Cannot give access: a token is needed. ${advice}${permission}`,
  );
  await using file = await secretFile("another-token-of-no-use");
  const result = await run(["watch", "--token-file", file.path, ...server.flags], mayRead);
  // It does not retry.
  assertEquals(
    [result.code, result.stderr],
    [4, `tracker: Cannot give access: the token is not known here. ${advice}\n`],
  );
});

Deno.test("a file that does not hold exactly one token is refused, without repeating any of it", async () => {
  const wrong: [string, RegExp][] = [
    ["", /it does not hold one token of 16 to 1024 characters, and nothing else$/],
    ["secret", /it does not hold one token/],
    [`${WRITE} ${READ}`, /it does not hold one token/],
    [`robots:${WRITE}`, /it has the form of a server's file; a client's holds its token alone, without a name$/],
  ];
  for (const [text, message] of wrong) {
    await using file = await secretFile(text);
    const line = await fail(["get", "--token-file", file.path], 1, mayRead);
    assertMatch(line, message);
    assertEquals(line.includes(WRITE) || line.includes("secret"), false);
  }
});

const noModes = Deno.build.os === "windows" ? "files have no such mode there" : undefined;

Deno.test("a directory in place of a token file is called what it is", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tracker-tokens-" });
  try {
    assertEquals(
      await fail(["serve", "--port=0", "--token-file", directory], 1, mayRead),
      `tracker: Cannot take tokens from ${directory}: it is a directory; name the file in it`,
    );
  } finally {
    await Deno.remove(directory);
  }
});

testUnless(noModes, "a token file that others can read is refused", async () => {
  await using file = await secretFile(WRITE, 0o644);
  assertEquals(
    await fail(["get", "--token-file", file.path], 1, mayRead),
    `tracker: Cannot take tokens from ${file.path}: others can read it: chmod 600 ${file.path}`,
  );
});

testUnless(
  noModes,
  "a token file that its group may read is accepted, as files from systemd look like that",
  async () => {
    await using server = await startServer();
    await using file = await secretFile(WRITE, 0o440);
    assertEquals((await run(["get", ...server.flags, "--token-file", file.path], mayRead)).code, 0);
  },
);

testUnless(permissionsAreFixed, "a file that Deno may not read is reported with the missing permission", async () => {
  await using file = await secretFile(WRITE);
  assertMatch(await fail(["get", "--token-file", file.path], 1), /run deno with -R=/);
});
