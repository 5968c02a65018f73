/** Texts that try to act as more than text, and a check that none does on a terminal. */

import { assertEquals } from "@std/assert";

/** States that a terminal or a table could misread. */
export const HOSTILE_TEXTS: Readonly<Record<string, string>> = {
  "escape sequences": "\x1b[2J\x1b]0;title\x07\x1b[31m",
  "C1 controls": "\x9b2J\x85\x90\x9c\x80",
  "deletes and backspaces": "a\x08\x7f\x00",
  "newlines": "one\ntwo\r\nthree\x0b\x0c\u2028\u2029four",
  "bidirectional overrides": "\u202eabc\u202d\u2066def\u2069\u200f\u061c",
  "characters of no width": "a\u200bb\u200cc\u200dd\ufeffe\u2060f\ufe0f\u{e0041}",
  "wide characters": "雪と🦕 한글 ｆｕｌｌ",
  "marks on marks": `Z${"\u0301\u0302\u0303".repeat(200)}`,
  "something very long": "long ".repeat(4_000),
  "the table's own punctuation": "a  b\tc  live  12:00:00",
  "nothing": "",
};

/** Everything a terminal could act on, except newlines, which end lines. */
const DANGEROUS = new RegExp(
  "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufe00-\\ufe0f\\ufeff" +
    "\\u{e0000}-\\u{e007f}]",
  "u",
);

/** Expects text that is only displayed. */
export function assertHarmless(text: string): void {
  assertEquals(DANGEROUS.exec(text)?.[0].codePointAt(0)?.toString(16), undefined, JSON.stringify(text).slice(0, 500));
}
