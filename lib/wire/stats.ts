/**
 * The report that answers a Stats.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { isNumber, isObject, isString, parseObject } from "./json.ts";

/** Upper bounds of a histogram's buckets, in milliseconds; one more bucket holds what is above the last. */
export const HISTOGRAM_BOUNDS: readonly number[] = [1, 10, 100, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];

/** How often a duration fell between two bounds. */
export interface Histogram {
  /** Upper bounds of the buckets, in milliseconds. */
  bounds: readonly number[];
  /** How many were in each bucket; the last one is for those above every bound. */
  counts: number[];
  /** How many there were in all. */
  count: number;
  /** Their sum, in milliseconds. */
  sum: number;
}

/** What a server has counted since it started, and what it holds now. */
export interface Stats {
  /** The server's version. */
  version: string;
  /** Its incarnation. */
  incarnation: string;
  /** How long it has been running, in milliseconds. */
  uptime: number;
  /** The map's revision. */
  revision: number;
  /** What there is at present. */
  now: {
    /** Connections, those that are just being told goodbye or no included. */
    connections: number;
    /** Clients in the map. */
    clients: number;
    /** Clients in the map whose connection has ended. */
    suspects: number;
    /** Connections that watch. */
    watchers: number;
    /** Bytes of all states together. */
    stateBytes: number;
  };
  /** Connections accepted. */
  accepted: number;
  /** Messages, by dialect and type; of a dialect or type that never came there is no member. */
  messages: Record<string, Record<string, number>>;
  /** Bytes that have come, and that the system has taken. */
  bytes: { received: number; sent: number };
  /** Connections that came to no agreement on TLS. */
  tlsErrors: number;
  /** Error replies, by code. */
  errors: Record<string, number>;
  /** Refusals, by the limit that was reached. */
  refused: Record<string, number>;
  /** Changes that watchers were not told because they fell behind. */
  conflated: number;
  /** How late the server's own timer woke, in milliseconds: last, and at worst. */
  lag: { last: number; worst: number };
  /**
   * For clients whose connection ended or who fell silent: the time from when they were last heard of, which the end of
   * a connection is too, to their leaving the map. It is how long a ghost was in the map.
   */
  ghost: Histogram;
}

/** How each member of a type must look: a check for each value, and the same for each object inside. */
type Shape<T> = { readonly [K in keyof T]: Check | (T[K] extends readonly unknown[] ? never : Shape<T[K]>) };

type Check = (value: unknown) => boolean;

const isCounts: Check = (value) => isObject(value) && Object.values(value).every(isNumber);

const isNumbers: Check = (value) => Array.isArray(value) && value.every(isNumber);

/** What a report must have. The compiler sees to it that no member of {@linkcode Stats} is left out. */
const SHAPE: Shape<Stats> = {
  version: isString,
  incarnation: isString,
  uptime: isNumber,
  revision: isNumber,
  now: { connections: isNumber, clients: isNumber, suspects: isNumber, watchers: isNumber, stateBytes: isNumber },
  accepted: isNumber,
  messages: (value) => isObject(value) && Object.values(value).every(isCounts),
  bytes: { received: isNumber, sent: isNumber },
  // Servers before TLS do not count them.
  tlsErrors: (value) => value === undefined || isNumber(value),
  errors: isCounts,
  refused: isCounts,
  conflated: isNumber,
  lag: { last: isNumber, worst: isNumber },
  ghost: { bounds: isNumbers, counts: isNumbers, count: isNumber, sum: isNumber },
};

/**
 * Parses the JSON that answers a Stats.
 *
 * @param bytes The payload
 * @returns What the server counts; members of a later version are kept
 * @throws {TrackerError} BAD_REPLY when it is none
 */
export function parseStats(bytes: Uint8Array): Stats {
  const json = parseObject("report", bytes, "BAD_REPLY");
  const wrong = misfit(json, SHAPE, "");
  if (wrong === null) return json as unknown as Stats;
  throw new TrackerError("BAD_REPLY", `Cannot parse reply: the report's ${wrong} is missing or of a wrong type`);
}

/** The path of the first member that is not as it must be; `null` when all are. */
function misfit(value: unknown, shape: object, path: string): string | null {
  if (!isObject(value)) return path;
  for (const [key, rule] of Object.entries(shape) as [string, Check | object][]) {
    const member = Object.hasOwn(value, key) ? value[key] : undefined;
    const memberPath = path === "" ? key : `${path}.${key}`;
    const wrong = typeof rule === "function"
      ? (rule as Check)(member) ? null : memberPath
      : misfit(member, rule, memberPath);
    if (wrong !== null) return wrong;
  }
  return null;
}
