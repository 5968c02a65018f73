/**
 * The identifiers of the map, in order.
 *
 * @module
 */

import { partitionPoint } from "../base/search.ts";
import type { StoredEntry } from "./entry.ts";

/** Most entries in a bucket: a join moves half as many, and a count of everything looks at each bucket once. */
const BUCKET_ENTRIES = 512;

/** Two neighbours that have no more than this together become one, so that buckets do not stay nearly empty. */
const MERGED_ENTRIES = BUCKET_ENTRIES / 2;

/**
 * The entries in order of their identifiers, which is that of their UTF-16 code units. What begins with a prefix is a
 * stretch of them, so finding and counting it costs what there is of it, and not what there is in the map.
 */
export class IdIndex {
  /** Sorted, and so are the entries in each. None is empty. */
  readonly #buckets: StoredEntry[][] = [];

  /** Adds an entry, whose identifier is new. */
  add(entry: StoredEntry): void {
    const isBefore = ({ id }: StoredEntry) => id < entry.id;
    const at = Math.min(this.#bucketAt(isBefore), this.#buckets.length - 1);
    const bucket = this.#buckets[at];
    if (bucket === undefined) return void this.#buckets.push([entry]);
    bucket.splice(partitionPoint(bucket, isBefore), 0, entry);
    if (bucket.length > BUCKET_ENTRIES) this.#buckets.splice(at + 1, 0, bucket.splice(bucket.length >>> 1));
  }

  /** Removes an entry. */
  remove(entry: StoredEntry): void {
    const isBefore = ({ id }: StoredEntry) => id < entry.id;
    const at = this.#bucketAt(isBefore);
    const bucket = this.#buckets[at]!;
    bucket.splice(partitionPoint(bucket, isBefore), 1);
    if (bucket.length === 0) return void this.#buckets.splice(at, 1);
    const next = this.#buckets[at + 1];
    if (next === undefined || bucket.length + next.length > MERGED_ENTRIES) return;
    bucket.push(...next);
    this.#buckets.splice(at + 1, 1);
  }

  /** Counts the entries whose identifier begins with a prefix. */
  count(prefix: string): number {
    const isBefore = ({ id }: StoredEntry) => id < prefix;
    const isNotBehind = ({ id }: StoredEntry) => id < prefix || id.startsWith(prefix);
    const first = this.#bucketAt(isBefore);
    const last = this.#bucketAt(isNotBehind);
    let count = -this.#countIn(first, isBefore);
    for (let at = first; at < last; at++) count += this.#buckets[at]!.length;
    return count + this.#countIn(last, isNotBehind);
  }

  /**
   * Iterates over the entries whose identifier begins with a prefix, in order; the map must not change meanwhile.
   *
   * @param prefix The prefix
   * @param after Begins with the first identifier after this; with the first of all unless given
   */
  *with(prefix: string, after?: string): Generator<StoredEntry, void> {
    const isBefore = ({ id }: StoredEntry) => id < prefix || after !== undefined && id <= after;
    for (let at = this.#bucketAt(isBefore); at < this.#buckets.length; at++) {
      const bucket = this.#buckets[at]!;
      for (let place = partitionPoint(bucket, isBefore); place < bucket.length; place++) {
        const entry = bucket[place]!;
        if (!entry.id.startsWith(prefix)) return;
        yield entry;
      }
    }
  }

  /** Finds the first bucket whose last entry does not come before some point; their number if there is none. */
  #bucketAt(isBefore: (entry: StoredEntry) => boolean): number {
    return partitionPoint(this.#buckets, (bucket) => isBefore(bucket.at(-1)!));
  }

  #countIn(at: number, isBefore: (entry: StoredEntry) => boolean): number {
    const bucket = this.#buckets[at];
    return bucket === undefined ? 0 : partitionPoint(bucket, isBefore);
  }
}
