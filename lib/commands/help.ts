/**
 * `tracker help`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { parseFlags } from "../cli/flags/flags.ts";
import { helpOf, overview } from "../cli/help.ts";
import { write } from "../cli/terminal/output.ts";

/**
 * Makes the command that prints the help of all commands.
 *
 * @param names The names of all commands
 * @param load Loads one of them
 * @param loadAll Loads all of them, this one included
 * @returns The command
 */
export function createHelpCommand(
  names: readonly string[],
  load: (name: string) => Promise<Command>,
  loadAll: () => Promise<readonly Command[]>,
): Command {
  const positionals = { placeholder: "[COMMAND]", most: 1, choices: names };
  return {
    name: "help",
    summary: "Print this help, or the help of a command.",
    details: [],
    positionals,
    flags: {},
    examples: [{ line: "tracker help serve", meaning: "explains every flag of serve" }],
    run: async (args) => {
      const [name] = parseFlags(args, {}, positionals).positionals;
      await write(name === undefined ? overview(await loadAll()) : helpOf(await load(name)));
      return 0;
    },
  };
}
