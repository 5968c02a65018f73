/**
 * Changing and simplifying sequences: bytes, characters, arguments, steps.
 *
 * @module
 */

import type { Random } from "../support/random.ts";

/**
 * Changes a sequence in one place: removes a part, repeats it, cuts off the rest, inserts an item or replaces one.
 *
 * @param items The sequence, which is not modified
 * @param random Random numbers
 * @param make Makes an item to insert; called with the item that it replaces, if any
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
 * Removes parts of a sequence: halves first, single items last.
 *
 * @param items The sequence
 * @returns The shorter sequences, one at a time
 */
export function* shorterSequences<T>(items: readonly T[]): Generator<T[]> {
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < items.length; at += size) yield items.toSpliced(at, size);
  }
}

/**
 * Changes a text in one place, with random characters or meaningful words.
 *
 * @param text The text
 * @param random Random numbers
 * @param words Words that have a meaning in such texts
 * @returns The new text
 */
export function mutateText(text: string, random: Random, words: readonly string[]): string {
  const character = () =>
    String.fromCharCode(random.next() < 0.9 ? random.integer(32, 126) : random.integer(0, 0xffff));
  const make = () => random.next() < 0.5 ? random.pick(words) : character();
  return mutateSequence(text.split(""), random, make).join("");
}

/**
 * Simplifies a text: makes it shorter, or replaces one character by `a`.
 *
 * @param text The text
 * @returns The simpler texts, one at a time
 */
export function* simplerTexts(text: string): Generator<string> {
  const characters = text.split("");
  for (const shorter of shorterSequences(characters)) yield shorter.join("");
  for (const [at, character] of characters.entries()) {
    if (character > "a" && character !== "a") yield characters.with(at, "a").join("");
  }
}
