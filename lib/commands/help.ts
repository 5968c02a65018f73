/**
 * `tracker help`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { parseFlags } from "../cli/flags/flags.ts";
import { findCommand, helpOf, overview } from "../cli/help.ts";
import { write } from "../cli/terminal/output.ts";

/**
 * Makes the command that prints the help of all commands.
 *
 * @param commands Returns every command, this one included
 * @returns The command
 */
export function createHelpCommand(commands: () => readonly Command[]): Command {
  const positionals = {
    placeholder: "[COMMAND]",
    most: 1,
    get choices() {
      return commands().map(({ name }) => name);
    },
  };
  return {
    name: "help",
    summary: "Print this help, or the help of a command.",
    details: [],
    positionals,
    flags: {},
    examples: [{ line: "tracker help serve", meaning: "explains every flag of serve" }],
    run: async (args) => {
      const [name] = parseFlags(args, {}, positionals).positionals;
      await write(name === undefined ? overview(commands()) : helpOf(findCommand(commands(), name)));
      return 0;
    },
  };
}
