/**
 * Whether a server that everybody has left is as it was when everybody had left it before.
 *
 * @module
 */

import type { Level } from "./recorder.ts";

/**
 * How much more an empty server may hold in the end than after warming up, in bytes. The heap is compared when nothing
 * is left to collect: what may grow is the memory of departures, which is bounded, and what the engine learns. Resident
 * memory is the system's affair, too: allocators keep what they had, and the engine collects when it likes.
 */
const ALLOWED_GROWTH = { heap: 2 * 2 ** 20, external: 4 * 2 ** 20, rss: 48 * 2 ** 20 };

/**
 * Compares the empty server in the end with itself after warming up.
 *
 * @param before After warming up
 * @param after In the end
 * @returns What has grown and should not have
 */
export function growthOf(before: Level, after: Level): string[] {
  const problems: string[] = [];
  for (const [name, allowed] of Object.entries(ALLOWED_GROWTH)) {
    const key = name as keyof typeof ALLOWED_GROWTH;
    const growth = after[key] - before[key];
    if (growth > allowed) problems.push(`${name} grew by ${growth} bytes, more than the ${allowed} allowed`);
  }
  for (const name of ["descriptors", "connections", "watchers", "suspects"] as const) {
    if (after[name] > before[name]) problems.push(`there are ${after[name]} ${name}, and were ${before[name]}`);
  }
  return problems;
}
