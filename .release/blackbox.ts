/**
 * `deno task blackbox`: runs the tests of the command line against any program that claims to be Tracker.
 *
 * @module
 */

import { complain, write } from "../lib/cli/terminal/output.ts";

const TESTS = ["commands/", "cli/"].map((room) => new URL(`../tests/${room}`, import.meta.url));

/** The packages of the tests: `deno.lock` lists only what the program needs. */
const LOCK = `${import.meta.dirname}/../tests/deno.lock`;

const HELP = `deno task blackbox PROGRAM [ARGUMENT...]

Tests a program from outside, such as a compiled Tracker. It is started in an empty directory and without environment,
so that it finds neither deno nor a cache, and must leave nothing behind.

  PROGRAM             the program to start
  ARGUMENT            its arguments before the command

Environment:
  TRACKER_ONLY        only tests whose names contain this; /.../ is a regular expression
  TRACKER_PATIENCE    how many times longer than usual to wait, for a slow machine
`;

/** The module that starts the program. Tests that do not import it test the code from inside, whatever the program. */
const HARNESS = '/support/program.ts"';

async function findTests(): Promise<string[]> {
  const files = (await Promise.all(TESTS.map(filesIn))).flat();
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  return files.filter((file, at) => file.pathname.endsWith("_test.ts") && texts[at]!.includes(HARNESS)).map(String)
    .sort();
}

/** Finds every file in a folder, and in the folders below it. */
async function filesIn(folder: URL): Promise<URL[]> {
  const files: URL[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await filesIn(new URL(`${name}/`, folder)));
    else files.push(new URL(name, folder));
  }
  return files;
}

async function test([program = "", ...args]: readonly string[]): Promise<number> {
  // The tests start it in another directory.
  const command = [await Deno.realPath(program), ...args];
  const only = Deno.env.get("TRACKER_ONLY");
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", `--lock=${LOCK}`, "-P=test", "--no-check", "--sanitize-ops", "--sanitize-resources"],
      ...only === undefined ? [] : ["--filter", only],
      ...await findTests(),
    ],
    env: { TRACKER_COMMAND: JSON.stringify(command) },
  }).spawn().status;
  return code;
}

async function run(args: readonly string[]): Promise<number> {
  const [program] = args;
  if (program === undefined || program === "--help" || program === "-h") {
    await write(HELP);
    return program === undefined ? 2 : 0;
  }
  try {
    return await test(args);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    complain(`blackbox: there is no program ${program}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await run(Deno.args));
