/**
 * Records to bytes, as a List is answered.
 *
 * @module
 */

import { writeU64 } from "../base/bytes.ts";
import { LONG_LENGTH_SIZE } from "../protocol.ts";
import { type DivisibleClient, type EncodableClient, FrameBuffer } from "./frame_buffer.ts";

/** Bytes of a record besides its identifier and state: identifier length, status, revision, two times, state length. */
const RECORD_OVERHEAD = 2 + 1 + 8 + 8 + 8 + 4;

/** Bytes of the JSON of a client's details, padded with spaces: a list's length is known before it is made. */
export const DETAILS_SIZE = 256;

/** Bytes of a list before its records. */
const REVISION_SIZE = 8;

/**
 * Computes the length of a list.
 *
 * @param count How many clients are in it
 * @param bytes Total length of their identifiers and states, in bytes
 * @param hasDetails Whether their details are in it
 * @returns The length without that in front of it, in bytes
 */
export function listLength(count: number, bytes: number, hasDetails = false): number {
  return REVISION_SIZE + (RECORD_OVERHEAD + (hasDetails ? DETAILS_SIZE : 0)) * count + bytes;
}

/**
 * Encodes the reply to a List that asks for the number only.
 *
 * @param count The number of clients
 * @returns The reply: a length, and the number in eight bytes
 */
export function encodeCount(count: number): Uint8Array {
  const reply = new Uint8Array(2 * LONG_LENGTH_SIZE);
  return reply.subarray(0, writeU64(reply, writeU64(reply, 0, LONG_LENGTH_SIZE), count));
}

/** Encodes replies to a List. One writer makes one list after another, or one piece after another, in the same memory. */
export class ListWriter {
  readonly #frame = new FrameBuffer();

  /** How many bytes there are since the list began, or since the last piece. */
  get length(): number {
    return this.#frame.length - LONG_LENGTH_SIZE;
  }

  /** Begins a list: its revision goes before the records. */
  begin(revision: number): void {
    this.#frame.reserve(REVISION_SIZE);
    this.#frame.u64(revision);
  }

  /** Adds a client's record. */
  record(client: EncodableClient): void {
    this.recordHead(client, client.stateLength);
    this.#frame.stateBytes(client);
  }

  /** Adds a client's record up to its state, and makes room for so much of that. */
  recordHead(client: EncodableClient, room = 0): void {
    const frame = this.#frame;
    frame.reserve(RECORD_OVERHEAD + client.idLength + room);
    frame.id(client);
    frame.status(client);
    frame.u64(client.revision);
    frame.u64(client.openedAt);
    frame.u64(client.updatedAt);
    frame.stateLength(client);
  }

  /** Adds `count` bytes of a client's state, from its byte `from` on. */
  statePart(client: DivisibleClient, from: number, count: number): void {
    this.#frame.reserve(count);
    this.#frame.statePart(client, from, count);
  }

  /** Adds a client's details, after its state. */
  details(json: Uint8Array): void {
    this.#frame.reserve(DETAILS_SIZE);
    this.#frame.padded(json, DETAILS_SIZE);
  }

  /**
   * Ends the list, and makes ready for the next.
   *
   * @param length Its {@linkcode listLength} if this is only its first piece
   * @param target Where to put its bytes, if they fit
   * @returns Its bytes, length in front, in memory of their own or in the target
   */
  finish(length?: number, target?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return this.#frame.finish(length, target);
  }

  /**
   * Takes another piece of the list.
   *
   * @param target Where to put its bytes, if they fit
   * @returns Its bytes, in memory of their own or in the target
   */
  take(target?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return this.#frame.take(target);
  }
}
