/**
 * Comparing what a parser reads with what its reference reads.
 *
 * @module
 */

import { writeBytes } from "./notation.ts";
import { demand } from "./target.ts";

/**
 * Demands that two readers have read the same value. The order of members does not matter, and -0 is not 0.
 *
 * @param found The value that the code read
 * @param wanted The value that the reference read
 * @throws {Violation} when they differ
 */
export function demandSame(found: unknown, wanted: unknown): void {
  const [left, right] = [found, wanted].map((value) => JSON.stringify(value, canonical));
  demand(left === right, "both readers read the same", () => `${left}, and ${right}`);
}

/** Sorts members, turns bytes into text, and tells -0 from 0. */
function canonical(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return writeBytes(value);
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1));
}
