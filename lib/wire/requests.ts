/**
 * The JSON of a Hello, a Watch and a List, and of the reply to a Hello.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Position } from "../map/position.ts";
import {
  HEARTBEAT_RANGE,
  HIGHEST_MAX_STATE,
  INCARNATION_PATTERN,
  LONGEST_GRACE,
  MAX_REQUEST,
  NAME_PATTERN,
  type Status,
  STATUSES,
} from "../protocol.ts";
import { badReply } from "./bad_reply.ts";
import {
  type Check,
  encodeJson,
  isNumber,
  isString,
  misfit,
  parseObject,
  parseRequest,
  type Rule,
  type Rules,
  type Shape,
} from "./json.ts";
import { COUNT, FLAG, INSTANCE, NAME, POSITION, seconds, TEXT } from "./rules.ts";

export type { Position };

/** The JSON of a Hello. */
export interface HelloRequest {
  /** Identifier that the client wants; it must match {@linkcode NAME_PATTERN}. */
  name?: string;
  /** Token that says who the client is, for a server that requires one. */
  token?: string;
  /** Longest silence that the client promises to keep, in seconds: from 1 to 3,600. */
  heartbeat?: number;
  /** How long a named client's entry stays after an end without a Close, in seconds: from 0 to 86,400. */
  grace?: number;
  /** Whether to take the name from another connection that has it. */
  takeover?: boolean;
  /** Key from an earlier Hello's reply, which takes the name back from that connection without a leave. */
  resume?: string;
  /**
   * Random string that tells a client, the same for all its connections; it must match {@linkcode INSTANCE_PATTERN}. It
   * takes the name back from an earlier connection of the client, whether or not the reply to its Hello arrived.
   */
  instance?: string;
  /** Number of the connection among those that the client tried: a lower one never takes the name from a higher. */
  attempt?: number;
}

/** A part of the JSON of a List and of a Watch. */
export interface PrefixRequest {
  /** Select only clients whose identifier begins with this. */
  prefix?: string;
}

/**
 * The JSON of a List. With `limit` or `after` the reply is a page: in order of identifier, as they are at that time.
 */
export interface ListRequest extends PrefixRequest {
  /** Select only clients of this status. */
  status?: Status;
  /** Longest page, in clients. */
  limit?: number;
  /** Select only clients whose identifier comes after this, in the order of UTF-16 code units. */
  after?: string;
  /** Send only the number, in eight bytes. */
  count?: boolean;
  /** Send after each state what is known of the client besides: see `ClientDetails`. */
  details?: boolean;
}

/** The JSON of a Watch. */
export interface WatchRequest extends PrefixRequest {
  /** Where an earlier watch ended: send what has happened since then instead of a snapshot. */
  since?: Position;
}

/** The JSON of the reply to a Hello. */
export interface Greeting {
  /** Kind of server: `"tracker"`. */
  server: string;
  /** The server's version. */
  version: string;
  /** Random string, different each time a server starts. */
  incarnation: string;
  /** The client's identifier if it asked for a name, else `null`: it gets one when it opens. */
  id: string | null;
  /** Key with which a named client takes its name back from a connection that is dead but not yet given up. */
  resume: string | null;
  /** Heartbeat that the server expects of the client, in seconds; 0 for none. */
  heartbeat: number;
  /** How long the entry outlives the connection, in seconds. */
  grace: number;
  /** Longest state that the server accepts, in bytes. */
  maxState: number;
  /** Edition of the protocol that the server speaks: 2. A server that says nothing speaks the first. */
  edition?: number;
}

const HELLO: Rules<HelloRequest> = {
  name: NAME,
  token: TEXT,
  heartbeat: seconds(...HEARTBEAT_RANGE),
  grace: seconds(0, LONGEST_GRACE),
  takeover: FLAG,
  resume: TEXT,
  instance: INSTANCE,
  attempt: COUNT,
};

const WATCH: Rules<WatchRequest> = { prefix: TEXT, since: POSITION };

const STATUS: Rule<Status> = {
  text: `must be one of ${STATUSES.join(", ")}`,
  allows: (value): value is Status => (STATUSES as readonly unknown[]).includes(value),
};

const LIST: Rules<ListRequest> = {
  prefix: TEXT,
  status: STATUS,
  limit: COUNT,
  after: TEXT,
  count: FLAG,
  details: FLAG,
};

/** Longest name of a server, and of its version, in characters. */
const MAX_SERVER_NAME = 64;

/** Longest key: a Hello that shows it, with everything else that it can say, must stay within {@linkcode MAX_REQUEST}. */
const MAX_KEY = 256;

const isServerName: Check = (value) => isString(value) && value.length <= MAX_SERVER_NAME;

const isNumberOf = (least: number, most: number): Check => (value) =>
  isNumber(value) && value >= least && value <= most;

/** The checks of a greeting. Whatever a client goes on with has a range: it computes timers from it, and sends it back. */
const GREETING: Shape<Greeting> = {
  server: isServerName,
  version: isServerName,
  incarnation: (value) => isString(value) && INCARNATION_PATTERN.test(value),
  id: (value) => value === null || isString(value) && NAME_PATTERN.test(value),
  resume: (value) => value === null || isString(value) && value.length <= MAX_KEY && /^[!-~]*$/.test(value),
  heartbeat: (value) => value === 0 || isNumberOf(...HEARTBEAT_RANGE)(value),
  grace: isNumberOf(0, LONGEST_GRACE),
  maxState: (value) => Number.isInteger(value) && isNumberOf(0, HIGHEST_MAX_STATE)(value),
  edition: (value) => value === undefined || Number.isInteger(value) && isNumberOf(1, 2 ** 16)(value),
};

/**
 * Parses the JSON of a Hello.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseHello(bytes: Uint8Array): HelloRequest {
  return parseRequest("Hello", bytes, HELLO);
}

/**
 * Parses the JSON of a Watch.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseWatch(bytes: Uint8Array): WatchRequest {
  return parseRequest("Watch", bytes, WATCH);
}

/**
 * Parses the JSON of a List.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseList(bytes: Uint8Array): ListRequest {
  return parseRequest("List", bytes, LIST);
}

/**
 * Encodes the JSON of a request.
 *
 * @param request The request
 * @returns JSON in UTF-8
 * @throws {TrackerError} BAD_ARGUMENT when it is longer than {@linkcode MAX_REQUEST}
 */
export function encodeRequest(request: object): Uint8Array {
  const bytes = encodeJson(request);
  if (bytes.length <= MAX_REQUEST) return bytes;
  throw new TrackerError("BAD_ARGUMENT", `Cannot encode request: ${bytes.length} bytes is above ${MAX_REQUEST}`);
}

/**
 * Parses the JSON of the reply to a Hello.
 *
 * @param bytes The payload
 * @returns The greeting; unknown members are kept
 * @throws {TrackerError} BAD_REPLY when it is invalid
 */
export function parseGreeting(bytes: Uint8Array): Greeting {
  const json = parseObject("greeting", bytes, "BAD_REPLY");
  const wrong = misfit(json, GREETING);
  if (wrong === null) return json as unknown as Greeting;
  throw badReply(`the greeting has no "${wrong}", or one out of its range`);
}
