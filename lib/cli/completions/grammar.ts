/**
 * The command line as shells need to know it, taken from the same tables as the help.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { type GeneralFlag, HELP_FLAG } from "../flags/general_flags.ts";

/** A flag as it can be typed. */
export interface TypedFlag extends GeneralFlag {
  /** Stands for its value; a switch has none. */
  readonly placeholder?: string | undefined;
  /** The possible values, where they can be enumerated. */
  readonly choices?: readonly string[] | undefined;
  /** Whether its value is the path of a file. */
  readonly isFile?: boolean | undefined;
}

/** The flags that a shell has to repeat when it asks the server for identifiers: those with a value, and those without. */
export const SERVER_FLAGS = { valued: ["--server", "--ca", "--token-file"], bare: ["--tls"] } as const;

/** What prints identifiers, one on each line after the first; it must not keep a person waiting. */
export const LIST_COMMAND = "list --columns id --limit 1000 --timeout 1s";

/** Generates the script with which a shell completes the program's command line. */
export type Generator = (commands: readonly Command[]) => string;

/**
 * Lists the flags of a command. Aliases are left out: they still work, but need not be learned.
 *
 * @param command The command
 * @returns Its own flags, and the one that every command has
 */
export function flagsOf({ flags }: Command): TypedFlag[] {
  const own = Object.entries(flags).map(([name, { placeholder, description, choices, isFile }]) => {
    return { names: [`--${name}`], description, placeholder, choices, isFile };
  });
  return [...own, HELP_FLAG];
}
