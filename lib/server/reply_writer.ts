/**
 * The sending side of a session.
 *
 * @module
 */

import type { ByteBuffer } from "../base/byte_buffer.ts";
import { EMPTY } from "../base/bytes.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Pool } from "../base/pool.ts";
import type { Turns } from "../base/turns.ts";
import { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import type { Counters } from "./counters.ts";
import { lostError } from "./stall.ts";

/** Replies of up to this many bytes together go out in one write. A longer one is written without a copy. */
export const GATHERED_BYTES = 8_192;

/** What the writers of all sessions share. */
export interface ReplyWriterContext {
  /** Buffers for replies, each on loan only while there is something to write. */
  readonly outputs: Pool<ByteBuffer>;
  /** Counts the bytes sent. */
  readonly counters: Counters;
  /** How writing shares the event loop with the rest of the server. */
  readonly turns: Turns;
}

/** The session that a {@linkcode ReplyWriter} writes for. */
export interface ReplySource {
  /** What it shares with other sessions. */
  readonly context: ReplyWriterContext;
  /** Where to write to. */
  readonly connection: Duplex;
  /** Ends the session with an error reply. */
  close(error: TrackerError): void;
  /** Called when the client has taken some bytes. */
  onProgress(): void;
}

/**
 * The only writer of a connection: two would interleave. It sends short replies gathered, then at most one long one, then
 * frames, and in the end the final replies.
 */
export class ReplyWriter {
  readonly #source: ReplySource;
  /** The source of frames; `null` unless the client watches. */
  watcher: Watcher | null = null;
  #gathered: ByteBuffer | null = null;
  #long: Uint8Array | Pieces | null = null;
  /** Whether a piece of the long reply has been taken. */
  #hasBegunLong = false;
  /** Whether a long reply has ended in the middle. */
  #isCut = false;
  #writing: Promise<void> | null = null;
  /** Settles when all replies are written; `null` unless something waits for that. */
  #draining: PromiseWithResolvers<void> | null = null;
  /** Since when the client has taken nothing, in whole milliseconds; 0 if it has since the last check. */
  #stuckSince = 0;

  /** @param source The session it writes for */
  constructor(source: ReplySource) {
    this.#source = source;
  }

  /** The buffer that short replies are appended to. */
  get gathered(): ByteBuffer {
    return this.#gathered ??= this.#source.context.outputs.take();
  }

  /** Adds a reply. A long one is not copied, and must not change until it is written; or it is made in pieces. */
  add(reply: Uint8Array | Pieces): void {
    if (reply instanceof Uint8Array && reply.length <= GATHERED_BYTES) this.gathered.append(reply);
    else this.#long = reply;
  }

  /** Whether enough has gathered to be written before more is added. */
  get isFull(): boolean {
    return this.#long !== null || (this.#gathered !== null && this.#gathered.length >= GATHERED_BYTES);
  }

  /** Settles when the write under way is done; `null` when there is none. */
  get writing(): Promise<void> | null {
    return this.#writing;
  }

  /**
   * Writes whatever is pending, unless a write is under way.
   *
   * @returns Settles when it is done; `null` when there is nothing to write. Rejects when the connection broke.
   */
  flush(): Promise<void> | null {
    // Only with output pending: the write must not end before its promise is stored.
    if (this.#hasOutput) this.#writing ??= this.#write();
    return this.#writing;
  }

  /**
   * Waits until all replies are written, though not the frames of a watcher, which may never end.
   *
   * @returns Resolves then, or when the session ends; `null` when they are written already
   */
  untilDrained(): Promise<void> | null {
    if (!this.#hasReply) return null;
    this.#draining ??= Promise.withResolvers();
    return this.#draining.promise;
  }

  /** Ends that wait. */
  resolveDraining(): void {
    this.#draining?.resolve();
    this.#draining = null;
  }

  /**
   * Writes everything that is left, then ends the stream in this direction. Nothing may be added afterwards.
   *
   * @param reply What is sent last
   * @returns Settles when it is done. Rejects when the connection broke.
   */
  async finish(reply: Uint8Array = EMPTY): Promise<void> {
    const { connection } = this.#source;
    // The frames of a watcher are among what is left.
    await this.flush();
    this.#closeWatcher();
    // In the middle of a reply, an error reply would be taken for a part of it.
    if (this.#isCut) throw new Error("Cannot complete a reply");
    if (reply.length !== 0) await writeAll(connection, reply, (count) => this.#note(count));
    await connection.closeWrite?.();
  }

  /**
   * Measures for how long the client has taken nothing. Called from time to time.
   *
   * @param now The present, on a clock in milliseconds
   * @returns For how long it has taken nothing, in milliseconds; 0 when nothing is being written
   */
  stuckFor(now: number): number {
    // A whole number is stored in the field itself; a fraction would be another object for every client.
    if (this.#writing === null || this.#stuckSince === 0) this.#stuckSince = Math.trunc(now);
    return now - this.#stuckSince;
  }

  /** Gives up whatever is left. Doing it twice is safe. */
  close(): void {
    this.#dropLong();
    this.#closeWatcher();
  }

  #closeWatcher(): void {
    this.watcher?.close();
    this.watcher = null;
  }

  #dropLong(): void {
    const reply = this.#long;
    this.#long = null;
    this.#hasBegunLong = false;
    if (reply !== null && !(reply instanceof Uint8Array)) reply.release();
  }

  get #hasReply(): boolean {
    return this.#gathered !== null || this.#long !== null;
  }

  get #hasOutput(): boolean {
    return this.#hasReply || this.watcher !== null && this.watcher.hasNews;
  }

  async #write(): Promise<void> {
    const { connection, context: { outputs, turns } } = this.#source;
    // A write that begins counts as progress: nothing was pending before, so the client is not to blame.
    this.#stuckSince = 0;
    do {
      // Nothing goes between the pieces of a long reply.
      const gathered = this.#hasBegunLong ? null : this.#gathered;
      // Replies added during the write are gathered in another buffer.
      if (gathered !== null) this.#gathered = null;
      const bytes = gathered === null ? this.#takeLarge() : gathered.gathered;
      for (let written = 0; written < bytes.length;) {
        const count = await connection.write(written === 0 ? bytes : bytes.subarray(written));
        written += count;
        this.#note(count);
      }
      if (gathered !== null) {
        gathered.length = 0;
        outputs.give(gathered);
      }
      if (!this.#hasReply) this.resolveDraining();
      if (this.#hasOutput && turns.isSpent) await turns.rest();
    } while (this.#hasOutput);
    this.#writing = null;
  }

  /** Notes that the client has taken some bytes. */
  #note(count: number): void {
    this.#source.context.counters.sent += count;
    this.#stuckSince = 0;
    this.#source.onProgress();
  }

  /** Takes the long reply or its next piece, or else a frame: none is gathered with others. */
  #takeLarge(): Uint8Array {
    const reply = this.#long;
    if (reply !== null && !(reply instanceof Uint8Array)) return this.#takePiece(reply);
    this.#long = null;
    if (reply !== null) return reply;
    return this.watcher !== null && this.watcher.hasNews ? this.#takeFrame(this.watcher) : EMPTY;
  }

  #takePiece(pieces: Pieces): Uint8Array {
    this.#hasBegunLong = true;
    try {
      const piece = pieces.next();
      if (piece === null) this.#dropLong();
      return piece ?? EMPTY;
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      this.#isCut = true;
      this.#dropLong();
      this.#source.close(error);
      return EMPTY;
    }
  }

  #takeFrame(watcher: Watcher): Uint8Array {
    if (!watcher.isLost) return watcher.next() ?? EMPTY;
    this.#source.close(lostError());
    return EMPTY;
  }
}
