/**
 * The flags that belong to no command: the help has them, completions have them, and `main.ts` looks for them.
 *
 * @module
 */

/** A switch of the program as a whole. */
export interface GeneralFlag {
  /** How it is written, the short way first. */
  readonly names: readonly string[];
  /** What it does. */
  readonly description: string;
}

/** Works in place of a command, and after each. */
export const HELP_FLAG: GeneralFlag = { names: ["-h", "--help"], description: "print this help" };

/** Works in place of a command. */
export const VERSION_FLAG: GeneralFlag = { names: ["-V", "--version"], description: "print the version" };
