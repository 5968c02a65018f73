/**
 * What a command is.
 *
 * @module
 */

import type { FlagTable, Positionals } from "./flags/flags.ts";

/** What a command may do to the process it runs in. */
export interface Process {
  /** Ends the process at once, for a user who has asked twice. */
  readonly exit: (code: number) => void;
}

/** A command line to try, and what it does. */
export interface Example {
  /** What to type. */
  readonly line: string;
  /** What happens then. */
  readonly meaning: string;
}

/** A subcommand: all that its help says, and what it does. */
export interface Command {
  /** The word that calls it. */
  readonly name: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** What else there is to know, a paragraph each. */
  readonly details: readonly string[];
  /** What it takes besides flags. */
  readonly positionals?: Positionals;
  /** Its flags, by name. */
  readonly flags: FlagTable;
  /** Command lines to try. */
  readonly examples: readonly Example[];
  /**
   * Does it.
   *
   * @param args What follows the command's name
   * @param process What it may do to the process
   * @returns The exit code
   */
  run(args: readonly string[], process: Process): Promise<number>;
}
