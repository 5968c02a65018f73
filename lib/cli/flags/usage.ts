/**
 * Errors in a command line, and suggestions to correct them.
 *
 * @module
 */

import { closestString, levenshteinDistance } from "../std.ts";

/** An invalid command line. The program ends with exit code 2 and points at the help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** The valid name that was probably meant; `undefined` when none is near. */
  readonly suggestion: string | undefined;
  readonly #problem: string;

  /**
   * Creates an error to throw.
   *
   * @param problem What is wrong
   * @param suggestion The valid name that was probably meant; the message ends with it, as a question
   */
  constructor(problem: string, suggestion?: string) {
    super(suggestion === undefined ? problem : `${problem}; did you mean ${suggestion}?`);
    this.suggestion = suggestion;
    this.#problem = problem;
  }

  /**
   * Names what the error is about.
   *
   * @param subject What the message begins with from now on, such as `--port`
   * @returns The same error about that
   */
  about(subject: string): UsageError {
    return new UsageError(`${subject} ${this.#problem}`, this.suggestion);
  }
}

/**
 * Runs a parser, and names in its error what it parses.
 *
 * @param subject What is parsed, such as `--port`
 * @param parse The parser, whose message follows the subject: "must be …"
 * @returns What the parser returns
 */
export function parseAs<T>(subject: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof UsageError ? error.about(subject) : error;
  }
}

/**
 * Makes the error for a name that does not exist, with the nearest one that does.
 *
 * @param kind The kind of name, such as `"flag"`
 * @param word What was written
 * @param names The valid names
 * @returns Such as `unknown flag --prot; did you mean --port?`
 */
export function unknownName(kind: string, word: string, names: readonly string[]): UsageError {
  return new UsageError(`unknown ${kind} ${word}`, nearestName(word, names));
}

/**
 * Finds the name that was probably meant. One that is no likely typo would confuse more than it helps.
 *
 * @param word What was written
 * @param names The valid names
 * @returns The nearest of them; `undefined` when none is near
 */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  const near = closestString(word, names);
  const letters = near.replace(/^-+/, "").length;
  const distance = levenshteinDistance(word.toLowerCase(), near.toLowerCase());
  return distance <= Math.max(2, letters / 3) && distance < letters ? near : undefined;
}

/** Most characters of a value that a message about it repeats. */
const SHOWN_LENGTH = 60;

/**
 * Quotes what was written, shortened where it would fill the screen.
 *
 * @param text What was written
 * @returns The text in quotes, fit for a message of one line
 */
export function quote(text: string): string {
  return `'${shorten(text, SHOWN_LENGTH)}'`;
}

/**
 * Shortens a text that is too long for its place.
 *
 * @param text The text
 * @param length Most characters
 * @returns The text, or its beginning and an ellipsis
 */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
