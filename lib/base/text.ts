/**
 * Bytes that may be text, and text that is safe wherever it is shown.
 *
 * @module
 */

/**
 * Control characters, line separators, lone surrogates, and characters that show only in their effect on others: marks
 * of the writing direction, spaces of no width, variation selectors.
 */
export const UNSAFE: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Variation_Selector}]/gu;

/** Text without any of them is known at a glance. */
const PLAIN = /^[\x20-\x7e]*$/;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes JSON that can be shown on a terminal, which acts on some characters that `JSON.stringify` leaves as they are.
 *
 * @param value The value
 * @returns JSON of the same value, on one line
 */
export function safeJson(value: unknown): string {
  const json = JSON.stringify(value);
  return PLAIN.test(json) ? json : json.replace(UNSAFE, escapeUnits);
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
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
