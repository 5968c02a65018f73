/**
 * Text from elsewhere, made safe to show: a state or an error may hold bytes that a terminal takes for commands.
 *
 * @module
 */

/** Control characters, line separators, and the marks that turn the direction of writing. */
const UNSAFE = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Replaces what a terminal could act on by its code, such as `\x1b`.
 *
 * @param text Any text
 * @returns One line of text that does nothing but appear
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? escapeByte(code) : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Shows bytes as text. What is not UTF-8 is shown as ASCII, with the code of every other byte.
 *
 * @param bytes Any bytes
 * @returns One line of text that does nothing but appear
 */
export function escapeBytes(bytes: Uint8Array): string {
  return show(bytes, (text) => text);
}

/**
 * Shows bytes as a quoted string, in which a backslash is always the beginning of an escape.
 *
 * @param bytes Any bytes
 * @returns The string, with its quotes
 */
export function quoteBytes(bytes: Uint8Array): string {
  return `"${show(bytes, (text) => text.replace(/["\\]/g, "\\$&"))}"`;
}

function show(bytes: Uint8Array, prepare: (text: string) => string): string {
  try {
    return escapeControls(prepare(STRICT.decode(bytes)));
  } catch {
    const isPlain = (byte: number) => byte >= 32 && byte < 127;
    const pieces = Array.from(bytes, (byte) => isPlain(byte) ? prepare(String.fromCharCode(byte)) : escapeByte(byte));
    return pieces.join("");
  }
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
