/**
 * The command line as a shell needs to know it, taken from the tables that the help is made from.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { HELP_FLAG } from "../flags/general_flags.ts";

/** A flag, as it can be typed. */
export interface TypedFlag {
  /** Every way to write it, the short way first. */
  readonly names: readonly string[];
  /** What it does. */
  readonly description: string;
  /** What stands for its value; a switch has none. */
  readonly placeholder?: string | undefined;
  /** The values there are, where they can be counted. */
  readonly choices?: readonly string[] | undefined;
}

/** Writes the script by which a shell completes the program's command line. */
export type Generator = (commands: readonly Command[]) => string;

/**
 * Lists what can be typed after a command's name.
 *
 * @param command The command
 * @returns Its flags, and the one that every command has
 */
export function flagsOf({ flags }: Command): TypedFlag[] {
  const own = Object.entries(flags).map(([name, { placeholder, description, choices }]) => {
    return { names: [`--${name}`], description, placeholder, choices };
  });
  return [...own, HELP_FLAG];
}

/**
 * Finds the way of writing a flag that says what it is.
 *
 * @param flag The flag
 * @returns Such as `--help`
 */
export function longName({ names }: TypedFlag): string {
  return names.at(-1) ?? "";
}
