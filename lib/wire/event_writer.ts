/**
 * Events to bytes, as a watcher reads them.
 *
 * @module
 */

import type { EventEncoder } from "../feed/event_encoder.ts";
import { EVENT_KINDS, type EventKind, LEAVE_CAUSES, type LeaveCause } from "../protocol.ts";
import { type EncodableClient, FrameBuffer } from "./frame_buffer.ts";

/** Bytes of an event's kind, revision and identifier length. */
const EVENT_HEADER = 11;

/** Bytes of a *present* besides header, identifier and state: status, three times, state length. */
const PRESENT_OVERHEAD = 1 + 3 * 8 + 4;

/** Most bytes that a character of a string takes in UTF-8. */
const MOST_PER_CHARACTER = 3;

/** Encodes frames of events. One writer makes one frame after another, in the same memory. */
export class EventWriter implements EventEncoder {
  readonly #frame = new FrameBuffer();
  #count = 0;

  /** Number of events in the frame. */
  get count(): number {
    return this.#count;
  }

  /** Size of the frame in bytes, the length in front included. */
  get length(): number {
    return this.#frame.length;
  }

  /** Adds the beginning of a snapshot: whatever was known before is to be forgotten. */
  snapshot(revision: number): void {
    this.#event("snapshot", revision, 2);
    this.#frame.u16(0);
  }

  /** Adds a client of the snapshot. */
  present(client: EncodableClient): void {
    this.#clientEvent("present", client.revision, client, PRESENT_OVERHEAD + client.stateLength);
    this.#frame.status(client);
    this.#frame.u64(client.openedAt);
    this.#frame.u64(client.updatedAt);
    this.#frame.u64(client.until ?? 0);
    this.#frame.state(client);
  }

  /** Adds the end of the snapshot. */
  synced(revision: number, incarnation: string): void {
    this.#event("synced", revision, 1 + incarnation.length);
    this.#frame.u16(0);
    this.#frame.ascii(incarnation);
  }

  /** Adds a client's join, or its new state. */
  state(kind: "join" | "update", revision: number, client: EncodableClient): void {
    this.#clientEvent(kind, revision, client, 4 + client.stateLength);
    this.#frame.state(client);
  }

  /** Adds a Put. */
  set(revision: number, client: EncodableClient): void {
    this.#clientEvent("set", revision, client, 8 + 4 + client.stateLength);
    this.#frame.u64(client.until ?? 0);
    this.#frame.state(client);
  }

  /** Adds a client's loss of its connection, or its return. */
  status(kind: "suspect" | "resume", revision: number, client: EncodableClient): void {
    this.#clientEvent(kind, revision, client, 0);
  }

  /** Adds a client's leave. */
  leave(revision: number, id: string, cause: LeaveCause): void {
    this.#event("leave", revision, id.length * MOST_PER_CHARACTER + 1);
    this.#frame.text(id);
    this.#frame.byte(LEAVE_CAUSES.indexOf(cause));
  }

  /** Adds the answer to a Ping. */
  pong(revision: number): void {
    this.#event("pong", revision, 0);
    this.#frame.u16(0);
  }

  /**
   * Ends the frame, and starts the next.
   *
   * @returns Its bytes, length in front, in memory of their own
   */
  finish(): Uint8Array<ArrayBuffer> {
    this.#count = 0;
    return this.#frame.finish();
  }

  #clientEvent(kind: EventKind, revision: number, client: EncodableClient, rest: number): void {
    this.#event(kind, revision, client.idLength + rest);
    this.#frame.id(client);
  }

  /** Begins an event, with room for the header and for what follows it. */
  #event(kind: EventKind, revision: number, rest: number): void {
    this.#frame.reserve(EVENT_HEADER + rest);
    this.#frame.byte(EVENT_KINDS[kind]);
    this.#frame.u64(revision);
    this.#count++;
  }
}
