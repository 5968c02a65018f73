/**
 * The changes between two revisions, found in the map.
 *
 * @module
 */

import type { Entry } from "../map/entry.ts";
import type { Registry } from "../map/registry.ts";
import type { Tombstone } from "../map/tombstones.ts";
import { FRAME_BYTES } from "./change_log.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** Size of an event besides its identifier and state, rounded up, in bytes. */
const EVENT_SIZE = 16;

/**
 * An event of a round, with its revision and kind at the moment the round was made. It has no entry: a watcher that is
 * stuck would keep the entry in memory long after the client has left.
 */
type Item =
  | { revision: number; kind: "join" | "update" | "suspect" | "resume"; id: string; joinRevision: number }
  | { revision: number; kind: "leave"; tombstone: Tombstone };

/** Options for {@linkcode CatchUpRound}. */
export interface RoundOptions {
  /** The prefix of the identifiers. */
  prefix: string;
  /** The revision before the first change. */
  since: number;
  /** Most changes, the earliest ones; the round then ends before the map's revision. No limit unless given. */
  limit?: number;
}

/** What has changed between two revisions: each client once or twice, and every leave, in order. */
export class CatchUpRound {
  /** The revision it ends at. */
  readonly target: number;
  /** Whether that was the map's revision when the round was made. */
  readonly isWhole: boolean;
  /** Whether it has shown the map at `target`, and no part of it as it was later. */
  isExact = true;
  /** The revision up to which it has been told: a watch that resumes from it is told the rest. */
  revision: number;
  readonly #registry: Registry;
  readonly #items: Item[] = [];
  #at = 0;

  /**
   * Searches the map for changes.
   *
   * @param registry The map
   * @param options Which changes
   */
  constructor(registry: Registry, { prefix, since, limit }: RoundOptions) {
    this.#registry = registry;
    this.isWhole = limit === undefined;
    this.revision = since;
    const tombstones = registry.tombstonesSince(since) ?? [];
    this.target = limit === undefined ? registry.revision : revisionAfter(registry, tombstones, prefix, since, limit);
    if (this.target === since) return;
    for (const entry of registry.entries()) {
      if (entry.revision > since && entry.id.startsWith(prefix)) this.#add(entry, since);
    }
    for (const tombstone of tombstones) {
      if (tombstone.revision > this.target) break;
      if (tombstone.id.startsWith(prefix)) this.#push({ revision: tombstone.revision, kind: "leave", tombstone });
    }
    this.#items.sort((one, other) => one.revision - other.revision);
  }

  /** How many events it has. */
  get size(): number {
    return this.#items.length;
  }

  /** How many of them have not been told yet. */
  get left(): number {
    return this.#items.length - this.#at;
  }

  /** Adds events up to the size of a frame; returns `true` after the last one. */
  tell(encoder: EventEncoder): boolean {
    while (this.#at < this.#items.length) {
      if (encoder.length >= FRAME_BYTES) return false;
      const item = this.#items[this.#at++]!;
      this.#tellItem(encoder, item);
      this.revision = item.revision;
    }
    this.revision = this.target;
    return true;
  }

  #push(item: Item): void {
    if (item.revision <= this.target) this.#items.push(item);
  }

  #add({ id, joinRevision, stateRevision, statusRevision, status }: Entry, since: number): void {
    const isSuspect = status === "suspect";
    if (joinRevision > since) {
      // With its latest state, but at the revision of its join: a watch that is cut off here and resumes is told the
      // changes after that revision, and for a client that joined before it they contain no join. Which statuses a
      // client had before the watch knew of it does not matter.
      this.#push({ revision: joinRevision, kind: "join", id, joinRevision });
      if (isSuspect) this.#push({ revision: statusRevision, kind: "suspect", id, joinRevision });
      return;
    }
    if (stateRevision > since) this.#push({ revision: stateRevision, kind: "update", id, joinRevision });
    if (statusRevision <= since) return;
    this.#push({ revision: statusRevision, kind: isSuspect ? "suspect" : "resume", id, joinRevision });
  }

  /**
   * A client that has changed again since is told as it is now, at the earlier revision: telling its newer state twice
   * does no harm, but leaving out a join would. Of a client that has left only the leave is told, which comes later.
   */
  #tellItem(encoder: EventEncoder, item: Item): void {
    if (item.kind === "leave") {
      encoder.leave(item.revision, item.tombstone.id, item.tombstone.cause);
      return;
    }
    const { kind, revision, id, joinRevision } = item;
    const entry = this.#registry.get(id);
    const isOpen = entry?.joinRevision === joinRevision;
    if (!isOpen || entry.revision > this.target) this.isExact = false;
    if (!isOpen) return;
    if (kind === "join" || kind === "update") encoder.state(kind, revision, entry);
    else encoder.status(kind, revision, entry);
  }
}

/**
 * Counts the clients that have changed or left since a revision.
 *
 * @param registry The map
 * @param prefix The prefix of their identifiers
 * @param since The revision
 * @returns How many clients
 */
export function countChanges(registry: Registry, prefix: string, since: number): number {
  let count = 0;
  for (const entry of registry.entries()) {
    if (entry.revision > since && entry.id.startsWith(prefix)) count++;
  }
  for (const { id } of registry.tombstonesSince(since) ?? []) {
    if (id.startsWith(prefix)) count++;
  }
  return count;
}

/**
 * Measures the events that would tell what has changed since a revision.
 *
 * @param registry The map
 * @param prefix The prefix of the identifiers
 * @param since The revision
 * @param presented During a snapshot, clients that joined after this revision count as well
 * @returns The size of the events, in bytes
 */
export function measureChanges(registry: Registry, prefix: string, since: number, presented = Infinity): number {
  let size = 0;
  for (const entry of registry.entries()) {
    const isNew = entry.revision > since || entry.joinRevision > presented;
    if (isNew && entry.id.startsWith(prefix)) size += EVENT_SIZE + entry.idLength + entry.stateLength;
  }
  for (const { id } of registry.tombstonesSince(since) ?? []) {
    if (id.startsWith(prefix)) size += EVENT_SIZE + id.length;
  }
  return size;
}

/** The revision of the `count`th change since a revision; the map's if there are fewer. */
function revisionAfter(
  registry: Registry,
  tombstones: readonly Tombstone[],
  prefix: string,
  since: number,
  count: number,
): number {
  const revisions: number[] = [];
  for (const entry of registry.entries()) {
    if (entry.revision > since && entry.id.startsWith(prefix)) revisions.push(firstChange(entry, since));
  }
  for (const { id, revision } of tombstones) {
    if (id.startsWith(prefix)) revisions.push(revision);
  }
  return Float64Array.from(revisions).sort()[count - 1] ?? registry.revision;
}

/** The revision of an entry's first change after a revision. */
function firstChange({ joinRevision, stateRevision, statusRevision }: Entry, since: number): number {
  if (joinRevision > since) return joinRevision;
  return Math.min(stateRevision > since ? stateRevision : Infinity, statusRevision > since ? statusRevision : Infinity);
}
