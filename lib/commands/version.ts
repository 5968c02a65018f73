/**
 * `tracker version`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { write } from "../cli/terminal/output.ts";
import { VERSION } from "../version.ts";

const FLAGS = { json: toggle("print a JSON object with the members version, deno, v8 and target") } as const;

/** Prints which version this is, and what it runs on. */
export const versionCommand: Command = {
  name: "version",
  summary: "Print the version, and the runtime and system it runs on.",
  details: ["It is what to write into a report of a problem."],
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
  const text = json
    ? JSON.stringify({ version: VERSION, deno, v8, target })
    : `tracker ${VERSION} (deno ${deno}, v8 ${v8}, ${target})`;
  await write(`${text}\n`);
  return 0;
}
