/**
 * `deno task compile`: builds the programs of a release.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { type Flag, parseFlags, toggle } from "../lib/cli/flags/flags.ts";
import { UsageError } from "../lib/cli/flags/usage.ts";
import { choice } from "../lib/cli/flags/values.ts";
import { write, writeError } from "../lib/cli/terminal/output.ts";
import { CHECKSUMS, writeChecksums } from "./checksums.ts";
import { runDeno } from "./deno_command.ts";
import { PERMISSIONS } from "./permissions.ts";
import { bundle, compile } from "./program.ts";
import { ReleaseError } from "./release_error.ts";
import { knownTargets, programName, type Target, TARGETS } from "./targets.ts";
import { runTask } from "./task.ts";

const FLAGS = {
  target: {
    placeholder: "TARGET",
    default: Deno.build.target,
    description: "the system to compile for",
    ...choice(TARGETS.map(({ triple }) => triple)),
  } satisfies Flag<string>,
  all: toggle("compile for every target"),
  output: {
    placeholder: "DIRECTORY",
    default: "dist",
    description: "the directory for the programs",
    parse: (text) => text,
  } satisfies Flag<string>,
};

const HELP = `deno task compile [--target TARGET | --all] [--output DIRECTORY]

Compiles Tracker to a program that needs nothing installed, tracker-VERSION-OS-ARCH, and lists all of them in ${CHECKSUMS}.

  --target TARGET     ${FLAGS.target.description} (default: this one)
  --all               compile for every target that this deno knows
  --output DIRECTORY  ${FLAGS.output.description} (default: ${FLAGS.output.default})
  --help              print this

Targets:
${TARGETS.map(({ triple }) => `  ${triple}`).join("\n")}

Built-in permissions:
${PERMISSIONS.map(({ flag, reason }) => `  ${flag}\n      ${reason}`).join("\n")}

Environment:
  DENORT_BIN          the base runtime to compile into; without it deno downloads the one for its version and the target
`;

/** Reads the command line. The targets must be known to this deno. */
async function chooseTargets(args: readonly string[]): Promise<{ targets: readonly Target[]; output: string }> {
  const { flags, given } = parseFlags(args, FLAGS);
  if (flags.all && given.has("target")) {
    throw new UsageError("--all and --target exclude each other");
  }
  const known = knownTargets((await runDeno(["compile", "--target", "?", "main.ts"])).output);
  const targets = flags.all ? known : known.filter(({ triple }) => triple === flags.target);
  if (targets.length === 0) {
    throw new ReleaseError(`Cannot compile for ${flags.target}: deno ${Deno.version.deno} does not know it`);
  }
  return { targets, output: flags.output };
}

async function compileAll(targets: readonly Target[], directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  const temporary = await Deno.makeTempDir({ prefix: "tracker-release-" });
  try {
    progress("bundling");
    const bundled = await bundle(temporary);
    for (const [index, target] of targets.entries()) {
      progress(`${index + 1} of ${targets.length}: ${target.triple}`);
      const path = `${directory}/${programName(config.version, target)}`;
      await compile(bundled, target, path);
      progress("");
      await write(`${path} ${((await Deno.stat(path)).size / 1e6).toFixed(1)} MB\n`);
    }
    await writeChecksums(directory, config.version);
  } finally {
    progress("");
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Shows the progress on a terminal, in one line that the next one replaces. */
function progress(text: string): void {
  if (Deno.stderr.isTerminal()) writeError(`\r\x1b[K${text}`);
}

if (import.meta.main) {
  await runTask("compile", async () => {
    if (Deno.args.includes("--help") || Deno.args.includes("-h")) return await write(HELP);
    const { targets, output } = await chooseTargets(Deno.args);
    await compileAll(targets, output);
  });
}
