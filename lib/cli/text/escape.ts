/**
 * Makes foreign text safe to show: a state or an error may hold bytes that a terminal takes for commands.
 *
 * @module
 */

/**
 * Control characters, line separators, lone surrogates, and characters that show only in their effect on others: marks
 * of the writing direction, spaces of no width, variation selectors.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Variation_Selector}]/gu;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
 * Shows bytes as text. Bytes that are not UTF-8 are shown as ASCII, with a code for every other byte.
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

/**
 * Encodes JSON that can be shown on a terminal, which acts on some characters that `JSON.stringify` leaves as they are.
 *
 * @param value The value
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
 * @returns The text; `null` if they are not UTF-8
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
  return Array.from(bytes, (byte) => isPlain(byte) ? prepare(String.fromCharCode(byte)) : escapeCode(byte)).join("");
}

function escapeCode(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
