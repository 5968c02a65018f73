/**
 * The latest changes of the map, encoded once for all watchers of the same prefix.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { Change } from "../map/registry.ts";
import type { FeedContext } from "./context.ts";
import type { EventEncoder } from "./event_encoder.ts";
import { Place } from "./place.ts";
import { FRAME_BYTES } from "./walk.ts";

/** Most bytes of frames that are kept of one prefix; a watcher further behind goes on from the map. */
const MAX_BEHIND = 1_048_576;

/** The changes of one tick, encoded. A watcher that is up to date stands behind a frame. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** The revision before its first event. */
  readonly since: number;
  /** Bytes of the log up to its end. */
  readonly end: number;
  /** Where a watcher goes on in the map that stands before it when it is dropped; `null` in front of the first. */
  readonly place: Place | null;
  /** How many watchers stand behind it. */
  watchers: number;
  next: Frame | null;
}

/** A list of frames, from the first that a watcher stands behind to the last. */
export class ChangeLog {
  /** The prefix of the identifiers whose changes it holds. */
  readonly prefix: string;
  readonly #context: FeedContext;
  /** Encodes the present frame; `null` while it is empty. */
  #encoder: EventEncoder | null = null;
  #since = 0;
  /** The place before its first change. */
  #place: Place | null = null;
  #first: Frame;
  #last: Frame;
  #count = 0;

  /**
   * @param prefix The prefix of the identifiers whose changes it holds
   * @param context What the watchers of the feed share
   */
  constructor(prefix: string, context: FeedContext) {
    this.prefix = prefix;
    this.#context = context;
    this.#first = this.#last = { bytes: EMPTY, since: 0, end: 0, place: null, watchers: 0, next: null };
  }

  /** The last frame. */
  get last(): Frame {
    return this.#last;
  }

  /** The first frame that is kept. */
  get first(): Frame {
    return this.#first;
  }

  /** Bytes of all changes since the log began, including those in no frame yet. */
  get length(): number {
    return this.#last.end + (this.#encoder?.length ?? 0);
  }

  /** Events since the log began. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the frames that are kept. */
  get held(): number {
    return this.#last.end - this.#first.end;
  }

  /** Whether it keeps more than it may. */
  get isTooLong(): boolean {
    return this.held > MAX_BEHIND;
  }

  /** The revision before the first change that is in no frame yet; `null` if there is none. */
  get pendingSince(): number | null {
    return this.#encoder === null ? null : this.#since;
  }

  /**
   * Adds a change.
   *
   * @param change The change of a client with the prefix
   * @returns `true` if the change has filled its frame, which is then ended
   */
  add({ kind, entry, revision, cause }: Change): boolean {
    const encoder = this.#encoder ??= this.#startFrame(revision - 1);
    if (kind === "join" || kind === "update") encoder.state(kind, revision, entry);
    else if (kind === "set") encoder.set(revision, entry);
    else if (kind === "leave") encoder.leave(revision, entry.id, cause ?? "close");
    else encoder.status(kind, revision, entry);
    this.#count++;
    if (encoder.length < FRAME_BYTES) return false;
    this.endFrame();
    return true;
  }

  /** Ends the present frame, unless it is empty. */
  endFrame(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#encoder = null;
    const bytes = encoder.finish();
    this.#context.encoders.give(encoder);
    const end = this.#last.end + bytes.length;
    this.#last = this.#last.next = { bytes, since: this.#since, end, place: this.#place, watchers: 0, next: null };
    this.#place = null;
    this.#context.held += bytes.length;
    this.trim();
  }

  /** Drops the frames that no watcher needs any more. */
  trim(): void {
    while (this.#first.watchers === 0 && this.#first.next !== null) this.#dropFirst(this.#first.next);
  }

  /** Drops everything: nobody watches any more. */
  close(): void {
    this.endFrame();
    this.trim();
  }

  #startFrame(since: number): EventEncoder {
    this.#since = since;
    this.#place = Place.beforeLast(this.#context, this, since);
    return this.#context.encoders.take();
  }

  #dropFirst(next: Frame): void {
    next.place?.leave();
    this.#context.held -= next.end - this.#first.end;
    this.#first = next;
  }
}
