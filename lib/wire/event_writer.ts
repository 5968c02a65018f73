/**
 * How events and records are laid out inside a frame or a list: the codec's part for the extensions. Like the rest of
 * the codec it is pure.
 *
 * A frame is 8 bytes of length and one or more events; a list is its revision and a record for each client.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { EVENT_KINDS, type EventKind, LEAVE_CAUSES, type LeaveCause, type Status, STATUSES } from "../protocol.ts";

/** What a watcher is told of one client, or of the watch itself. */
export type WatchEvent =
  /** A client that was in the map when the watch began. */
  | { kind: "present"; revision: number; id: string; status: Status; state: Uint8Array }
  /** All that was there has been told; what follows happens now. */
  | { kind: "synced"; revision: number; incarnation: string }
  /** A client has entered the map. */
  | { kind: "join"; revision: number; id: string; state: Uint8Array }
  /** A client has a new state. */
  | { kind: "update"; revision: number; id: string; state: Uint8Array }
  /** A client's connection has ended, and its name is kept for a while. */
  | { kind: "suspect"; revision: number; id: string }
  /** A suspect client is back. */
  | { kind: "resume"; revision: number; id: string }
  /** A client has left the map. */
  | { kind: "leave"; revision: number; id: string; cause: LeaveCause }
  /** The answer to a Ping. */
  | { kind: "pong"; revision: number };

/** One client, as a List tells of it. */
export interface ListRecord {
  /** Its identifier. */
  id: string;
  /** Whether its connection lasts. */
  status: Status;
  /** The map's revision at its last change. */
  revision: number;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  updatedAt: number;
  /** Its state. */
  state: Uint8Array;
}

/** What answers a List. */
export interface ListReply {
  /** The map's revision that the records show. */
  revision: number;
  /** The clients, in the order they opened. */
  records: ListRecord[];
}

/** Bytes of the length in front of a frame or list. */
const LENGTH_SIZE = 8;

/** Bytes of an event's kind, revision and identifier length. */
const EVENT_HEADER = 11;

/** Bytes of a record besides its identifier and state: identifier length, status, revision, two times, state length. */
const RECORD_OVERHEAD = 2 + 1 + 8 + 8 + 8 + 4;

/** First size of a builder's buffer, in bytes. */
const SMALLEST_BUILDER = 4_096;

/** A buffer that has grown beyond this is not kept for the next frame, in bytes. */
const KEPT_BUILDER = 1_048_576;

/** A client as a frame or list tells of it. An entry of the registry is one. */
export interface FramedClient {
  /** Whether its connection lasts. */
  readonly status: Status;
  /** The map's revision at its last change. */
  readonly revision: number;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  readonly updatedAt: number;
  /** The identifier's length in UTF-8, in bytes. */
  readonly idLength: number;
  /** The state's length, in bytes. */
  readonly stateLength: number;
  /** Copies the identifier to a place, and returns the offset after it. */
  writeId(target: Uint8Array, at: number): number;
  /** Copies the state to a place, and returns the offset after it. */
  writeState(target: Uint8Array, at: number): number;
}

const encoder = new TextEncoder();

/** Writes frames and lists. One builder writes one after another, and keeps its buffer for the next. */
export class EventWriter {
  #bytes = new Uint8Array(SMALLEST_BUILDER);
  #view = new DataView(this.#bytes.buffer);
  #at = LENGTH_SIZE;
  #events = 0;

  /** How many events or records it holds. */
  get count(): number {
    return this.#events;
  }

  /** How many bytes it holds, the length in front included. */
  get length(): number {
    return this.#at;
  }

  /** Adds a client of the snapshot. */
  present(client: FramedClient): void {
    this.#event("present", client.revision, client, 5 + client.stateLength);
    this.#bytes[this.#at++] = STATUSES.indexOf(client.status);
    this.#state(client);
  }

  /** Adds the end of the snapshot. */
  synced(revision: number, incarnation: string): void {
    this.#event("synced", revision, null, 1 + incarnation.length);
    this.#bytes[this.#at++] = incarnation.length;
    this.#text(incarnation);
  }

  /** Adds a client's entering, or its new state. */
  state(kind: "join" | "update", revision: number, client: FramedClient): void {
    this.#event(kind, revision, client, 4 + client.stateLength);
    this.#state(client);
  }

  /** Adds a client's loss of its connection, or its return. */
  status(kind: "suspect" | "resume", revision: number, client: FramedClient): void {
    this.#event(kind, revision, client, 0);
  }

