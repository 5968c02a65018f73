/**
 * The phase of a watcher that is told what the change log no longer has.
 *
 * @module
 */

import { MAX_TOMBSTONES } from "../map/tombstones.ts";
import { CatchUpRound, countChanges, measureChanges } from "./catch_up_round.ts";
import { type ChangeLog, type Frame, FRAME_BYTES } from "./change_log.ts";
import type { FeedContext } from "./context.ts";
import type { EventEncoder } from "./event_encoder.ts";

/** After this many rounds that the map has overtaken before `synced`, the next one is prepared in memory at once. */
const MAX_OVERTAKEN = 2;

/** Most changes in a round while memory is short: searching the map for so few is cheap, and so is keeping them. */
const STEP = 512;

/** Memory that an event of a round takes, in bytes, measured. */
const ITEM_SIZE = 64;

/** A frame that is made before it can be taken. */
interface PreparedFrame {
  readonly bytes: Uint8Array;
  /** The revision that has been told before it. */
  readonly since: number;
}

/** How a {@linkcode CatchUp} begins. */
export interface CatchUpStart {
  /** Whether it completes a snapshot, resumes an earlier watch, or makes up for a lag. Only a lag needs no `synced`. */
  reason: "snapshot" | "resume" | "lag";
  /** The revision that has been told. */
  revision: number;
  /** How many events the log had up to that revision; only needed for a lag. */
  toldCount?: number;
}

/** Tells what has changed since a revision, in rounds, until the log has all that is left. */
export class CatchUp {
  readonly #context: FeedContext;
  readonly #log: ChangeLog;
  readonly #reason: CatchUpStart["reason"];
  #revision: number;
  #isSynced: boolean;
  /** The round that is being told. */
  #round: CatchUpRound | null = null;
  /** Where the log goes on after the round; `null` if it does not, because the cursor fell too far behind. */
  #cursor: Frame | null = null;
  readonly #prepared: PreparedFrame[] = [];
  /** How many rounds before `synced` were overtaken by the map. */
  #overtaken = 0;
  /** How many events the log had up to the last one told. */
  #toldCount: number;

  /**
   * @param context What the watchers of the feed share
   * @param log The log of the watcher's prefix
   * @param start Why and from where it catches up
   */
  constructor(context: FeedContext, log: ChangeLog, { reason, revision, toldCount = 0 }: CatchUpStart) {
    this.#context = context;
    this.#log = log;
    this.#reason = reason;
    this.#revision = revision;
    this.#isSynced = reason === "lag";
    this.#toldCount = toldCount;
  }

