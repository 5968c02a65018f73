/**
 * What can be fuzzed.
 *
 * @module
 */

import type { Random } from "../support/random.ts";

/** Tells that something was seen: an input that shows what none has shown before is worth changing a little. */
export type Note = (behaviour: string | number) => void;

/** A promise of the code that it has broken. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** Which promise: minimising keeps to the same one. */
  readonly rule: string;

  /**
   * @param rule Which promise, the same words for whatever input
   * @param detail What was seen
   */
  constructor(rule: string, detail = "") {
    super(detail === "" ? rule : `${rule}: ${detail}`);
    this.rule = rule;
  }
}

/** Throws a violation unless a promise is kept. */
export function demand(kept: boolean, rule: string, detail?: () => string): asserts kept {
  if (!kept) throw new Violation(rule, detail?.());
}

/** A part of the code, what may be given to it, and what it promises to do with that. */
export interface Target<Input = unknown> {
  /** The word for it on the command line, and the name of its folder in the corpus. */
  readonly name: string;
  /** The files of the program that it is about: new places reached in these are new behaviour. */
  readonly covers: readonly string[];
  /** Makes an input by the grammar, or nearly by it. */
  generate(random: Random): Input;
  /** Changes an input a little. The original stays as it is. */
  mutate(input: Input, random: Random): Input;
  /**
   * Gives the input to the code and looks at what it does.
   *
   * @throws {Violation} when a promise is broken; any other error is one that the code must not throw
   */
  check(input: Input, note: Note): void | Promise<void>;
  /** Inputs that are a little simpler, those that leave out most first. */
  simpler(input: Input): Iterable<Input>;
  /** The input as a few lines of text for people. */
  write(input: Input): string;
  /** Reads what {@linkcode write} wrote. */
  read(text: string): Input;
}
