/**
 * The flags of the program as a whole: in the help, in completions, and looked for by `main.ts`.
 *
 * @module
 */

/** A switch of the program as a whole. */
export interface GeneralFlag {
  /** Its spellings, the long one last. */
  readonly names: readonly string[];
  /** What it does. */
  readonly description: string;
}

/** Works in place of a command, and after every command. */
export const HELP_FLAG: GeneralFlag = { names: ["-h", "--help"], description: "print this help" };

/** Works in place of a command. */
export const VERSION_FLAG: GeneralFlag = { names: ["-V", "--version"], description: "print the version" };

/**
 * Finds the long spelling of a flag.
 *
 * @param flag The flag
 * @returns Such as `--help`
 */
export function longName({ names }: GeneralFlag): string {
  return names.at(-1) ?? "";
}
