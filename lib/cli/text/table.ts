/**
 * Tables whose columns are separated by spaces.
 *
 * @module
 */

import { cutTo, fit, measure } from "./width.ts";

/** The space between two columns. */
const GAP = "  ";

/** The widest that any column but the last may be where the width is limited. */
const WIDEST = 32;

/** Options for {@linkcode layOutTable}. */
export interface Layout {
  /** The width of a line, to which the last column is cut; unlimited unless given. */
  readonly width?: number | undefined;
  /** The least width of each column but the last, so that a table that is drawn again does not jump. */
  readonly least?: readonly number[];
}

/**
 * Lays out a table: every column but the last is as wide as its widest cell.
 *
 * @param rows The cells of each line, safe to show
 * @param layout Limits on the widths
 * @returns A line for each row
 */
export function layOutTable(rows: readonly (readonly string[])[], { width, least = [] }: Layout = {}): string[] {
  const most = width === undefined ? Infinity : WIDEST;
  // There may be more rows than a function can have arguments.
  const highest = (numbers: Iterable<number>) => Iterator.from(numbers).reduce((one, other) => Math.max(one, other), 0);
  const count = highest(rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: Math.max(0, count) }, (_, at) => {
    return Math.min(most, Math.max(least[at] ?? 0, highest(rows.map((row) => measure(row[at] ?? "")))));
  });
  return rows.map((row) => {
    const cells = row.map((cell, at) => widths[at] === undefined ? cell : fit(cell, widths[at]));
    const line = cells.join(GAP).trimEnd();
    return width === undefined ? line : cutTo(line, width);
  });
}
