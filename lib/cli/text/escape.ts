/**
 * Text from elsewhere, made safe to show: a state or an error may hold bytes that a terminal takes for commands.
 *
 * @module
 */

/**
 * Control characters, line separators, halves of characters, and all that shows only in what it does to others: marks
 * that turn the direction of writing, spaces of no width, selectors of a form.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Variation_Selector}]/gu;

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

/**
 * Shows a word among words that are set apart by spaces: what looks like two cannot pass for two.
 *
 * @param text Any text
 * @returns The text, with no space in it
 */
export function escapeWord(text: string): string {
  return escapeControls(text).replace(/\s/gu, (space) => `\\x${space.codePointAt(0)?.toString(16).padStart(2, "0")}`);
}

/**
 * Writes JSON that can be shown on a terminal: `JSON.stringify` leaves some characters as they are that one acts on.
 *
 * @param value What to write
 * @returns JSON of the same value, on one line
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    return Array.from({ length: character.length }, (_, at) => {
      return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
    }).join("");
  });
}

/**
 * Decodes bytes that may be text.
 *
 * @param bytes Any bytes
 * @returns The text; `null` when they are not UTF-8
 */
export function textOrNull(bytes: Uint8Array): string | null {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

function show(bytes: Uint8Array, prepare: (text: string) => string): string {
  const text = textOrNull(bytes);
  if (text !== null) return escapeControls(prepare(text));
  const isPlain = (byte: number) => byte >= 32 && byte < 127;
  return Array.from(bytes, (byte) => isPlain(byte) ? prepare(String.fromCharCode(byte)) : escapeByte(byte)).join("");
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
