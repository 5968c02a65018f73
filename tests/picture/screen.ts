/**
 * What `tracker watch` has drawn, read out of the bytes that it wrote to its terminal.
 *
 * @module
 */

/** Text in one style. */
export interface Span {
  readonly text: string;
  readonly isBold: boolean;
}

/** A line of the screen. */
export type Line = readonly Span[];

const HOME = "\x1b[H";
const CLEAR_TO_END = "\x1b[J";
const CLEAR_LINE = "\x1b[K";

/** Bold, not bold; the order matters to {@linkcode spansOf}. */
// deno-lint-ignore no-control-regex -- a terminal is told with an escape
const BOLD = /\x1b\[(1|22)m/;

/**
 * Finds the latest complete drawing.
 *
 * @param output All that was written
 * @returns Its lines; `undefined` while there is none
 */
export function latestDrawing(output: string): Line[] | undefined {
  const end = output.lastIndexOf(CLEAR_TO_END);
  const start = end === -1 ? -1 : output.lastIndexOf(HOME, end);
  if (start === -1) return undefined;
  // The terminal makes \r\r\n of \r\n.
  const lines = output.slice(start + HOME.length, end).split(CLEAR_LINE).map((line) => line.replace(/^\r*\n/, ""));
  return lines.slice(0, -1).map(spansOf);
}

/** What a line shows, whatever its style. */
export function textOf(line: Line): string {
  return line.map(({ text }) => text).join("");
}

function spansOf(line: string): Line {
  const spans: Span[] = [];
  let isBold = false;
  // Every second part is what the expression has captured.
  line.split(BOLD).forEach((part, index) => {
    if (index % 2 === 1) isBold = part === "1";
    else if (part !== "") spans.push({ text: part, isBold });
  });
  return spans;
}