  /** Adds a client's leaving. */
  leave(revision: number, id: string, cause: LeaveCause): void {
    // A character of a string takes up to three bytes in UTF-8.
    this.#event("leave", revision, null, id.length * 3 + 1);
    const { written } = encoder.encodeInto(id, this.#bytes.subarray(this.#at));
    this.#view.setUint16(this.#at - 2, written);
    this.#at += written;
    this.#bytes[this.#at++] = LEAVE_CAUSES.indexOf(cause);
  }

  /** Adds the answer to a Ping. */
  pong(revision: number): void {
    this.#event("pong", revision, null, 0);
  }

  /** Begins a list: its revision goes before the records. */
  beginList(revision: number): void {
    this.#reserve(8);
    this.#long(revision);
  }

  /** Adds a client's record to a list. */
  record(client: FramedClient): void {
    this.#reserve(RECORD_OVERHEAD + client.idLength + client.stateLength);
    this.#id(client);
    this.#bytes[this.#at++] = STATUSES.indexOf(client.status);
    this.#long(client.revision);
    this.#long(client.openedAt);
    this.#long(client.updatedAt);
    this.#state(client);
    this.#events++;
  }

  /**
   * Ends the frame or list, and makes ready for the next.
   *
   * @returns Its bytes, length in front, in memory of their own
   */
  finish(): Uint8Array<ArrayBuffer> {
    const end = this.#at;
    this.#at = 0;
    this.#long(end - LENGTH_SIZE);
    const bytes = this.#bytes.slice(0, end);
    if (this.#bytes.length > KEPT_BUILDER) this.#resize(SMALLEST_BUILDER);
    this.#at = LENGTH_SIZE;
    this.#events = 0;
    return bytes;
  }

  #event(kind: EventKind, revision: number, client: FramedClient | null, rest: number): void {
    this.#reserve(EVENT_HEADER + (client === null ? 0 : client.idLength) + rest);
    this.#bytes[this.#at++] = EVENT_KINDS[kind];
    this.#long(revision);
    if (client !== null) {
      this.#id(client);
    } else {
      this.#view.setUint16(this.#at, 0);
      this.#at += 2;
    }
    this.#events++;
  }

  #id(client: FramedClient): void {
    this.#view.setUint16(this.#at, client.idLength);
    this.#at = client.writeId(this.#bytes, this.#at + 2);
  }

  #state(client: FramedClient): void {
    this.#view.setUint32(this.#at, client.stateLength);
    this.#at = client.writeState(this.#bytes, this.#at + 4);
  }

  /** A text of ASCII characters, which is what incarnations are made of. */
  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
  }

  /** An integer of up to 53 bits. */
  #long(value: number): void {
    this.#view.setUint32(this.#at, Math.floor(value / 2 ** 32));
    this.#view.setUint32(this.#at + 4, value >>> 0);
    this.#at += 8;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, this.#bytes.length * 2));
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, Math.min(this.#at, size)));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/**
 * Reads the events of a frame.
 *
 * @param payload What follows the frame's length
 * @param note Called with each event and the offset after it, for whoever shows where its bytes are
 * @returns The events, in order; their states are copies
 * @throws {TrackerError} BAD_REPLY when the bytes are no events
 */
export function decodeEvents(payload: Uint8Array, note?: (event: WatchEvent, end: number) => void): WatchEvent[] {
  const reader = new Reader(payload);
  const events: WatchEvent[] = [];
  while (!reader.atEnd) {
    const event = decodeEvent(reader);
    events.push(event);
    note?.(event, reader.position);
  }
  return events;
}

function decodeEvent(reader: Reader): WatchEvent {
  const kind = reader.byte();
  const revision = reader.long();
  const id = reader.text(reader.short());
  switch (kind) {
    case EVENT_KINDS.present:
      return { kind: "present", revision, id, status: reader.oneOf(STATUSES), state: reader.state() };
    case EVENT_KINDS.synced:
      return { kind: "synced", revision, incarnation: reader.text(reader.byte()) };
    case EVENT_KINDS.join:
      return { kind: "join", revision, id, state: reader.state() };
    case EVENT_KINDS.update:
      return { kind: "update", revision, id, state: reader.state() };
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

/**
 * Reads the reply to a List.
 *
 * @param payload What follows the list's length
 * @param note Called with each record and the offset after it, for whoever shows where its bytes are
 * @returns The revision and the records; their states are copies
 * @throws {TrackerError} BAD_REPLY when the bytes are no list
 */
export function decodeList(payload: Uint8Array, note?: (record: ListRecord, end: number) => void): ListReply {
  const reader = new Reader(payload);
  const revision = reader.long();
  const records: ListRecord[] = [];
  while (!reader.atEnd) {
    const record = decodeRecord(reader);
    records.push(record);
    note?.(record, reader.position);
  }
  return { revision, records };
}

function decodeRecord(reader: Reader): ListRecord {
  return {
    id: reader.text(reader.short()),
    status: reader.oneOf(STATUSES),
    revision: reader.long(),
    openedAt: reader.long(),
    updatedAt: reader.long(),
    state: reader.state(),
  };
}

/** Walks over bytes that somebody else wrote, and never beyond their end. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** An identifier may begin with a byte order mark like any other character. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The offset of what is read next. */
  get position(): number {
    return this.#at;
  }

  byte(): number {
    return this.#view.getUint8(this.#step(1));
  }

  short(): number {
    return this.#view.getUint16(this.#step(2));
  }

  long(): number {
    const value = this.#view.getBigUint64(this.#step(8));
    if (value > Number.MAX_SAFE_INTEGER) throw badReply(`the number ${value} is too large`);
    return Number(value);
  }

  text(length: number): string {
    const start = this.#step(length);
    return this.#decoder.decode(this.#bytes.subarray(start, start + length));
  }

  state(): Uint8Array {
    const length = this.#view.getUint32(this.#step(4));
    const start = this.#step(length);
    return this.#bytes.slice(start, start + length);
  }

  oneOf<T>(values: readonly T[]): T {
    const byte = this.byte();
    const value = values[byte];
    if (value === undefined) throw badReply(`${byte} is none of ${values.join(", ")}`);
    return value;
  }

  #step(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw badReply("its last part is cut off");
    this.#at += count;
    return start;
  }
}

function badReply(why: string): TrackerError {
  return new TrackerError("BAD_REPLY", `Cannot parse reply: ${why}`);
}
