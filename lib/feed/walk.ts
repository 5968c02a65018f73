/**
 * A walk along the map's changes, for one frame of them.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { Bookmark, type ChangeLink, type ChangeList, Tombstone } from "../map/change_list.ts";
import { type Entry, StoredEntry } from "../map/entry.ts";
import type { FeedContext } from "./context.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** A frame ends when it reaches this size, in bytes. */
export const FRAME_BYTES = 65_536;

/** Size of an event besides its identifier and state, in bytes; less than any encoding takes. */
export const EVENT_SIZE = 12;

/** Most changes that are looked at for a frame. Of a rare prefix a frame may have none of them. */
const MOST_LOOKED_AT = 8_192;

/** How far watchers have got with what they must be told before they are up to date. */
export interface Progress {
  /** Whether they are told all clients there are, as *present*. */
  readonly isSnapshot: boolean;
  /** Whether they have been told everything that there was when they began, and `synced`. */
  readonly isSynced: boolean;
  /** Whether the first frame is still to come. */
  readonly isFirst: boolean;
  /** The revision they knew when they fell behind, or at which the snapshot began. */
  readonly base: number;
  /**
   * The revision up to which they have certainly been told each client's state and status: 0 for a watch that resumes.
   * An earlier watch that was cut off while it was behind had not been told of clients that had changed again.
   */
  readonly certain: number;
  /** The map's revision when they fell behind. */
  readonly begunAt: number;
  /** The revision up to which they have been told everything. */
  readonly revision: number;
  /** The revision up to which they have been told every join. */
  readonly joined: number;
  /** Bytes of the log up to here, and events, as if each had been told when it happened. */
  readonly logged: number;
  readonly count: number;
}

/**
 * Tells what follows a place: each client that has changed, as it is now, and every leave.
 *
 * Two sequences are merged by revision: clients in the order of joining, for those that joined since, and everything in
 * the order of last change. So a join comes at the revision at which it happened, before any other change of its client,
 * and whoever is cut off anywhere and resumes from the revision of the last event is told the rest.
 */
export class Walk {
  /** The revision up to which everything has been told. */
  revision: number;
  /** The revision up to which every join has been told. */
  joined: number;
  /** The last member of the list that was passed; `null` if none was. */
  last: ChangeLink | null = null;
  /** Events told, and their size in bytes, at least. */
  told = 0;
  size = 0;
  /** Whether the end was reached. */
  isDone = false;
  readonly #context: FeedContext;
  readonly #progress: Progress;
  readonly #prefix: string;

  /**
   * @param context What the watchers of the feed share
   * @param progress What has been told before
   * @param prefix The prefix of the identifiers
   */
  constructor(context: FeedContext, progress: Progress, prefix: string) {
    this.#context = context;
    this.#progress = progress;
    this.#prefix = prefix;
    this.revision = progress.revision;
    this.joined = progress.joined;
  }

