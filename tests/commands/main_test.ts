import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { loadCommands } from "../../lib/commands/mod.ts";
import { fail, run, runsSources } from "../support/program.ts";

const COMMANDS = await loadCommands();

Deno.test("help goes to stdout, lists every command, and fits 100 columns", async () => {
  for (const args of [["help"], ["--help"], ["-h"]]) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stderr], [0, ""]);
    for (const { name, summary } of COMMANDS) assert(stdout.includes(`  ${name}`) && stdout.includes(summary), name);
    assertEquals(stdout.split("\n").filter((line) => line.length > 100), []);
  }
});

Deno.test("help of a command lists its flags and examples, and fits 100 columns", async () => {
  for (const { name, flags, examples } of COMMANDS) {
    const { code, stdout, stderr } = await run(["help", name]);
    assertEquals([code, stderr], [0, ""]);
    const aliases = Object.values(flags).flatMap(({ aliases = [] }) => aliases);
    for (const flag of [...Object.keys(flags), ...aliases, "help"]) assertStringIncludes(stdout, `--${flag}`);
    for (const { line } of examples) assertStringIncludes(stdout, line);
    assertEquals(stdout.split("\n").filter((line) => line.length > 100), []);
    assertEquals((await run([name, "--help"])).stdout, stdout);
  }
  assertEquals((await run(["get", "--server", "x", "-h"])).code, 0);
});

Deno.test("the version is the one in deno.json", async () => {
  for (const flag of ["--version", "-V"]) {
    assertEquals(await run([flag]), { code: 0, stdout: `tracker ${config.version}\n`, stderr: "" });
  }
});

Deno.test("version prints what the program runs on, for people and for programs", async () => {
  const { code, stdout, stderr } = await run(["version", "--json"]);
  assertEquals([code, stderr], [0, ""]);
  const { version, deno, v8, target, ...rest } = JSON.parse(stdout);
  assertEquals([version, rest], [config.version, {}]);
  assert([deno, v8].every((number) => /^\d+\.\d+\./.test(number)), stdout);
  if (runsSources) assertEquals([deno, v8, target], [Deno.version.deno, Deno.version.v8, Deno.build.target]);
  const line = `tracker ${version} (deno ${deno}, v8 ${v8}, ${target})\n`;
  assertEquals(await run(["version"]), { code: 0, stdout: line, stderr: "" });
});

Deno.test("without a command, the help goes to stderr", async () => {
  const { code, stdout, stderr } = await run([]);
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr, (await run(["help"])).stdout);
});

const refused: [args: string, message: string][] = [
  ["sevre", "unknown command sevre; did you mean serve? Run 'tracker help'"],
  ["xyzzy", "unknown command xyzzy. Run 'tracker help'"],
  ["help gte", "unknown command gte; did you mean get? Run 'tracker help help'"],
  [
    "help get open",
    "unexpected argument open; [COMMAND] is one argument, so put spaces in quotes. Run 'tracker help help'",
  ],
  ["--versoin", "unknown flag --versoin; did you mean --version? Run 'tracker help'"],
  ["--server x get", "unknown flag --server; a command comes first, then its flags. Run 'tracker help'"],
  ["serve --prot 70", "unknown flag --prot; did you mean --port? Run 'tracker help serve'"],
  ["serve --prot=70", "unknown flag --prot; did you mean --port? Run 'tracker help serve'"],
  ["serve --frobnicate", "unknown flag --frobnicate. Run 'tracker help serve'"],
  ["serve --no-log", "unknown flag --no-log. Run 'tracker help serve'"],
  ["serve -p 70", "unknown flag -p. Run 'tracker help serve'"],
  ["serve 70", "unexpected argument 70. Run 'tracker help serve'"],
  ["serve --port", "--port needs a value. Run 'tracker help serve'"],
  ["serve --port --host ::1", "--port needs a value. Run 'tracker help serve'"],
  ["serve --port 1 --port=2", "--port is given more than once. Run 'tracker help serve'"],
  ["serve --port 0x10", "--port must be an integer from 0 to 65535, not '0x10'. Run 'tracker help serve'"],
  ["serve --port -1", "--port must be an integer from 0 to 65535, not '-1'. Run 'tracker help serve'"],
  ["serve --port=", "--port must not be empty. Run 'tracker help serve'"],
  ["serve --max-clients 0", "--max-clients must be an integer from 1 to 2147483648, not '0'. Run 'tracker help serve'"],
  ["serve --log jsn", "--log must be one of text, json, off, not 'jsn'; did you mean json? Run 'tracker help serve'"],
  [
    "serve --idle-timeout 10x",
    "--idle-timeout must be a duration such as 10s, 500ms or 1m (0 is off, at most 24 days), not '10x'. " +
    "Run 'tracker help serve'",
  ],
  [
    "serve --host a/b",
    "--host must be an address such as 127.0.0.1 or ::1, or a host name, not 'a/b'. Run 'tracker help serve'",
  ],
  [
    "serve --trusted-networks ::1 --legacy-from ::1",
    "--trusted-networks (or --legacy-from) is given more than once. Run 'tracker help serve'",
  ],
  [
    "serve --legacy-from ::1",
    "--trusted-networks needs a --token-file: without one, every client may connect. Run 'tracker help serve'",
  ],
  [
    "serve --legacy-from=10.0.0.0/8,x",
    "--trusted-networks must be networks such as 10.0.0.0/8 or ::1, separated by commas, not 'x'. Run 'tracker help serve'",
  ],
  ["open a b", "unexpected argument b; [STATE] is one argument, so put spaces in quotes. Run 'tracker help open'"],
  ["open -abc", "unknown flag -abc; a STATE that begins with - goes after --. Run 'tracker help open'"],
  [
    "get --server ::1",
    "--server must be HOST:PORT such as 127.0.0.1:6789 or [::1]:6789, not '::1'. Run 'tracker help get'",
  ],
  ["send", "send needs a STEP, such as open=abc or get. Run 'tracker help send'"],
  ["version 1", "unexpected argument 1. Run 'tracker help version'"],
  ["completions", "completions needs a SHELL: bash, zsh, fish. Run 'tracker help completions'"],
  [
    "completions csh",
    "SHELL must be one of bash, zsh, fish, not 'csh'; did you mean zsh? Run 'tracker help completions'",
  ],
  ["send opne=abc", "unknown step opne; did you mean open? Run 'tracker help send'"],
  ["send get=1", "step get takes no value, not '1'. Run 'tracker help send'"],
  ["send --hex=2 get", "--hex takes no value. Run 'tracker help send'"],
  ["send wait=1s", "step wait must be an integer from 0 to 2147483647, not '1s'. Run 'tracker help send'"],
  [
    "send raw=2a0",
    "step raw must have bytes of two hexadecimal digits, such as raw=2a03, not '2a0'. Run 'tracker help send'",
  ],
];

Deno.test("an invalid command line is refused in one line, with exit code 2", async () => {
  const batch = async ([args, message]: [string, string]) => {
    assertEquals(await fail(args.split(" "), 2), `tracker: ${message}`);
  };
  // A few at a time: each is a process.
  for (let at = 0; at < refused.length; at += 4) await Promise.all(refused.slice(at, at + 4).map(batch));
});

Deno.test("a repeated argument cannot send commands to the terminal", async () => {
  assertEquals(await fail(["\x1b[2J\n"], 2), "tracker: unknown command \\x1b[2J\\x0a. Run 'tracker help'");
});
