/**
 * The phase of a watcher that keeps up with the map.
 *
 * @module
 */

import type { CatchUpStart } from "./catch_up.ts";
import { measureChanges } from "./catch_up_round.ts";
import type { ChangeLog, Frame } from "./change_log.ts";
import type { FeedContext } from "./context.ts";

/** Tells the frames of the log behind a cursor. */
export class Live {
  readonly #context: FeedContext;
  readonly #log: ChangeLog;
  #cursor: Frame;
  #revision: number;

  /**
   * @param context What the watchers of the feed share
   * @param log The log of the watcher's prefix
   * @param cursor The frame that was told last
   * @param revision The revision up to which everything has been told
   */
  constructor(context: FeedContext, log: ChangeLog, cursor: Frame, revision: number) {
    this.#context = context;
    this.#log = log;
    this.#cursor = cursor;
    this.#revision = revision;
  }

  /** The revision up to which everything has been told. */
  get position(): number {
    return this.#cursor.next?.since ?? this.#log.pendingSince ?? this.#context.registry.revision;
  }

  /** Never: what it needs is in the log. */
  get isLost(): boolean {
    return false;
  }

  /** Whether the log has a frame behind the cursor. */
  get hasNews(): boolean {
    return this.#cursor.next !== null;
  }

  /** Size of the log behind the cursor, in bytes. */
  get pendingBytes(): number {
    return this.#log.length - this.#cursor.end;
  }

  /** Whether the cursor has fallen too far behind. */
  get isFarBehind(): boolean {
    return this.#log.isFarBehind(this.#cursor);
  }

  /** How to catch up from here. Before the first frame that is skipped there was nothing to tell. */
  get lag(): CatchUpStart {
    const { next, count } = this.#cursor;
    return { reason: "lag", revision: next?.since ?? this.#revision, toldCount: count };
  }

  /** Size of the latest state of what has not been told yet, in bytes: at most about {@linkcode pendingBytes}. */
  measure(): number {
    return measureChanges(this.#context.registry, this.#log.prefix, this.#revision);
  }

  /** Takes the next frame of the log; `null` if there is none. */
  next(): Uint8Array | null {
    const frame = this.#cursor.next;
    if (frame === null) return null;
    this.#cursor = frame;
    this.#revision = frame.revision;
    return frame.bytes;
  }
}
