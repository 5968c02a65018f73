/**
 * The records of a List, as the client that asked reads them.
 *
 * @module
 */

import { type Status, STATUSES } from "../protocol.ts";
import { PayloadReader } from "./payload_reader.ts";

/** A client in a list. */
export interface ListRecord {
  /** Its identifier. */
  id: string;
  /** Whether it is connected. */
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

/** The reply to a List. */
export interface ListReply {
  /** The map's revision that the records show. */
  revision: number;
  /** The clients, in the order they opened. */
  records: ListRecord[];
}

/**
 * Decodes the reply to a List.
 *
 * @param payload The reply without its length
 * @param note Called with each record and the offset after it, for callers that show where its bytes are
 * @returns The revision and the records; their states are copies
 * @throws {TrackerError} BAD_REPLY when the bytes are not a list
 */
export function decodeList(payload: Uint8Array, note?: (record: ListRecord, end: number) => void): ListReply {
  const reader = new PayloadReader(payload);
  const revision = reader.u64();
  const records: ListRecord[] = [];
  while (!reader.isAtEnd) {
    const record = decodeRecord(reader);
    records.push(record);
    note?.(record, reader.position);
  }
  return { revision, records };
}

function decodeRecord(reader: PayloadReader): ListRecord {
  return {
    id: reader.text(),
    status: reader.oneOf(STATUSES),
    revision: reader.u64(),
    openedAt: reader.time(),
    updatedAt: reader.time(),
    state: reader.state(),
  };
}
