/**
 * The width of text, in columns of a terminal.
 *
 * @module
 */

/**
 * Characters of two columns: emoji, and the blocks that are wide by Unicode's East Asian Width. `unicodeWidth` of
 * @std/cli reads them from a table, which the npm package that the library comes in leaves out.
 */
const WIDE = new RegExp(
  "[\\p{Emoji_Presentation}\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}\\u{1aff0}-\\u{1b2ff}" +
    "\\u{1f200}-\\u{1f2ff}\\u{20000}-\\u{3fffd}]",
  "u",
);

/** Characters without a column of their own: they are drawn on top of the one before. */
const COMBINING = /[\p{Mn}\p{Me}]/u;

/** Most marks on one character of a cut text: more of them would reach into other lines. */
const MOST_MARKS = 4;

function widthOf(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/**
 * Measures text that is safe to show.
 *
 * @param text One line
 * @returns Its width in columns
 */
export function measure(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/**
 * Cuts or pads text to a width.
 *
 * @param text One line
 * @param width The width in columns
 * @returns Text of just that width; if it was cut, it ends in an ellipsis
 */
export function fit(text: string, width: number): string {
  const cut = cutTo(text, width);
  return cut + " ".repeat(width - measure(cut));
}

/**
 * Cuts text that is too wide.
 *
 * @param text One line
 * @param width Most columns
 * @returns The text, or its beginning and an ellipsis
 */
export function cutTo(text: string, width: number): string {
  let kept = "";
  let used = 0;
  let marks = 0;
  // The longest beginning that leaves room for an ellipsis.
  let short = "";
  for (const character of text) {
    const wide = widthOf(character);
    marks = wide === 0 ? marks + 1 : 0;
    if (marks > MOST_MARKS || (wide === 0 && kept === "")) continue;
    used += wide;
    if (used > width) return width === 0 ? "" : `${short}…`;
    kept += character;
    if (used < width) short = kept;
  }
  return kept;
}
