/**
 * The shape of a command.
 *
 * @module
 */

import type { FlagTable, Positionals } from "./flags/flags.ts";

/** What a command may do to the process it runs in. */
export interface Process {
  /** Ends the process at once, for a user who has asked twice. */
  readonly exit: (code: number) => void;
}

/** A command line to try, and its effect. */
export interface Example {
  /** What to type. */
  readonly line: string;
  /** What it does. */
  readonly meaning: string;
}

/** A subcommand: its help and its code. */
export interface Command {
  /** The word that calls it. */
  readonly name: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The rest of its description, a paragraph each. */
  readonly details: readonly string[];
  /** Its arguments besides flags. */
  readonly positionals?: Positionals;
  /** Its flags, by name. */
  readonly flags: FlagTable;
  /** Command lines to try. */
  readonly examples: readonly Example[];
  /**
   * Runs it.
   *
   * @param args The arguments after the command's name
   * @param process What it may do to the process
   * @returns The exit code
   */
  run(args: readonly string[], process: Process): Promise<number>;
}
