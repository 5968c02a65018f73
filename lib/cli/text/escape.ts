/**
 * Makes foreign text safe to show: a state or an error may hold bytes that a terminal takes for commands.
 *
 * @module
 */

import { textOrNull, UNSAFE } from "../../base/text.ts";

/**
 * Replaces characters that a terminal could act on by their codes, such as `\x1b`.
 *
 * @param text Any text
 * @returns One line, harmless on a terminal
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? escapeCode(code) : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Shows bytes as text. Bytes that are not UTF-8 are shown by their codes.
 *
 * @param bytes Any bytes
 * @returns One line, harmless on a terminal
 */
export function escapeBytes(bytes: Uint8Array): string {
  return show(bytes, (text) => text);
}

/**
 * Shows bytes as a quoted string, in which a backslash always begins an escape.
 *
 * @param bytes Any bytes
 * @returns The string, quotes included
 */
export function quoteBytes(bytes: Uint8Array): string {
  return `"${show(bytes, (text) => text.replace(/["\\]/g, "\\$&"))}"`;
}

/**
 * Shows a word among words separated by spaces, so that one word cannot pass for two.
 *
 * @param text Any text
 * @returns The text, without spaces
 */
export function escapeWord(text: string): string {
  return escapeControls(text).replace(/\s/gu, (space) => escapeCode(space.codePointAt(0)!));
}

function show(bytes: Uint8Array, prepare: (text: string) => string): string {
  const text = textOrNull(bytes);
  return text === null ? showParts(bytes, prepare) : escapeControls(prepare(text));
}

/** Shows what is UTF-8 as text, and every other byte by its code: one bad byte must not spoil what is around it. */
function showParts(bytes: Uint8Array, prepare: (text: string) => string): string {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  const takeText = () => {
    if (at > start) parts.push(escapeControls(prepare(textOrNull(bytes.subarray(start, at)) ?? "")));
  };
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length !== 0) {
      at += length;
      continue;
    }
    takeText();
    parts.push(escapeCode(bytes[at]!));
    start = ++at;
  }
  takeText();
  return parts.join("");
}

/** Measures the character of UTF-8 at an offset, in bytes; 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return textOrNull(bytes.subarray(at, at + length)) === null ? 0 : length;
}

function escapeCode(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
