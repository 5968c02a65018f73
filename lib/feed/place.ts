/**
 * Where watchers that are behind stand in the map's changes.
 *
 * @module
 */

import { Bookmark } from "../map/change_list.ts";
import { MAX_IDENTIFIER } from "../protocol.ts";
import { type FeedContext, MAX_HELD } from "./context.ts";
import { EVENT_SIZE, measureChanges, nextRevised, type Progress, Walk } from "./walk.ts";

/** Most bytes of an event besides the state. */
const MOST_BESIDES_STATE = EVENT_SIZE + MAX_IDENTIFIER;

/** The log of a prefix, as its places know it. */
export interface PlaceLog {
  /** The prefix of the identifiers. */
  readonly prefix: string;
  /** Bytes of all changes since the log began. */
  readonly length: number;
  /** Events since the log began. */
  readonly count: number;
}

/** What comes next, and where it leads. */
export interface Step {
  /** A frame; empty if the changes looked at were of other prefixes only. */
  readonly bytes: Uint8Array;
  readonly to: Place;
}

/**
 * A place in the map's changes, in front of what its watchers have not been told. It holds nothing but numbers: what
 * comes next is found when somebody takes it. If others stand at the same place, they take the very same bytes.
 */
export class Place extends Bookmark {
  readonly progress: Progress;
  readonly #context: FeedContext;
  readonly #log: PlaceLog;
  /** How many watchers, frames and steps need it. */
  #users = 1;
  /** What comes next, kept while others may take it too. */
  #step: Step | null = null;

  private constructor(context: FeedContext, log: PlaceLog, progress: Progress) {
    super();
    this.#context = context;
    this.#log = log;
    this.progress = progress;
  }

  /** Where a watcher stands that has been told everything but the last change, which is not in the log yet. */
  static beforeLast(context: FeedContext, log: PlaceLog, revision: number): Place {
    const { length: logged, count } = log;
    const told = { isSnapshot: false, isSynced: true, isFirst: false };
    const place = new Place(context, log, {
      ...told,
      base: revision,
      certain: revision,
      begunAt: revision,
      revision,
      joined: revision,
      logged,
      count,
    });
    context.registry.changes.markBeforeLast(place);
    return place;
  }

  /** Where a watch begins: at the front with a snapshot, or where an earlier watch ended. */
  static atStart(context: FeedContext, log: PlaceLog, since: number | null): Place {
    const { registry: { changes, revision, size, stateBytes } } = context;
    const place = new Place(context, log, {
      isSnapshot: since === null,
      isSynced: false,
      isFirst: since === null,
      base: since ?? revision,
      certain: 0,
      begunAt: revision,
      revision: since ?? 0,
      joined: since ?? 0,
      // What is owed cannot be more than the whole map.
      logged: log.length - stateBytes - size * MOST_BESIDES_STATE,
      count: log.count,
    });
    if (since === null) changes.mark(place);
    else changes.markSince(place, since);
    return place;
  }

  get neededSince(): number {
    const { isSnapshot, base, revision } = this.progress;
    return isSnapshot ? Math.max(base, revision) : revision;
  }

  /** Whether tombstones that are needed from here on were dropped. */
  get isLost(): boolean {
    return !this.#context.registry.changes.canResumeFrom(this.neededSince);
  }

  /** Whether everything has been told. */
  get isAtEnd(): boolean {
    return this.progress.isSynced && nextRevised(this.#context.registry.changes, this) === null;
  }

  /** At most so many bytes of changes have not been told. */
  get mostPending(): number {
    return this.#log.length - this.progress.logged;
  }

  /** Size of what has not been told, in bytes; the search ends when it is more than enough. */
  measure(enough: number): number {
    return measureChanges(this.#context.registry.changes, this, this.#log.prefix, enough);
  }

  /** Notes that something more needs it. */
  enter(): this {
    this.#users++;
    return this;
  }

  /** Notes that something needs it no more. */
  leave(): void {
    if (--this.#users !== 0) return;
    this.#dropStep();
    this.#context.registry.changes.remove(this);
  }

  /**
   * Goes on from here, on behalf of a user who leaves.
   *
   * @returns What comes next. Its place has been entered.
   */
  advance(): Step {
    const step = this.#step ?? this.#walk();
    if (this.#step !== null) step.to.enter();
    this.leave();
    return step;
  }

  #walk(): Step {
    const walk = new Walk(this.#context, this.progress, this.#log.prefix);
    const bytes = walk.from(this);
    const to = new Place(this.#context, this.#log, this.#progressAfter(walk));
    this.#context.registry.changes.mark(to, walk.last);
    const step = { bytes, to };
    // Kept for the others here. With nobody else, or no memory to keep it, the next one makes it anew.
    if (this.#users > 1 && this.#context.held + bytes.length <= MAX_HELD) {
      this.#context.held += bytes.length;
      this.#step = step;
    }
    return step;
  }

  #progressAfter({ isDone, revision, joined, told, size }: Walk): Progress {
    const before = this.progress;
    return {
      ...before,
      isFirst: false,
      isSynced: before.isSynced || isDone,
      revision,
      joined,
      logged: isDone ? this.#log.length : Math.min(this.#log.length, before.logged + size),
      count: before.count + told,
    };
  }

  #dropStep(): void {
    if (this.#step === null) return;
    this.#context.held -= this.#step.bytes.length;
    this.#step.to.leave();
    this.#step = null;
  }
}
