/**
 * The map in the order of its last changes.
 *
 * One list links every client, every client that has left, and the bookmarks of those who read the list. A change moves
 * its client to the end, so what has changed since a bookmark is exactly what lies behind it: each client once, with
 * whatever it is now, however often it has changed.
 *
 * @module
 */

import type { LeaveCause } from "../protocol.ts";

/** Leaves that are kept in any case, for watches that resume from an earlier revision. */
export const MAX_TOMBSTONES = 65_536;

/** Leaves that bookmarks still need are kept up to so many times the limit. */
const NEEDED_FACTOR = 4;

/** A member of a {@linkcode ChangeList}. */
export interface ChangeLink {
  /** The member before it; `null` outside a list. */
  previous: ChangeLink | null;
  /** The member after it; `null` outside a list. */
  following: ChangeLink | null;
}

/** A client that has left the map. */
export class Tombstone implements ChangeLink {
  previous: ChangeLink | null = null;
  following: ChangeLink | null = null;
  /** Its identifier. */
  readonly id: string;
  /** The revision of its leave. */
  readonly revision: number;
  /** Why it left. */
  readonly cause: LeaveCause;
  /** @internal The next one to leave. */
  next: Tombstone | null = null;

  /**
   * @param id Its identifier
   * @param revision The revision of its leave
   * @param cause Why it left
   */
  constructor(id: string, revision: number, cause: LeaveCause) {
    this.id = id;
    this.revision = revision;
    this.cause = cause;
  }
}

/** A place between two members of the list. Members that move do not disturb it. */
export abstract class Bookmark implements ChangeLink {
  previous: ChangeLink | null = null;
  following: ChangeLink | null = null;
  /** The revision after which its reader still needs every leave. */
  abstract readonly neededSince: number;
}

/** The two ends of a list, which is a ring through them. */
class Ends implements ChangeLink {
  previous: ChangeLink = this;
  following: ChangeLink = this;
}

/** Clients, tombstones and bookmarks in the order of last change. */
export class ChangeList {
  readonly #ends = new Ends();
  readonly #bookmarks = new Set<Bookmark>();
  #firstTombstone: Tombstone | null = null;
  #lastTombstone: Tombstone | null = null;
  #tombstones = 0;
  readonly #maxTombstones: number;
  /** So many tombstones are allowed before it is worth looking for some to drop. */
  #allowed: number;
  /** Revision of the last tombstone that was dropped. */
  #droppedRevision = 0;

  /** @param maxTombstones How many leaves are kept in any case */
  constructor(maxTombstones: number = MAX_TOMBSTONES) {
    this.#maxTombstones = this.#allowed = maxTombstones;
  }

  /** How many tombstones are kept. */
  get tombstones(): number {
    return this.#tombstones;
  }

  /** How many bookmarks are in it. */
  get bookmarks(): number {
    return this.#bookmarks.size;
  }

  /** Moves a member to the end, or adds it there. */
  append(link: ChangeLink): void {
    if (link.previous !== null) unlink(link);
    insert(link, this.#ends.previous!);
  }

  /** Removes a member. */
  remove(link: ChangeLink): void {
    unlink(link);
    if (link instanceof Bookmark) this.#bookmarks.delete(link);
  }

  /** Adds a tombstone at the end, and drops old ones when there are too many. */
  bury(tombstone: Tombstone): void {
    insert(tombstone, this.#ends.previous!);
    if (this.#lastTombstone === null) this.#firstTombstone = tombstone;
    else this.#lastTombstone.next = tombstone;
    this.#lastTombstone = tombstone;
    if (++this.#tombstones >= this.#allowed) this.#dropTombstones();
  }

  /** Whether every tombstone after a revision is still kept. */
  canResumeFrom(revision: number): boolean {
    return revision >= this.#droppedRevision;
  }

  /** The member after another; `null` after the last. */
  after(link: ChangeLink): ChangeLink | null {
    return link.following === this.#ends ? null : link.following;
  }

  /** Adds a bookmark behind a member; at the front without one. */
  mark(bookmark: Bookmark, behind: ChangeLink | null = null): void {
    insert(bookmark, behind ?? this.#ends);
    this.#bookmarks.add(bookmark);
  }

  /** Adds a bookmark before the last member. */
  markBeforeLast(bookmark: Bookmark): void {
    this.mark(bookmark, this.#ends.previous!.previous);
  }

  /**
   * Adds a bookmark behind everything that was changed last at a revision or before. Looks for its place from the end,
   * which costs what has changed since.
   */
  markSince(bookmark: Bookmark, revision: number): void {
    let link = this.#ends.previous!;
    while (link !== this.#ends && (link instanceof Bookmark || (link as Revised).revision > revision)) {
      link = link.previous!;
    }
    this.mark(bookmark, link);
  }

  /** Drops old tombstones, but not those that a bookmark needs, unless they are very many. */
  #dropTombstones(): void {
    let needed = Infinity;
    for (const { neededSince } of this.#bookmarks) needed = Math.min(needed, neededSince);
    const kept = this.#maxTombstones / 2;
    const most = this.#maxTombstones * NEEDED_FACTOR;
    while (this.#tombstones > kept && this.#firstTombstone!.revision <= needed) this.#dropFirst();
    if (this.#tombstones >= most) { while (this.#tombstones > most / 2) this.#dropFirst(); }
    // Not with every leave from now on: looking costs the number of bookmarks.
    this.#allowed = Math.max(this.#maxTombstones, this.#tombstones + kept);
  }

  #dropFirst(): void {
    const first = this.#firstTombstone!;
    unlink(first);
    this.#tombstones--;
    this.#droppedRevision = first.revision;
    this.#firstTombstone = first.next;
    if (first.next === null) this.#lastTombstone = null;
  }
}

/** A client or a tombstone: anything but a bookmark. */
type Revised = ChangeLink & { readonly revision: number };

function insert(link: ChangeLink, before: ChangeLink): void {
  link.previous = before;
  link.following = before.following;
  before.following!.previous = link;
  before.following = link;
}

function unlink(link: ChangeLink): void {
  link.previous!.following = link.following;
  link.following!.previous = link.previous;
  link.previous = link.following = null;
}
