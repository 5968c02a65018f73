/**
 * Whether a server that everybody has left is as it was when everybody had left it before.
 *
 * @module
 */

import type { Level } from "./recorder.ts";

/**
 * How much more an empty server may hold in the end than after warming up, in bytes. The heap is compared when nothing
 * is left to collect: what may grow is the memory of tombstones, which is bounded, and what the engine learns.
 */
const ALLOWED_GROWTH = { heap: 2 * 2 ** 20, external: 4 * 2 ** 20 };

/**
 * The same for resident memory, which is the system's affair, too: allocators keep what they have had. After a short
 * warm-up it is far from its level, and growth tells of a large leak only.
 */
const ALLOWED_RESIDENT = { warm: 48 * 2 ** 20, cold: 128 * 2 ** 20 };

/** From here on a server is warm, in seconds. */
const WARM = 30;

/**
 * Compares the empty server in the end with itself after warming up.
 *
 * @param before After warming up
 * @param after In the end
 * @param warmUp How long it warmed up, in seconds
 * @returns What has grown and should not have
 */
export function growthOf(before: Level, after: Level, warmUp: number): string[] {
  const rss = warmUp < WARM ? ALLOWED_RESIDENT.cold : ALLOWED_RESIDENT.warm;
  const problems: string[] = [];
  for (const [name, allowed] of Object.entries({ ...ALLOWED_GROWTH, rss })) {
    const growth = after[name as keyof Level] - before[name as keyof Level];
    if (growth > allowed) problems.push(`${name} grew by ${growth} bytes, more than the ${allowed} allowed`);
  }
  for (const name of ["descriptors", "connections", "watchers", "suspects"] as const) {
    if (after[name] > before[name]) problems.push(`there are ${after[name]} ${name}, and were ${before[name]}`);
  }
  return problems;
}
