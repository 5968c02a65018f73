/**
 * Statistics.
 *
 * @module
 */

/**
 * Computes the median: unlike a mean, it ignores the one run in five that was disturbed.
 *
 * @param values At least one number
 * @returns Their median
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
