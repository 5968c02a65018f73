/**
 * The records of a List, as the client that asked reads them.
 *
 * @module
 */

import { type Status, STATUSES } from "../protocol.ts";
import { type ClientDetails, parseDetails } from "./details.ts";
import { DETAILS_SIZE } from "./list_writer.ts";
import { badReply } from "./bad_reply.ts";
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
  /** What is known of it besides, if that was asked for. */
  details?: ClientDetails;
}

/** The reply to a List. */
export interface ListReply {
  /** The map's revision that the records show. */
  revision: number;
  /** The clients, in the order they opened; on a page in order of identifier. */
  records: ListRecord[];
}

/** How a List was asked for, as far as that changes its records. */
export interface ListFormat {
  /** Whether there are details after each state. */
  hasDetails?: boolean;
}

/**
 * Decodes the reply to a List or a Fetch.
 *
 * @param payload The reply without its length
 * @param note Called with each record and the offset after it, for callers that show where its bytes are
 * @param format What is in it
 * @returns The revision and the records; their states are copies
 * @throws {TrackerError} BAD_REPLY when the bytes are not a list
 */
export function decodeList(
  payload: Uint8Array,
  note?: (record: ListRecord, end: number) => void,
  format: ListFormat = {},
): ListReply {
  const reader = new PayloadReader(payload);
  const revision = reader.u64();
  const records: ListRecord[] = [];
  while (!reader.isAtEnd) {
    const record = decodeRecord(reader);
    if (format.hasDetails) record.details = parseDetails(reader.bytes(DETAILS_SIZE));
    records.push(record);
    note?.(record, reader.position);
  }
  return { revision, records };
}

/**
 * Decodes the reply to a List that asked for the number only.
 *
 * @param payload The reply without its length
 * @returns The number
 * @throws {TrackerError} BAD_REPLY when it is anything else
 */
export function decodeCount(payload: Uint8Array): number {
  const reader = new PayloadReader(payload);
  const count = reader.u64();
  if (reader.isAtEnd) return count;
  throw badReply("there is more than a number");
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