  /** The revision up to which everything has been told; 0 until a snapshot is complete. */
  get position(): number {
    const [next] = this.#prepared;
    if (this.#reason === "snapshot" && (!this.#isSynced || next !== undefined)) return 0;
    return next === undefined ? this.#revision : next.since;
  }

  /** Whether tombstones it still needs were dropped, so that it cannot complete. */
  get isLost(): boolean {
    return this.#cursor === null && this.#round === null && !this.#context.registry.canResumeFrom(this.#revision);
  }

  /** The cursor from which the log has all that is left; `null` until then. */
  get liveCursor(): Frame | null {
    return this.#isSynced && this.#round === null && this.#prepared.length === 0 ? this.#cursor : null;
  }

  /** Size of what has not been told yet, in bytes. */
  measure(): number {
    let size = measureChanges(this.#context.registry, this.#log.prefix, this.#revision);
    for (const { bytes } of this.#prepared) size += bytes.length;
    return size;
  }

  /**
   * Takes the next frame. Events that the encoder already holds come first.
   *
   * @returns The frame; `null` if there is nothing to tell
   */
  next(): Uint8Array | null {
    const frame = this.#prepared.shift()?.bytes ?? this.#tell();
    this.#context.budget.hold(this, this.#heldBytes);
    return frame;
  }

  /** Drops the cursor if it has fallen too far behind. */
  notice(): void {
    if (this.#cursor === null || !this.#log.isFarBehind(this.#cursor)) return;
    this.#toldCount = this.#cursor.count;
    this.#cursor = null;
  }

  /**
   * Drops the round and prepared frames to free their memory; {@linkcode next} rebuilds them from the map.
   *
   * @returns Whether there was something to drop
   */
  release(): boolean {
    this.#context.budget.release(this);
    const [next] = this.#prepared;
    if (next !== undefined) {
      // Frames are prepared only before `synced`, which is in the last of them and thus has not been told.
      this.#revision = next.since;
      this.#isSynced = false;
      this.#overtaken = MAX_OVERTAKEN;
      this.#prepared.length = 0;
    } else if (this.#round !== null) {
      const { isWhole, left, size } = this.#round;
      this.#toldCount = isWhole ? (this.#cursor?.count ?? this.#toldCount) - left : this.#toldCount + size - left;
    } else {
      return false;
    }
    this.#round = null;
    this.#cursor = null;
    return true;
  }

  get #heldBytes(): number {
    let bytes = (this.#round?.size ?? 0) * ITEM_SIZE;
    for (const frame of this.#prepared) bytes += frame.bytes.length;
    return bytes;
  }

  get #needsRound(): boolean {
    return this.#prepared.length === 0 && this.liveCursor === null && !this.isLost;
  }

  #tell(): Uint8Array | null {
    const { encoder } = this.#context;
    while (this.#needsRound && encoder.length < FRAME_BYTES) this.#tellRound(encoder);
    if (encoder.count !== 0) return encoder.finish();
    return this.#prepared.shift()?.bytes ?? null;
  }

  /** Tells the round up to the size of a frame. */
  #tellRound(encoder: EventEncoder): void {
    const round = this.#round ??= this.#startRound();
    if (this.#mayPrepare(round)) return this.#prepare(encoder, round);
    const isDone = round.tell(encoder);
    this.#revision = round.revision;
    if (isDone) this.#endRound(encoder, round);
  }

  /** All that has changed, or only the first of it when memory is short. */
  #startRound(): CatchUpRound {
    const { registry } = this.#context;
    const options = { prefix: this.#log.prefix, since: this.#revision };
    if (this.#mustStep()) return new CatchUpRound(registry, { ...options, limit: STEP });
    const round = new CatchUpRound(registry, options);
    // From here on the log has exactly what the round lacks.
    this.#log.endFrame();
    this.#cursor = this.#log.last;
    if (this.#isSynced) this.#context.conflated += Math.max(0, this.#cursor.count - this.#toldCount - round.size);
    return round;
  }

  /** Whether there is no memory for all that has changed. The number of changes is counted only if it may matter. */
  #mustStep(): boolean {
    const { registry, budget } = this.#context;
    if (budget.hasRoom(this, (registry.size + MAX_TOMBSTONES) * ITEM_SIZE)) return false;
    const size = countChanges(registry, this.#log.prefix, this.#revision);
    return size > STEP && !budget.hasRoom(this, size * ITEM_SIZE);
  }

  /** `synced` stands for the map at one revision: if part of the round showed a later map, another round follows. */
  #endRound(encoder: EventEncoder, { target, isExact, isWhole, size }: CatchUpRound): void {
    this.#round = null;
    if (!isWhole) this.#toldCount += size;
    if (this.#isSynced || !isWhole) return;
    this.#isSynced = isExact;
    if (isExact) return encoder.synced(target, this.#context.registry.incarnation);
    this.#overtaken++;
    // The next round begins where this one ended, and needs every leave since then.
    this.#cursor = null;
  }

  #mayPrepare({ isWhole, left, size }: CatchUpRound): boolean {
    return !this.#isSynced && isWhole && left === size && this.#overtaken >= MAX_OVERTAKEN &&
      this.#context.budget.hasRoom(this, this.measure());
  }

  /**
   * Makes all frames of a round at once, so that the map cannot overtake it. Without this, a client that reads more
   * slowly than the map changes would never get `synced`.
   */
  #prepare(encoder: EventEncoder, round: CatchUpRound): void {
    let since = this.#revision;
    while (!round.tell(encoder)) {
      this.#prepared.push({ bytes: encoder.finish(), since });
      since = round.revision;
    }
    this.#overtaken = 0;
    this.#revision = round.target;
    this.#endRound(encoder, round);
    this.#prepared.push({ bytes: encoder.finish(), since });
  }
}
