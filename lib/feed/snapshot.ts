/**
 * The phase of a watcher that is told which clients were there when its watch began.
 *
 * @module
 */

import { measureChanges } from "./catch_up_round.ts";
import { FRAME_BYTES } from "./change_log.ts";
import type { FeedContext } from "./context.ts";

/** Tells the clients that have been there since the watch began, and are still there when their turn comes. */
export class Snapshot {
  readonly #context: FeedContext;
  readonly #prefix: string;
  /** The revision at which the watch began: clients that joined later are told after the snapshot. */
  readonly revision: number;
  /**
   * The revision at which the client told last had joined. No iterator of the map, since that of a watcher that is stuck
   * would keep all entries that come and go meanwhile.
   */
  #presented = 0;

  /**
   * @param context What the watchers of the feed share
   * @param prefix The prefix of the watch
   */
  constructor(context: FeedContext, prefix: string) {
    this.#context = context;
    this.#prefix = prefix;
    this.revision = context.registry.revision;
  }

  /** Always 0: an incomplete snapshot cannot be resumed. */
  get position(): number {
    return 0;
  }

  /** Whether tombstones needed after the snapshot were dropped, so that the watch cannot complete. */
  get isLost(): boolean {
    return !this.#context.registry.canResumeFrom(this.revision);
  }

  /** Size of what has not been told yet, in bytes. */
  measure(): number {
    return measureChanges(this.#context.registry, this.#prefix, this.revision, this.#presented);
  }

  /**
   * Adds clients to the encoder, up to the size of a frame.
   *
   * @returns `true` after the last client
   */
  tell(): boolean {
    const { registry, encoder } = this.#context;
    for (const entry of registry.entriesSince(this.#presented)) {
      if (encoder.length >= FRAME_BYTES) return false;
      if (entry.joinRevision > this.revision) break;
      this.#presented = entry.joinRevision;
      if (entry.id.startsWith(this.#prefix)) encoder.present(entry);
    }
    return true;
  }
}
