/**
 * Tables of columns set apart by spaces.
 *
 * @module
 */

import { cutTo, fit, measure } from "./width.ts";

/** Between two columns. */
const GAP = "  ";

/** No column but the last takes more than this where there is not room for all. */
const WIDEST = 32;

/** How to lay a table out. */
export interface Layout {
  /** Columns that a line may take; the last column is cut to what is left. Without, nothing is cut. */
  readonly width?: number | undefined;
  /** Columns of text that each but the last is to take at least, so that a table that is drawn again stays put. */
  readonly least?: readonly number[];
}

/**
 * Lays a table out: every column but the last is as wide as its widest cell.
 *
 * @param rows The cells of each line, safe to show
 * @param layout How
 * @returns A line for each row
 */
export function layOutTable(rows: readonly (readonly string[])[], { width, least = [] }: Layout = {}): string[] {
  const most = width === undefined ? Infinity : WIDEST;
  const count = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: Math.max(0, count) }, (_, at) => {
    return Math.min(most, Math.max(least[at] ?? 0, ...rows.map((row) => measure(row[at] ?? ""))));
  });
  return rows.map((row) => {
    const cells = row.map((cell, at) => widths[at] === undefined ? cell : fit(cell, widths[at]));
    const line = cells.join(GAP).trimEnd();
    return width === undefined ? line : cutTo(line, width);
  });
}
