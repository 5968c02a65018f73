/**
 * The command line: finds the command and runs it.
 *
 * @module
 */

import type { Process } from "./lib/cli/command.ts";
import { reportFailure } from "./lib/cli/failure.ts";
import { HELP_FLAG, VERSION_FLAG } from "./lib/cli/flags/general_flags.ts";
import { UsageError } from "./lib/cli/flags/usage.ts";
import { helpOf, overview } from "./lib/cli/help.ts";
import { write, writeError } from "./lib/cli/terminal/output.ts";
import { loadCommand, loadCommands } from "./lib/commands/mod.ts";
import { VERSION } from "./lib/version.ts";

/** Runs the command that the arguments name, and reports its failure. Returns the exit code. */
async function run(args: readonly string[], process: Process): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    writeError(overview(await loadCommands()));
    return 2;
  }
  let command: string | undefined;
  try {
    requireText(args);
    if (VERSION_FLAG.names.includes(name)) {
      await write(`tracker ${VERSION}\n`);
      return 0;
    }
    const found = await loadCommand(HELP_FLAG.names.includes(name) ? "help" : name);
    command = found.name;
    if (!asksForHelp(rest)) return await found.run(rest, process);
    await write(helpOf(found));
    return 0;
  } catch (error) {
    return reportFailure(error, command);
  }
}

/** What is not UTF-8 arrives as U+FFFD: it would be stored in place of what was meant. */
function requireText(args: readonly string[]): void {
  const damaged = args.findIndex((arg) => arg.includes("\ufffd"));
  if (damaged !== -1) {
    throw new UsageError(`argument ${damaged + 1} is not valid UTF-8; give such a state on standard input`);
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).some((arg) => HELP_FLAG.names.includes(arg));
}

if (import.meta.main) {
  // A rejection that nothing handles must not end in a stack trace either.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(reportFailure(event.reason));
  });
  Deno.exit(await run(Deno.args, { exit: Deno.exit }));
}
