/**
 * Binary search.
 *
 * @module
 */

/**
 * Finds where a sorted sequence stops being before some point.
 *
 * @param items The sequence
 * @param isBefore Whether an item comes before that point; once `false`, it must stay so to the end
 * @returns The index of the first item that does not; the length if all do
 */
export function partitionPoint<T>(items: ArrayLike<T>, isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
