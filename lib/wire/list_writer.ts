/**
 * Records to bytes, as a List is answered.
 *
 * @module
 */

import { type EncodableClient, FrameBuffer } from "./frame_buffer.ts";

/** Bytes of a record besides its identifier and state: identifier length, status, revision, two times, state length. */
const RECORD_OVERHEAD = 2 + 1 + 8 + 8 + 8 + 4;

/** Encodes replies to a List. One writer makes one list after another, in the same memory. */
export class ListWriter {
  readonly #frame = new FrameBuffer();

  /** Begins a list: its revision goes before the records. */
  begin(revision: number): void {
    this.#frame.reserve(8);
    this.#frame.u64(revision);
  }

  /** Adds a client's record. */
  record(client: EncodableClient): void {
    const frame = this.#frame;
    frame.reserve(RECORD_OVERHEAD + client.idLength + client.stateLength);
    frame.id(client);
    frame.status(client);
    frame.u64(client.revision);
    frame.u64(client.openedAt);
    frame.u64(client.updatedAt);
    frame.state(client);
  }

  /**
   * Ends the list, and makes ready for the next.
   *
   * @returns Its bytes, length in front, in memory of their own
   */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#frame.finish();
  }
}
