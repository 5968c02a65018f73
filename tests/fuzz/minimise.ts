/**
 * Minimising an input that fails.
 *
 * @module
 */

import { type Note, type Target, Violation } from "./target.ts";

/** Most inputs to try: a simpler one is worth a few seconds, not an hour. */
const MOST_TRIES = 5_000;

/** A failure of an input. */
export interface Failure {
  /** The broken promise, in words that are the same for every input that breaks it. */
  readonly rule: string;
  readonly error: unknown;
}

/** Checks an input, and returns `null` if it keeps every promise. */
export async function failureOf(target: Target, input: unknown, note: Note = () => {}): Promise<Failure | null> {
  try {
    // Awaiting costs more than most checks, so only what is asynchronous is awaited.
    const checking = target.check(input, note);
    if (checking !== undefined) await checking;
    return null;
  } catch (error) {
    return { rule: ruleOf(error), error };
  }
}

/** Puts a thrown error into words that are the same for every input. */
function ruleOf(error: unknown): string {
  if (error instanceof Violation) return error.rule;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return `throws only the errors it may: ${name}`;
}

/**
 * Simplifies an input while it still breaks the same promise.
 *
 * @param target The target that the input is for
 * @param input The input
 * @param rule The promise that it breaks
 * @returns The simplest input found
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
