/**
 * The writing half of a connection: messages of one turn go out in one write, in the order of the calls.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { ByteBuffer } from "../base/byte_buffer.ts";
import type { MessageEncoder } from "../codec.ts";
import { TrackerError } from "../errors.ts";
import { CLOSE, type MessageType } from "../protocol.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";

/** Bytes held for a server that does not read, before further calls are refused with BUFFER_FULL. */
const MAX_PENDING_BYTES = 2 ** 24;

/** First size of the buffer, in bytes. It grows as needed. */
const SMALLEST_BUFFER = 4_096;

/** Messages that go out together, and the promise that their senders share. */
export interface Batch {
  /** Resolves when the system has taken the bytes. */
  written: Promise<void>;
  /** The same within the connection's time limit, created once for all Updates without options of their own. */
  inTime?: Promise<void>;
  resolve: () => void;
  reject: (error: TrackerError) => void;
}

/** The only writer of a connection. While one batch is written the next is gathered. */
export class Sender {
  /** When the last batch was handed to the system, on the monotonic clock, in milliseconds. */
  sentAt: number = performance.now();
  readonly #duplex: Duplex;
  readonly #encoder: MessageEncoder;
  readonly #explain: (cause: unknown) => Promise<TrackerError>;
  #buffer = new ByteBuffer(SMALLEST_BUFFER);
  #batch: Batch | null = null;
  #state: "idle" | "writing" | "closed" = "idle";

  /**
   * @param duplex Where to write to
   * @param encoder Encodes the messages
   * @param explain Finds out why a write has failed
   */
  constructor(duplex: Duplex, encoder: MessageEncoder, explain: (cause: unknown) => Promise<TrackerError>) {
    this.#duplex = duplex;
    this.#encoder = encoder;
    this.#explain = explain;
  }

  /**
   * Adds a message to the batch that goes out next.
   *
   * @param call What the caller does, for an error's message
   * @param type The message's type
   * @param payload Its payload
   * @returns The batch
   * @throws {TrackerError} BUFFER_FULL, or STATE_TOO_LARGE when the dialect cannot carry the payload
   */
  add(call: string, type: MessageType, payload?: Uint8Array): Batch {
    const size = this.#encoder.sizeOf(type, payload);
    const buffer = this.#buffer;
    // A Close ends the waiting of all the others, so it is always let through.
    if (buffer.length + size > MAX_PENDING_BYTES && buffer.length !== 0 && type !== CLOSE) {
      const why = `the server does not read, and ${buffer.length} bytes wait already`;
      throw new TrackerError("BUFFER_FULL", `Cannot ${call}: ${why}; wait for earlier calls before making more`);
    }
    buffer.reserve(size);
    buffer.length = this.#encoder.encodeInto(buffer.bytes, buffer.length, type, payload);
    this.#batch ??= createBatch();
    if (this.#state === "idle") {
      this.#state = "writing";
      // A microtask later every call of this turn has added its message.
      queueMicrotask(() => void this.#write());
    }
    return this.#batch;
  }

  /**
   * Sends nothing more.
   *
   * @param error What the batch being gathered rejects with
   */
  close(error: TrackerError): void {
    this.#state = "closed";
    this.#batch?.reject(error);
    this.#batch = null;
  }

  /** Writes batches until none is left. Two buffers take turns: one is written while the other gathers. */
  async #write(): Promise<void> {
    let spare = new ByteBuffer(0);
    while (this.#batch !== null && this.#state === "writing") {
      const batch = this.#batch;
      const buffer = this.#buffer;
      this.#batch = null;
      this.#buffer = spare;
      this.sentAt = performance.now();
      try {
        await writeAll(this.#duplex, buffer.gathered);
        batch.resolve();
      } catch (cause) {
        batch.reject(await this.#explain(cause));
      }
      buffer.length = 0;
      spare = buffer;
    }
    if (this.#state === "writing") this.#state = "idle";
  }
}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // A broken connection must not become an unhandled rejection of senders that do not wait.
  promise.catch(ignore);
  return { written: promise, resolve, reject };
}
