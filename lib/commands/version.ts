/**
 * `tracker version`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { write, writeJson } from "../cli/terminal/output.ts";
import { VERSION } from "../version.ts";

const FLAGS = { json: toggle("print a JSON object with the members version, deno, v8 and target") } as const;

/** Prints the version, and what it runs on. */
export const versionCommand: Command = {
  name: "version",
  summary: "Print the version, and the runtime and system it runs on.",
  details: ["Include it when you report a problem."],
  flags: FLAGS,
  examples: [
    { line: "tracker version", meaning: "prints a line for people" },
    { line: "tracker version --json", meaning: "prints an object for programs" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { json } = parseFlags(args, FLAGS).flags;
  const { deno, v8 } = Deno.version;
  const { target } = Deno.build;
  if (json) await writeJson({ version: VERSION, deno, v8, target });
  else await write(`tracker ${VERSION} (deno ${deno}, v8 ${v8}, ${target})\n`);
  return 0;
}
