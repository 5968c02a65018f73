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
}

/** Generates the script with which a shell completes the program's command line. */
export type Generator = (commands: readonly Command[]) => string;

/**
 * Lists the flags of a command. Aliases are left out: they still work, but need not be learned.
 *
 * @param command The command
 * @returns Its own flags, and the one that every command has
 */
export function flagsOf({ flags }: Command): TypedFlag[] {
  const own = Object.entries(flags).map(([name, { placeholder, description, choices }]) => {
    return { names: [`--${name}`], description, placeholder, choices };
  });
  return [...own, HELP_FLAG];
}
