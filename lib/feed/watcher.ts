/**
 * One watch: what it has been told, and what comes next.
 *
 * @module
 */

import { CatchUp } from "./catch_up.ts";
import type { ChangeLog } from "./change_log.ts";
import type { FeedContext } from "./context.ts";
import { Live } from "./live.ts";
import { Snapshot } from "./snapshot.ts";

/** The feed, as its watchers know it. */
export interface WatcherOwner extends FeedContext {
  /** Removes a watcher. Doing it twice is safe. */
  remove(watcher: Watcher): void;
}

/**
 * One watch. It begins with a snapshot, or catches up from where an earlier watch ended; then it is live, until it falls
 * behind and catches up again.
 */
export class Watcher {
  readonly #owner: WatcherOwner;
  readonly #log: ChangeLog;
  readonly #onNews: () => void;
  #phase: Snapshot | CatchUp | Live;
  /** What was found when the map was last searched for pending changes, and the log's length then, in bytes. */
  #measured = Infinity;
  #measuredAt = 0;

  /** @internal Made by {@linkcode Feed.watch}. */
  constructor(owner: WatcherOwner, log: ChangeLog, since: number | null, onNews: () => void) {
    this.#owner = owner;
    this.#log = log;
    this.#onNews = onNews;
    this.#phase = since !== null && owner.registry.canResumeFrom(since)
      ? new CatchUp(owner, log, { reason: "resume", revision: since })
      : new Snapshot(owner, log.prefix);
  }

  /** @internal The prefix of the identifiers it watches. */
  get prefix(): string {
    return this.#log.prefix;
  }

  /** The revision up to which everything has been told: a watch can resume from it. 0 until a snapshot is complete. */
  get revision(): number {
    return this.#phase.position;
  }

  /** Whether there is something to take. */
  get hasNews(): boolean {
    return !(this.#phase instanceof Live) || this.#phase.hasNews;
  }

  /** Whether leaves that it has not been told were dropped from the map's memory, so that it cannot catch up. */
  get isLost(): boolean {
    return this.#phase.isLost;
  }

  /** Ends the watch. */
  close(): void {
    this.releaseMemory();
    this.#owner.remove(this);
  }

  /** @internal Called when the log has grown. */
  notice(): void {
    const phase = this.#phase;
    if (phase instanceof CatchUp) phase.notice();
    else if (phase instanceof Live && phase.isFarBehind) this.#phase = new CatchUp(this.#owner, this.#log, phase.lag);
    if (this.hasNews) this.#onNews();
  }

  /**
   * Takes the next frame.
   *
   * @returns A whole frame, whose bytes are shared; `null` if there is none until `onNews` is called
   */
  next(): Uint8Array | null {
    const phase = this.#phase;
    if (phase instanceof Live) return phase.next();
    return this.#nextFromMap(phase) ?? (this.isLost ? null : this.next());
  }

  /**
   * Drops what it holds in memory while it catches up; that is rebuilt from the map when the watcher reads again. For a
   * watcher that has read nothing for a while, so that its share of the memory is free for others. It misses nothing,
   * but is lost if leaves that it has not been told are dropped from the map's memory before it reads again.
   */
  releaseMemory(): void {
    if (this.#phase instanceof CatchUp && this.#phase.release()) this.#measured = Infinity;
  }

  /**
   * Takes all frames that are left for a live watcher at once, including the changes of an unfinished tick. What a
   * watcher that has fallen behind lacks is too much to send before a close.
   *
   * @returns The frames, in order
   */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    this.#log.endFrame();
    while (this.#phase instanceof Live) {
      const frame = this.#phase.next();
      if (frame === null) break;
      frames.push(frame);
    }
    return frames;
  }

  /**
   * Measures the events that would tell everything that has changed since the revision it has been told.
   *
   * @param enough A size that does not matter yet: the map is not searched if it cannot be more
   * @returns The size of the events, in bytes; if it is at most `enough`, possibly an upper bound
   */
  pendingBytes(enough = 0): number {
    const phase = this.#phase;
    if (phase instanceof Live && phase.pendingBytes <= enough) return phase.pendingBytes;
    // It cannot be more than it was the last time and everything that was written to the log since.
    const most = this.#measured + this.#log.length - this.#measuredAt;
    if (most <= enough) return most;
    this.#measuredAt = this.#log.length;
    return this.#measured = phase.measure();
  }

  /** A frame of what is not in the log. Enters the next phase if that was the last of it. */
  #nextFromMap(phase: Snapshot | CatchUp): Uint8Array | null {
    if (phase instanceof CatchUp) return this.#catchUp(phase);
    if (!phase.tell()) return this.#owner.encoder.finish();
    const { revision } = phase;
    // Its first frame begins with the rest of the snapshot.
    return this.#catchUp(this.#phase = new CatchUp(this.#owner, this.#log, { reason: "snapshot", revision }));
  }

  #catchUp(phase: CatchUp): Uint8Array | null {
    const frame = phase.next();
    const cursor = phase.liveCursor;
    if (cursor !== null) this.#phase = new Live(this.#owner, this.#log, cursor, phase.position);
    return frame;
  }
}
