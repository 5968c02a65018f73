/**
 * What is wrong with a command line.
 *
 * @module
 */

import { closestString, levenshteinDistance } from "../std.ts";

/** A command line that makes no sense. The program ends with exit code 2 and points at the help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Says that there is no such name, with the nearest one there is.
 *
 * @param kind What the name would be the name of, such as `"flag"`
 * @param word What was written
 * @param names What could have been written
 * @returns Such as `unknown flag --prot; did you mean --port?`
 */
export function unknownName(kind: string, word: string, names: readonly string[]): string {
  const near = nearestName(word, names);
  return `unknown ${kind} ${word}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

/** A suggestion that is no likely slip of the fingers confuses more than it helps. */
function nearestName(word: string, names: readonly string[]): string | undefined {
  const near = closestString(word, names);
  const letters = near.replace(/^-+/, "").length;
  const distance = levenshteinDistance(word.toLowerCase(), near.toLowerCase());
  return distance <= Math.max(2, letters / 3) && distance < letters ? near : undefined;
}

/** How much of a value is repeated in a message about it. */
const SHOWN_LENGTH = 60;

/**
 * Puts what was written in quotes, and cuts it where it would fill the screen.
 *
 * @param text What was written
 * @returns The same, fit for a message of one line
 */
export function quote(text: string): string {
  return `'${shorten(text, SHOWN_LENGTH)}'`;
}

/**
 * Cuts a text that is too long for where it goes.
 *
 * @param text The text
 * @param length How many characters there is room for
 * @returns The text, or its beginning and an ellipsis
 */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
