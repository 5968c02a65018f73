/**
 * Everything a session sends.
 *
 * @module
 */

import type { ByteBuffer } from "../base/byte_buffer.ts";
import { EMPTY } from "../base/bytes.ts";
import type { Pool } from "../base/pool.ts";
import type { Duplex } from "../transport/duplex.ts";
import type { Counters } from "./counters.ts";

/** Replies up to this many bytes together go out in one write; a longer one is written from where it lies. */
export const GATHERED_BYTES = 8_192;

/** What a {@linkcode ReplyWriter} shares with those of other sessions. */
export interface ReplyWriterContext {
  /** Buffers for replies, each on loan only while there is something to write. */
  readonly outputs: Pool<ByteBuffer>;
  /** Where bytes sent are counted. */
  readonly counters: Counters;
}

/** Where the frames of a client that watches come from. */
export interface FrameSource {
  /** Whether there is something to take. */
  readonly hasNews: boolean;
  /** Whether what it has missed is forgotten. */
  readonly isLost: boolean;
  /** Takes the next frame; `null` when there is none after all. */
  next(): Uint8Array | null;
}

/** The session that a {@linkcode ReplyWriter} writes for. */
export interface ReplySource {
  /** The watcher cannot be told what it has missed any more. */
  onLost(): void;
  /** The client has taken some bytes. */
  onProgress(): void;
  /** Every reply is written: parsing that stopped because too many had gathered can go on. */
  onDrained(): void;
}

/**
 * The only writer of a connection: two would interleave. It sends short replies gathered, then at most one long one, then
 * frames, then the final reply.
 */
export class ReplyWriter {
  readonly #duplex: Duplex;
  readonly #context: ReplyWriterContext;
  readonly #source: ReplySource;
  /** Where frames come from; `null` unless the client watches. */
  frames: FrameSource | null = null;
  #gathered: ByteBuffer | null = null;
  #long: Uint8Array | null = null;
  /** What the connection says before it ends. */
  #final: Uint8Array[] | null = null;
  #writing: Promise<void> | null = null;
  /** Writes so far, how many there were at the last look, and when that look first saw this number. */
  #writes = 0;
  #writesSeen = -1;
  #stuckSince = 0;

  /**
   * @param duplex Where to write to
   * @param context What it shares with the writers of other sessions
   * @param source The session it writes for
   */
  constructor(duplex: Duplex, context: ReplyWriterContext, source: ReplySource) {
    this.#duplex = duplex;
    this.#context = context;
    this.#source = source;
  }

  /** The buffer that short replies are appended to. */
  get gathered(): ByteBuffer {
    return this.#gathered ??= this.#context.outputs.take();
  }

  /** Adds a reply. A long one is not copied, and must not change until it is written. */
  add(reply: Uint8Array): void {
    if (reply.length > GATHERED_BYTES) this.#long = reply;
    else this.gathered.append(reply);
  }

  /** Sets what is sent last, in order. */
  setFinal(replies: Uint8Array[]): void {
    this.#final = replies;
  }

  /** Whether so much has gathered that it must be written before more is asked for. */
  get isFull(): boolean {
    return this.#long !== null || (this.#gathered !== null && this.#gathered.length >= GATHERED_BYTES);
  }

  /** Whether a reply waits to be written. */
  get hasReply(): boolean {
    return this.#gathered !== null || this.#long !== null;
  }

  /** Settles when the write under way is done; `null` when there is none. */
  get writing(): Promise<void> | null {
    return this.#writing;
  }

  /**
   * Writes whatever waits, unless that is being done already.
   *
   * @returns Settles when it is done; `null` when there is nothing to write. Rejects when the connection broke.
   */
  flush(): Promise<void> | null {
    // Only with output waiting: the write must not end before its promise is kept.
    if (this.#hasOutput) this.#writing ??= this.#write();
    return this.#writing;
  }

  /**
   * Notes whether the client takes what it is sent. To be called from time to time.
   *
   * @param now The present, on a clock in milliseconds
   * @returns For how long it has taken nothing, in milliseconds; 0 when nothing is being written
   */
  stuckFor(now: number): number {
    if (this.#writing === null || this.#writes !== this.#writesSeen) {
      this.#writesSeen = this.#writes;
      this.#stuckSince = now;
    }
    return now - this.#stuckSince;
  }

  get #hasOutput(): boolean {
    if (this.hasReply || this.frames !== null && this.frames.hasNews) return true;
    return this.#final !== null && this.#final.length !== 0;
  }

  async #write(): Promise<void> {
    const { counters, outputs } = this.#context;
    do {
      const gathered = this.#gathered;
      // Replies added while this is being written are gathered apart.
      this.#gathered = null;
      const bytes = gathered === null ? this.#takeLarge() : gathered.gathered;
      for (let written = 0; written < bytes.length;) {
        const count = await this.#duplex.write(written === 0 ? bytes : bytes.subarray(written));
        written += count;
        counters.sent += count;
        this.#writes++;
        this.#source.onProgress();
      }
      if (gathered !== null) {
        gathered.length = 0;
        outputs.give(gathered);
      }
      if (!this.hasReply) this.#source.onDrained();
    } while (this.#hasOutput);
    this.#writing = null;
  }

  /** A long reply, or else a frame, or else the next of the final ones: none of them is gathered with others. */
  #takeLarge(): Uint8Array {
    const reply = this.#long;
    if (reply !== null) {
      this.#long = null;
      return reply;
    }
    if (this.frames !== null && this.frames.hasNews) return this.#takeFrame(this.frames);
    return this.#final?.shift() ?? EMPTY;
  }

  #takeFrame(frames: FrameSource): Uint8Array {
    if (!frames.isLost) return frames.next() ?? EMPTY;
    this.#source.onLost();
    return EMPTY;
  }
}