  /**
   * Walks from a place, as far as one frame takes.
   *
   * @param place Where to begin
   * @returns The frame; empty if there was nothing to tell
   */
  from(place: ChangeLink): Uint8Array {
    const { encoders, registry } = this.#context;
    const encoder = encoders.take();
    if (this.#progress.isFirst) encoder.snapshot(0);
    this.last = place;
    if (this.#progress.isSnapshot && !this.#progress.isSynced) this.#present(encoder, place);
    else this.#tellChanges(encoder, place);
    if (this.isDone) {
      this.revision = this.joined = registry.revision;
      if (!this.#progress.isSynced) encoder.synced(registry.revision, registry.incarnation);
    }
    const bytes = encoder.count === 0 ? EMPTY : encoder.finish();
    encoders.give(encoder);
    return bytes;
  }

  /** A snapshot: everybody, in the order of last change. A client that changes meanwhile comes again at the end. */
  #present(encoder: EventEncoder, place: ChangeLink): void {
    const { changes } = this.#context.registry;
    let link = changes.after(place);
    for (let looked = 0; link !== null && encoder.length < FRAME_BYTES && looked < MOST_LOOKED_AT; looked++) {
      if (link instanceof StoredEntry) {
        this.revision = link.revision;
        if (this.#matches(link.id)) {
          encoder.present(link);
          this.#count(link.idLength + link.stateLength);
        }
      } else if (link instanceof Tombstone) {
        this.#leave(encoder, link, this.#progress.base, true);
      }
      this.last = link;
      link = changes.after(link);
    }
    this.isDone = link === null;
  }

  #tellChanges(encoder: EventEncoder, place: ChangeLink): void {
    const { registry, registry: { changes } } = this.#context;
    const joins = registry.entriesSince(this.joined);
    let join = nextOf(joins);
    let link = nextRevised(changes, place);
    for (let looked = 0; encoder.length < FRAME_BYTES && looked < MOST_LOOKED_AT; looked++) {
      if (join !== null && (link === null || join.joinRevision <= link.revision)) {
        this.#join(encoder, join);
        join = nextOf(joins);
      } else if (link !== null) {
        this.#change(encoder, link);
        this.last = link;
        link = nextRevised(changes, link);
      } else break;
    }
    this.isDone = join === null && link === null;
  }

  /** With its latest state, but at the revision of its join. */
  #join(encoder: EventEncoder, entry: Entry): void {
    this.revision = this.joined = entry.joinRevision;
    if (!this.#matches(entry.id)) return;
    if (entry.status === "detached") encoder.set(entry.joinRevision, entry);
    else encoder.state("join", entry.joinRevision, entry);
    this.#count(entry.idLength + entry.stateLength);
  }

  #change(encoder: EventEncoder, link: StoredEntry | Tombstone): void {
    if (link instanceof Tombstone) this.#leave(encoder, link, this.#progress.revision);
    else if (this.#matches(link.id)) this.#update(encoder, link);
    this.revision = link.revision;
  }

  #update(encoder: EventEncoder, entry: StoredEntry): void {
    const { base, certain, begunAt } = this.#progress;
    const { joinRevision, stateRevision, statusRevision, status, revision } = entry;
    const isNew = joinRevision > base;
    // Its join has told the state, unless that was set again while watchers were on their way here.
    const told = isNew ? Math.max(begunAt, joinRevision) : certain;
    if (stateRevision > told) {
      // A Put sets both state and status, so there is nothing to add.
      if (status === "detached") encoder.set(revision, entry);
      else encoder.state("update", revision, entry);
      this.#count(entry.idLength + entry.stateLength);
    }
    if (status === "detached") return;
    // Which statuses a client had before the watch knew of it does not matter.
    if (statusRevision <= (isNew ? base : certain) || isNew && status === "live" && statusRevision <= begunAt) return;
    encoder.status(status === "suspect" ? "suspect" : "resume", revision, entry);
    this.#count(entry.idLength);
  }

  #leave(encoder: EventEncoder, { id, revision, cause }: Tombstone, since: number, isInSnapshot = false): void {
    this.revision = revision;
    if (revision <= since || !this.#matches(id)) return;
    encoder.leave(revision, id, cause, isInSnapshot);
    this.#count(id.length);
  }

  #matches(id: string): boolean {
    return id.startsWith(this.#prefix);
  }

  #count(size: number): void {
    this.told++;
    this.size += EVENT_SIZE + size;
  }
}

/**
 * Measures what follows a place, in bytes.
 *
 * @param changes The map's changes
 * @param place The place
 * @param prefix The prefix of the identifiers
 * @param enough The search ends when it is more than this
 * @returns The size
 */
export function measureChanges(changes: ChangeList, place: ChangeLink, prefix: string, enough: number): number {
  let size = 0;
  for (let link = nextRevised(changes, place); link !== null && size <= enough; link = nextRevised(changes, link)) {
    if (!link.id.startsWith(prefix)) continue;
    size += EVENT_SIZE + (link instanceof Tombstone ? link.id.length : link.idLength + link.stateLength);
  }
  return size;
}

function nextOf(entries: Generator<Entry, void>): Entry | null {
  return entries.next().value ?? null;
}

/**
 * Finds the next client or tombstone behind a member of the list.
 *
 * @param changes The map's changes
 * @param link The member
 * @returns What follows it, bookmarks aside; `null` at the end
 */
export function nextRevised(changes: ChangeList, link: ChangeLink): StoredEntry | Tombstone | null {
  let next = changes.after(link);
  while (next instanceof Bookmark) next = changes.after(next);
  return next as StoredEntry | Tombstone | null;
}
