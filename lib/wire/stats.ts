/**
 * The JSON of the reply to a Stats.
 *
 * @module
 */

import { badReply } from "./bad_reply.ts";
import { type Check, isNumber, isObject, isString, misfit, parseObject, type Shape } from "./json.ts";

/** Upper bounds of a histogram's buckets, in milliseconds; one more bucket counts what is above the last. */
export const HISTOGRAM_BOUNDS: readonly number[] = [1, 10, 100, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];

/** Distribution of a duration. */
export interface Histogram {
  /** Upper bounds of the buckets, in milliseconds. */
  bounds: readonly number[];
  /** Durations in each bucket; the last bucket is for those above every bound. */
  counts: number[];
  /** Durations in all. */
  count: number;
  /** Their sum, in milliseconds. */
  sum: number;
}

/** Counters of a server since it started, and what it holds now. */
export interface Stats {
  /** The server's version. */
  version: string;
  /** Its incarnation. */
  incarnation: string;
  /** Time since it started, in milliseconds. */
  uptime: number;
  /** The map's revision. */
  revision: number;
  /** What it holds now. */
  now: {
    /** Connections, including those that are being refused or closed. */
    connections: number;
    /** Connections among them that have not shown a token, where one is needed. */
    unauthorized: number;
    /** Clients in the map. */
    clients: number;
    /** Clients in the map whose connection has ended. */
    suspects: number;
    /** Connections that watch. */
    watchers: number;
    /** Total size of all states, in bytes. */
    stateBytes: number;
  };
  /** Connections accepted. */
  accepted: number;
  /** Messages by dialect and type; those that never came have no member. */
  messages: Record<string, Record<string, number>>;
  /** Bytes received, and bytes that the system has accepted for sending. */
  bytes: { received: number; sent: number };
  /** Failed TLS handshakes. */
  tlsErrors: number;
  /** Error replies by code. */
  errors: Record<string, number>;
  /** Refusals by the limit that was reached. */
  refused: Record<string, number>;
  /** Changes that watchers were not sent because they fell behind. */
  conflated: number;
  /** How late the server's own timer fired, in milliseconds: the last time, and at worst. */
  lag: { last: number; worst: number };
  /**
   * How long ghosts stay in the map: for clients that lost their connection or fell silent, the time from their last
   * sign of life, or the connection's end, to their leave.
   */
  ghost: Histogram;
}

const isCounts: Check = (value) => isObject(value) && Object.values(value).every(isNumber);

const isNumbers: Check = (value) => Array.isArray(value) && value.every(isNumber);

/** The members of a report. The compiler ensures that none of {@linkcode Stats} is left out. */
const SHAPE: Shape<Stats> = {
  version: isString,
  incarnation: isString,
  uptime: isNumber,
  revision: isNumber,
  now: {
    connections: isNumber,
    unauthorized: isNumber,
    clients: isNumber,
    suspects: isNumber,
    watchers: isNumber,
    stateBytes: isNumber,
  },
  accepted: isNumber,
  messages: (value) => isObject(value) && Object.values(value).every(isCounts),
  bytes: { received: isNumber, sent: isNumber },
  tlsErrors: isNumber,
  errors: isCounts,
  refused: isCounts,
  conflated: isNumber,
  lag: { last: isNumber, worst: isNumber },
  ghost: { bounds: isNumbers, counts: isNumbers, count: isNumber, sum: isNumber },
};

/**
 * Parses the JSON of the reply to a Stats.
 *
 * @param bytes The payload
 * @returns The report; unknown members are kept
 * @throws {TrackerError} BAD_REPLY when a member is missing or of a wrong type
 */
export function parseStats(bytes: Uint8Array): Stats {
  const json = parseObject("report", bytes, "BAD_REPLY");
  const wrong = misfit(json, SHAPE);
  if (wrong === null) return json as unknown as Stats;
  throw badReply(`the report's ${wrong} is missing or of a wrong type`);
}
