/**
 * Making an input that fails as simple as it can be.
 *
 * @module
 */

import { type Note, type Target, Violation } from "./target.ts";

/** Most inputs tried: a simpler one is worth a few seconds, not an hour. */
const MOST_TRIES = 5_000;

/** What an input has done wrong. */
export interface Failure {
  /** The same words for all inputs that do the same thing wrong. */
  readonly rule: string;
  readonly error: unknown;
}

/** Checks an input; `null` when it does nothing wrong. */
export async function failureOf(target: Target, input: unknown, note: Note = () => {}): Promise<Failure | null> {
  try {
    // Waiting costs more than most checks.
    const checking = target.check(input, note);
    if (checking !== undefined) await checking;
    return null;
  } catch (error) {
    return { rule: ruleOf(error), error };
  }
}

/** What was thrown, in words that are the same for every input. */
function ruleOf(error: unknown): string {
  if (error instanceof Violation) return error.rule;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return `throws nothing but the errors it may: ${name}`;
}

/**
 * Makes an input simpler as long as it does the same thing wrong.
 *
 * @param target Whose input it is
 * @param input The input
 * @param rule What it does wrong
 * @returns The simplest found
 */
export async function minimise(target: Target, input: unknown, rule: string): Promise<unknown> {
  let simplest = input;
  let tries = 0;
  for (let found: unknown = input; found !== undefined;) {
    found = undefined;
    for (const simpler of target.simpler(simplest)) {
      if (++tries > MOST_TRIES) return simplest;
      if ((await failureOf(target, simpler))?.rule !== rule) continue;
      simplest = found = simpler;
      break;
    }
  }
  return simplest;
}
