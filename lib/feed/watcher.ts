/**
 * One watch: what it has been told, and what comes next.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { ChangeLog, Frame } from "./change_log.ts";
import { type FeedContext, MAX_HELD } from "./context.ts";
import type { Place } from "./place.ts";

/** After the map has changed faster than a watcher reads so often, all it lacks is prepared in memory. */
const MAX_LAPS = 2;

/** Beyond so many bytes that the feed holds, no more frames are prepared. */
const MAX_PREPARED = MAX_HELD / 2;

/** How many frames are prepared at once: few enough to take no longer than some milliseconds. */
const PREPARED_AT_ONCE = 64;

/** A frame that is made before it can be taken. */
interface PreparedFrame {
  readonly bytes: Uint8Array;
  /** The place before it. */
  readonly from: Place;
}

/** The feed, as its watchers know it. */
export interface WatcherOwner extends FeedContext {
  /** Removes a watcher. Doing it twice is safe. */
  remove(watcher: Watcher): void;
}

/**
 * One watch. While it is behind, it stands at a place in the map's changes; once it has been told everything, it stands
 * behind a frame of the log, which it shares with all that are up to date.
 */
export class Watcher {
  readonly #owner: WatcherOwner;
  readonly #log: ChangeLog;
  readonly #onNews: () => void;
  /** Where it stands: one of the two, or neither once it is closed. */
  #frame: Frame | null = null;
  #place: Place | null;
  /** After this frame nothing is taken any more; `null` until the watch is about to end. */
  #lastFrame: Frame | null = null;
  /** Frames that were made before they could be taken, for a watcher that would not be synced otherwise. */
  #prepared: PreparedFrame[] = [];
  /** The map's revision when it set out for the end, and how often it got there too late. */
  #target: number;
  #laps = 0;
  /** What was found when the changes were last measured, and the log's length then, in bytes. */
  #measured = Infinity;
  #measuredAt = 0;

  /** @internal Made by {@linkcode Feed.watch}. */
  constructor(owner: WatcherOwner, log: ChangeLog, place: Place, onNews: () => void) {
    this.#owner = owner;
    this.#log = log;
    this.#place = place;
    this.#onNews = onNews;
    this.#target = owner.registry.revision;
  }

  /** @internal The prefix of the identifiers it watches. */
  get prefix(): string {
    return this.#log.prefix;
  }

