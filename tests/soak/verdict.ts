/**
 * Compares an empty server with itself when it was empty before.
 *
 * @module
 */

import type { Level } from "./recorder.ts";

/**
 * Allowed growth of an empty server since the warm-up, in bytes. The heap is compared after garbage collection: only
 * tombstones, which are bounded, and the engine's own data may grow.
 */
const ALLOWED_GROWTH = { heap: 2 * 2 ** 20, external: 4 * 2 ** 20 };

/**
 * The same for resident memory, which also depends on allocators that keep freed memory. After a short warm-up it is
 * far from its level, so growth reveals a large leak only.
 */
const ALLOWED_RESIDENT = { warm: 48 * 2 ** 20, cold: 128 * 2 ** 20 };

/** Warm-up after which a server is warm, in seconds. */
const WARM = 30;

/**
 * Compares the empty server at the end with itself after the warm-up.
 *
 * @param before The server after the warm-up
 * @param after The server at the end
 * @param warmUp Duration of the warm-up, in seconds
 * @returns Everything that grew beyond its allowance
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
