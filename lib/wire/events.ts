/**
 * The events of a frame, as a watcher reads them.
 *
 * @module
 */

import { EVENT_KINDS, LEAVE_CAUSES, type LeaveCause, type Status, STATUSES } from "../protocol.ts";
import { badReply } from "./bad_reply.ts";
import { PayloadReader } from "./payload_reader.ts";

/** An event of a frame: what happened to a client, or to the watch itself. */
export type WatchEvent =
  /** A snapshot follows: whatever was known before is to be forgotten. */
  | { kind: "snapshot"; revision: number }
  /** A client is in the map. It comes again, with its latest state, if it changes before the snapshot is complete. */
  | {
    kind: "present";
    revision: number;
    id: string;
    status: Status;
    /** When it opened, in milliseconds since 1970-01-01 UTC. */
    openedAt: number;
    /** When its state was last set, likewise. */
    updatedAt: number;
    /** Until when it stays without a connection, likewise; 0 if it has one. */
    until: number;
    state: Uint8Array;
  }
  /** The snapshot is complete; what follows happens from now on. */
  | { kind: "synced"; revision: number; incarnation: string }
  /** A client has entered the map. */
  | { kind: "join"; revision: number; id: string; state: Uint8Array }
  /** A client has a new state. */
  | { kind: "update"; revision: number; id: string; state: Uint8Array }
  /** An entry without a connection was set, whether it is new or replaces another of its name. */
  | {
    kind: "set";
    revision: number;
    id: string;
    /** Until when it stays, in milliseconds since 1970-01-01 UTC. */
    until: number;
    state: Uint8Array;
  }
  /** A client's connection has ended, and its name is kept for a while. */
  | { kind: "suspect"; revision: number; id: string }
  /** A client that was suspect or detached has a connection. */
  | { kind: "resume"; revision: number; id: string }
  /** A client has left the map. */
  | { kind: "leave"; revision: number; id: string; cause: LeaveCause }
  /** The answer to a Ping. */
  | { kind: "pong"; revision: number };

/** Most events that a frame may have: an event takes far more memory than its bytes. */
const MAX_EVENTS = 65_536;

/**
 * Decodes the events of a frame.
 *
 * @param payload The frame without its length
 * @param note Called with each event and the offset after it, for callers that show where its bytes are
 * @returns The events, in order; their states are copies
 * @throws {TrackerError} BAD_REPLY when the bytes are not events, or too many
 */
export function decodeEvents(payload: Uint8Array, note?: (event: WatchEvent, end: number) => void): WatchEvent[] {
  const reader = new PayloadReader(payload);
  const events: WatchEvent[] = [];
  while (!reader.isAtEnd) {
    if (events.length === MAX_EVENTS) throw badReply(`a frame has more than ${MAX_EVENTS} events`);
    const event = decodeEvent(reader);
    events.push(event);
    note?.(event, reader.position);
  }
  return events;
}

function decodeEvent(reader: PayloadReader): WatchEvent {
  const kind = reader.byte();
  const revision = reader.u64();
  const id = reader.text();
  switch (kind) {
    case EVENT_KINDS.present:
      return { kind: "present", revision, id, ...decodePresent(reader) };
    case EVENT_KINDS.snapshot:
      return { kind: "snapshot", revision };
    case EVENT_KINDS.synced:
      return { kind: "synced", revision, incarnation: reader.ascii() };
    case EVENT_KINDS.join:
      return { kind: "join", revision, id, state: reader.state() };
    case EVENT_KINDS.update:
      return { kind: "update", revision, id, state: reader.state() };
    case EVENT_KINDS.set:
      return { kind: "set", revision, id, until: reader.time(), state: reader.state() };
    case EVENT_KINDS.suspect:
      return { kind: "suspect", revision, id };
    case EVENT_KINDS.resume:
      return { kind: "resume", revision, id };
    case EVENT_KINDS.leave:
      return { kind: "leave", revision, id, cause: reader.oneOf(LEAVE_CAUSES) };
    case EVENT_KINDS.pong:
      return { kind: "pong", revision };
  }
  throw badReply(`an event of kind ${kind} does not exist`);
}

function decodePresent(
  reader: PayloadReader,
): Pick<WatchEvent & { kind: "present" }, "status" | "openedAt" | "updatedAt" | "until" | "state"> {
  return {
    status: reader.oneOf(STATUSES),
    openedAt: reader.time(),
    updatedAt: reader.time(),
    until: reader.time(),
    state: reader.state(),
  };
}