  /** The revision up to which everything has been told: a watch can resume from it. 0 until a snapshot is complete. */
  get revision(): number {
    const [prepared] = this.#prepared;
    if (prepared !== undefined) return revisionAt(prepared.from);
    if (this.#place !== null) return revisionAt(this.#place);
    return this.#frame?.next?.since ?? this.#log.pendingSince ?? this.#owner.registry.revision;
  }

  /** Whether there is something to take. */
  get hasNews(): boolean {
    return this.#place !== null || this.#prepared.length !== 0 || this.#nextFrame !== null;
  }

  /** Whether leaves that it has not been told were dropped from the map's memory, so that it cannot catch up. */
  get isLost(): boolean {
    return this.#place !== null && this.#place.isLost;
  }

  /** @internal The frame it stands behind; `null` if it is behind all frames that are kept. */
  get frame(): Frame | null {
    return this.#frame;
  }

  /** Ends the watch. */
  close(): void {
    this.#dropPrepared();
    this.#stand(null, null);
    this.#owner.remove(this);
  }

  /** @internal Called when the log has grown. */
  notice(): void {
    if (this.hasNews) this.#onNews();
  }

  /** @internal Leaves a frame, because those after it are dropped: it goes on from the map. */
  fallBehind(): void {
    const place = this.#nextFrame?.place ?? null;
    this.#stand(null, place === null ? null : place.enter());
    this.#measured = Infinity;
  }

  /**
   * Drops the frames that were made for it; they are made again when it reads. For a watcher that has taken nothing for
   * a while, so that its share of the memory is free for others.
   */
  releaseMemory(): void {
    const [first] = this.#prepared;
    if (first === undefined) return;
    this.#stand(null, first.from.enter());
    this.#dropPrepared();
    this.#laps = MAX_LAPS;
  }

  /**
   * Takes the next frame.
   *
   * @returns A whole frame, whose bytes are shared; empty if it takes another call; `null` if there is none until
   *   `onNews` is called
   */
  next(): Uint8Array | null {
    const prepared = this.#takePrepared();
    if (prepared !== null) return prepared;
    if (this.#place !== null) return this.#isOvertaken ? this.#prepare(this.#place) : this.#advance(this.#place);
    const next = this.#nextFrame;
    if (next !== null) this.#stand(next, null);
    return next === null ? null : next.bytes;
  }

  /**
   * Includes the changes of an unfinished tick in what {@linkcode next} returns, and nothing that only the map has: what
   * a watcher that has fallen behind lacks is too much to send before a close. One that has just begun, and ends in order,
   * gets the first frame, which for a small map is all there is.
   *
   * @param isOrderly Whether the client itself has ended the watch
   */
  endFrames(isOrderly = false): void {
    this.#log.endFrame();
    if (isOrderly && this.#place?.progress.isFirst) this.#prepareFrame(this.#place);
    this.#lastFrame = this.#log.last;
    if (this.#place !== null) this.#stand(null, null);
    // What was prepared may go now, also if there was to be more of it.
    this.#laps = 0;
  }

  /**
   * Measures the events that would tell everything that has changed since the revision it has been told.
   *
   * @param enough A size that does not matter yet: nothing is searched if it cannot be more
   * @returns The size of the events, in bytes; if it is at most `enough`, possibly an upper bound
   */
  pendingBytes(enough = 0): number {
    const behind = this.#place === null ? this.#log.length - (this.#frame?.end ?? 0) : this.#place.mostPending;
    const most = Math.min(behind, this.#measured + this.#log.length - this.#measuredAt);
    const place = this.#place ?? this.#nextFrame?.place ?? null;
    if (most <= enough || place === null) return most;
    this.#measuredAt = this.#log.length;
    const size = place.measure(enough);
    // More than enough was not measured to its end.
    this.#measured = size > enough ? Infinity : size;
    return size;
  }

  get #nextFrame(): Frame | null {
    return this.#frame === null || this.#frame === this.#lastFrame ? null : this.#frame.next;
  }

  /** Whether the map changes faster than the client reads, which has not been told `synced` yet. */
  get #isOvertaken(): boolean {
    return this.#laps >= MAX_LAPS;
  }

  /** Takes a frame of what only the map has. Once there is no more, it is live. */
  #advance(place: Place): Uint8Array {
    this.#place = null;
    const { bytes, to } = place.advance();
    this.#place = to;
    if (to.isAtEnd) this.#goLive(to);
    else this.#countLaps(to);
    return bytes;
  }

  #countLaps({ progress: { isSynced, revision } }: Place): void {
    if (isSynced || revision < this.#target) return;
    this.#target = this.#owner.registry.revision;
    this.#laps++;
  }

  /**
   * Makes frames faster than the map changes, up to `synced`. Without this, a client that reads more slowly than the map
   * changes would never get there. A few at once: the others have their turn in between.
   */
  #prepare(place: Place): Uint8Array {
    let next: Place | null = place;
    for (let count = 0; count < PREPARED_AT_ONCE && next !== null; count++) {
      this.#prepareFrame(next);
      // Without memory for it, the client has to come round once more.
      if (this.#owner.held > MAX_PREPARED) this.#laps = 0;
      next = this.#isOvertaken && this.#place?.progress.isSynced === false ? this.#place : null;
    }
    if (next === null) this.#laps = 0;
    return this.#takePrepared() ?? EMPTY;
  }

  #prepareFrame(place: Place): void {
    const from = place.enter();
    const bytes = this.#advance(place);
    this.#prepared.push({ bytes, from });
    this.#owner.held += bytes.length;
  }

  #takePrepared(): Uint8Array | null {
    if (this.#isOvertaken) return null;
    const frame = this.#prepared.shift();
    if (frame === undefined) return null;
    this.#owner.held -= frame.bytes.length;
    frame.from.leave();
    return frame.bytes;
  }

  #dropPrepared(): void {
    for (const { bytes, from } of this.#prepared) {
      this.#owner.held -= bytes.length;
      from.leave();
    }
    this.#prepared = [];
  }

  #goLive(place: Place): void {
    this.#log.endFrame();
    const { isSnapshot, count } = place.progress;
    if (!isSnapshot) this.#owner.conflated += Math.max(0, this.#log.count - count);
    this.#stand(this.#log.last, null);
  }

  /** Moves to a frame or a place, which must have been entered. */
  #stand(frame: Frame | null, place: Place | null): void {
    if (frame !== null) frame.watchers++;
    const { frame: frameBefore, place: placeBefore } = { frame: this.#frame, place: this.#place };
    this.#frame = frame;
    this.#place = place;
    placeBefore?.leave();
    if (frameBefore === null) return;
    frameBefore.watchers--;
    this.#log.trim();
  }
}

/** From where a watch resumes that has been told everything in front of a place. An incomplete snapshot cannot. */
function revisionAt({ progress: { isSnapshot, isSynced, revision } }: Place): number {
  return isSnapshot && !isSynced ? 0 : revision;
}
