/**
 * `tracker help`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { parseFlags } from "../cli/flags/flags.ts";
import { helpOf, overview, requireCommand } from "../cli/help.ts";
import { write } from "../cli/terminal/output.ts";

/**
 * Makes the command that prints the help of all commands.
 *
 * @param names The names of all commands
 * @param load Loads every command, this one included
 * @returns The command
 */
export function createHelpCommand(names: readonly string[], load: () => Promise<readonly Command[]>): Command {
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
      if (name !== undefined) requireCommand(names, name);
      const commands = await load();
      const command = commands.find((command) => command.name === name);
      await write(command === undefined ? overview(commands) : helpOf(command));
      return 0;
    },
  };
}
