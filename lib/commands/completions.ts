/**
 * `tracker completions`
 *
 * @module
 */

import type { Command } from "./command.ts";
import { bashScript } from "./completions/bash.ts";
import { fishScript } from "./completions/fish.ts";
import type { Generator } from "./completions/grammar.ts";
import { zshScript } from "./completions/zsh.ts";
import { parseFlags } from "./flags.ts";
import { write } from "./output.ts";
import { UsageError } from "./usage.ts";
import { choice } from "./values.ts";

const GENERATORS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<string, Generator>;

type Shell = keyof typeof GENERATORS;

const SHELL = choice(Object.keys(GENERATORS) as Shell[]);

const POSITIONALS = { placeholder: "SHELL", most: 1, choices: SHELL.choices } as const;

/**
 * Makes the command that prints how a shell completes the command line of tracker.
 *
 * @param commands What to complete: every command, this one included
 * @returns The command
 */
export function createCompletionsCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completions",
    summary: "Print the script with which bash, zsh or fish completes tracker's command line.",
    details: [
      "The shell has to read it each time it starts, so the line for yours goes into the file named below. It completes " +
      "the word 'tracker', which therefore has to be what you type to run the program.",
    ],
    positionals: POSITIONALS,
    flags: {},
    examples: [
      { line: 'eval "$(tracker completions bash)"', meaning: "in ~/.bashrc, for bash" },
      { line: "source <(tracker completions zsh)", meaning: "in ~/.zshrc after compinit, for zsh" },
      { line: "tracker completions fish | source", meaning: "in ~/.config/fish/config.fish, for fish" },
    ],
    run: async (args) => {
      const [shell] = parseFlags(args, {}, POSITIONALS).positionals;
      if (shell === undefined) throw new UsageError(`completions needs a SHELL: ${SHELL.choices.join(", ")}`);
      await write(GENERATORS[parseShell(shell)](commands()));
      return 0;
    },
  };
}

function parseShell(text: string): Shell {
  try {
    return SHELL.parse(text);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`SHELL ${error.message}`) : error;
  }
}
