/**
 * The changes of the map, encoded once for all watchers of the same prefix.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import type { Change } from "../map/registry.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** A frame ends when it reaches this size, in bytes. */
export const FRAME_BYTES = 65_536;

/** Most bytes of frames behind a cursor; a watcher further behind gives its cursor up, and catches up from the map. */
const MAX_BEHIND = 1_048_576;

/** The changes of one tick, encoded. A watcher's cursor is the frame it has read last. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** The revision before its first event. */
  readonly since: number;
  /** The revision of its last event. */
  readonly revision: number;
  /** Bytes of the log up to its end. */
  readonly end: number;
  /** Events of the log up to its end. */
  readonly count: number;
  next: Frame | null;
}

/** A list of frames that lives from its oldest cursor on: frames that all watchers have read are garbage. */
export class ChangeLog {
  /** The prefix of the identifiers whose changes it holds. */
  readonly prefix: string;
  readonly #encoder: EventEncoder;
  #since = 0;
  #revision = 0;
  #last: Frame = { bytes: EMPTY, since: 0, revision: 0, end: 0, count: 0, next: null };

  /**
   * @param prefix The prefix of the identifiers whose changes it holds
   * @param encoder An encoder of its own
   */
  constructor(prefix: string, encoder: EventEncoder) {
    this.prefix = prefix;
    this.#encoder = encoder;
  }

  /** The last frame. */
  get last(): Frame {
    return this.#last;
  }

  /** Bytes of all changes since the log began, including those in no frame yet. */
  get length(): number {
    return this.#last.end + this.#encoder.length;
  }

  /** The revision before the first change that is in no frame yet; `null` if there is none. */
  get pendingSince(): number | null {
    return this.#encoder.count === 0 ? null : this.#since;
  }

  /** Whether so much has been written behind a cursor that it must be given up. */
  isFarBehind(cursor: Frame): boolean {
    return this.#last.end - cursor.end > MAX_BEHIND;
  }

  /**
   * Adds a change.
   *
   * @param change The change of a client with the prefix
   * @returns `true` if the change has filled its frame, which is then ended
   */
  add({ kind, entry, revision, cause }: Change): boolean {
    const encoder = this.#encoder;
    if (encoder.count === 0) this.#since = revision - 1;
    if (kind === "join" || kind === "update") encoder.state(kind, revision, entry);
    else if (kind === "leave") encoder.leave(revision, entry.id, cause ?? "close");
    else encoder.status(kind, revision, entry);
    this.#revision = revision;
    if (encoder.length < FRAME_BYTES) return false;
    this.endFrame();
    return true;
  }

  /** Ends the present frame, unless it is empty. */
  endFrame(): void {
    if (this.#encoder.count === 0) return;
    const count = this.#last.count + this.#encoder.count;
    const bytes = this.#encoder.finish();
    const end = this.#last.end + bytes.length;
    this.#last = this.#last.next = { bytes, since: this.#since, revision: this.#revision, end, count, next: null };
  }
}
