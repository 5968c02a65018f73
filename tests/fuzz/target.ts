/**
 * A target of the fuzzer.
 *
 * @module
 */

import type { Random } from "../support/random.ts";

/** Reports a behaviour: an input that shows a new one is worth changing a little. */
export type Note = (behaviour: string | number) => void;

/** A promise that the code has broken. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** The promise; minimising an input keeps to the same one. */
  readonly rule: string;

  /**
   * @param rule The promise, in words that are the same for every input
   * @param detail What was observed
   */
  constructor(rule: string, detail = "") {
    super(detail === "" ? rule : `${rule}: ${detail}`);
    this.rule = rule;
  }
}

/** Throws a {@linkcode Violation} unless a promise is kept. */
export function demand(kept: boolean, rule: string, detail?: () => string): asserts kept {
  if (!kept) throw new Violation(rule, detail?.());
}

/** A part of the code: what inputs it takes, and what it promises for each. */
export interface Target<Input = unknown> {
  /** Its name on the command line, and that of its folder in the corpus. */
  readonly name: string;
  /** Ends of the files' URLs that it is about: new blocks reached in these files are new behaviour. */
  readonly covers: readonly string[];
  /** Makes an input that is valid, or nearly so. */
  generate(random: Random): Input;
  /** Changes an input a little, without modifying the original. */
  mutate(input: Input, random: Random): Input;
  /**
   * Runs the code on an input and checks what it does.
   *
   * @throws {Violation} when a promise is broken; any other error is one that the code must not throw
   */
  check(input: Input, note: Note): void | Promise<void>;
  /** Yields simpler inputs, those that leave out most first. */
  simpler(input: Input): Iterable<Input>;
  /** Writes an input as a few readable lines. */
  write(input: Input): string;
  /** Reads the output of {@linkcode write}. */
  read(text: string): Input;
}
