/**
 * What a connection has to send: the messages of one turn go out in one write, in the order of the calls.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { EMPTY } from "../base/bytes.ts";
import type { MessageEncoder } from "../codec.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { TrackerError } from "../errors.ts";
import { CLOSE, type MessageType } from "../protocol.ts";

/** Bytes held for a server that does not read, before further calls are refused with BUFFER_FULL. */
const MAX_BUFFERED = 2 ** 24;

/** First size of the buffers, in bytes. They grow as needed. */
const SMALLEST_BUFFER = 4_096;

/** Messages that go out together, and the promise all their senders share. */
export interface Batch {
  /** Resolves when the system has taken the bytes. */
  written: Promise<void>;
  /** The same within the connection's own time limit, made once for all Updates that ask for no other. */
  inTime?: Promise<void>;
  resolve: () => void;
  reject: (error: TrackerError) => void;
}

/** The only writer of a connection. While one batch is written the next gathers. */
export class Sender {
  /** When the last batch was handed to the system, on the monotonic clock, in milliseconds. */
  sentAt: number = performance.now();
  readonly #duplex: Duplex;
  readonly #encoder: MessageEncoder;
  readonly #explain: (cause: unknown) => Promise<TrackerError>;
  #gathered = new Uint8Array(SMALLEST_BUFFER);
  #length = 0;
  #batch: Batch | null = null;
  #writing = false;
  #closed = false;

  /**
   * @param duplex Where to write to
   * @param encoder What puts messages into bytes
   * @param explain Called when writing failed: finds out why
   */
  constructor(duplex: Duplex, encoder: MessageEncoder, explain: (cause: unknown) => Promise<TrackerError>) {
    this.#duplex = duplex;
    this.#encoder = encoder;
    this.#explain = explain;
  }

  /**
   * Puts a message into the batch that goes out next.
   *
   * @param call What the caller is doing, for the message of an error
   * @param type The message's type
   * @param payload Its payload
   * @returns The batch
   * @throws {TrackerError} BUFFER_FULL, or STATE_TOO_LARGE when the dialect cannot carry the payload
   */
  add(call: string, type: MessageType, payload?: Uint8Array): Batch {
    const size = this.#encoder.sizeOf(type, payload);
    // A Close ends the waiting of all the others: it is always let through.
    if (this.#length + size > MAX_BUFFERED && this.#length !== 0 && type !== CLOSE) {
      const why = `the server does not read, and ${this.#length} bytes wait already`;
      throw new TrackerError("BUFFER_FULL", `Cannot ${call}: ${why}; wait for earlier calls before making more`);
    }
    this.#reserve(size);
    this.#length = this.#encoder.encodeInto(this.#gathered, this.#length, type, payload);
    this.#batch ??= createBatch();
    if (!this.#writing) {
      this.#writing = true;
      // A microtask later every call of this turn has added its message.
      queueMicrotask(() => void this.#write());
    }
    return this.#batch;
  }

  /**
   * Sends nothing more.
   *
   * @param error What the senders of the batch that is gathering are told
   */
  close(error: TrackerError): void {
    this.#closed = true;
    this.#batch?.reject(error);
    this.#batch = null;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#gathered.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#gathered.length * 2));
    larger.set(this.#gathered.subarray(0, this.#length));
    this.#gathered = larger;
  }

  async #write(): Promise<void> {
    let spare = EMPTY;
    while (this.#batch !== null && !this.#closed) {
      const batch = this.#batch;
      const gathered = this.#gathered;
      const bytes = gathered.subarray(0, this.#length);
      this.#batch = null;
      this.#gathered = spare;
      this.#length = 0;
      this.sentAt = performance.now();
      try {
        await writeAll(this.#duplex, bytes);
        batch.resolve();
      } catch (cause) {
        batch.reject(await this.#explain(cause));
      }
      spare = gathered;
    }
    this.#writing = false;
  }
}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Senders that do not wait must not turn a broken connection into an unhandled rejection.
  promise.catch(ignore);
  return { written: promise, resolve, reject };
}
