/**
 * `tracker completions`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { bashScript } from "../cli/completions/bash.ts";
import { fishScript } from "../cli/completions/fish.ts";
import type { Generator } from "../cli/completions/grammar.ts";
import { zshScript } from "../cli/completions/zsh.ts";
import { parseFlags } from "../cli/flags/flags.ts";
import { parseAs, UsageError } from "../cli/flags/usage.ts";
import { choice } from "../cli/flags/values.ts";
import { write } from "../cli/terminal/output.ts";

const GENERATORS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<string, Generator>;

type Shell = keyof typeof GENERATORS;

const SHELL = choice(Object.keys(GENERATORS) as Shell[]);

const POSITIONALS = { placeholder: "SHELL", most: 1, choices: SHELL.choices } as const;

/**
 * Makes the command that prints completion scripts.
 *
 * @param load Loads every command, this one included
 * @returns The command
 */
export function createCompletionsCommand(load: () => Promise<readonly Command[]>): Command {
  return {
    name: "completions",
    summary: "Print the script that lets bash, zsh or fish complete tracker's command line.",
    details: [
      "The shell must read it each time it starts, so put the line for your shell into the file named below. It completes " +
      "the command 'tracker', so the program must be installed under that name.",
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
      const generate = GENERATORS[parseAs("SHELL", () => SHELL.parse(shell))];
      await write(generate(await load()));
      return 0;
    },
  };
}
