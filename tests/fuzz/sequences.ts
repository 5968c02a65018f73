/**
 * Changing and simplifying anything that is one thing after another: bytes, characters, arguments, steps.
 *
 * @module
 */

import type { Random } from "../support/random.ts";

/**
 * Changes a sequence in one place: leaves a part out, says it twice, puts something in, or replaces one thing.
 *
 * @param items The sequence, which stays as it is
 * @param random Where
 * @param make Makes something to put in; what stood there, if anything, is given
 * @returns The new sequence
 */
export function mutateSequence<T>(items: readonly T[], random: Random, make: (before?: T) => T): T[] {
  const at = random.integer(0, items.length);
  const end = Math.min(items.length, at + random.integer(1, 4));
  switch (random.integer(0, 4)) {
    case 0:
      return items.toSpliced(at, end - at);
    case 1:
      return items.toSpliced(at, 0, ...items.slice(at, end));
    case 2:
      return items.toSpliced(at, 0, make());
    case 3:
      return items.slice(0, at);
    default:
      return at < items.length ? items.with(at, make(items[at])) : [...items, make()];
  }
}

/**
 * Leaves parts out of a sequence: halves first, single things last.
 *
 * @param items The sequence
 * @returns The shorter ones, one after the other
 */
export function* shorterSequences<T>(items: readonly T[]): Generator<T[]> {
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < items.length; at += size) yield items.toSpliced(at, size);
  }
}

/**
 * Changes a text: by characters, or with a word that means something there.
 *
 * @param text The text
 * @param random Where
 * @param words Words that mean something there
 * @returns The new text
 */
export function mutateText(text: string, random: Random, words: readonly string[]): string {
  const character = () =>
    String.fromCharCode(random.next() < 0.9 ? random.integer(32, 126) : random.integer(0, 0xffff));
  const make = () => random.next() < 0.5 ? random.pick(words) : character();
  return mutateSequence(text.split(""), random, make).join("");
}

/**
 * Makes a text simpler: shorter, or with a plainer character in one place.
 *
 * @param text The text
 * @returns The simpler ones, one after the other
 */
export function* simplerTexts(text: string): Generator<string> {
  const characters = text.split("");
  for (const shorter of shorterSequences(characters)) yield shorter.join("");
  for (const [at, character] of characters.entries()) {
    if (character > "a" && character !== "a") yield characters.with(at, "a").join("");
  }
}
