/**
 * The JSON of a Put, a Drop, a Kick and a Fetch, which name an entry, and of their replies.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";
import { JSON_LENGTH_SIZE, LONGEST_GRACE, MAX_REASON, PUT_RANGE } from "../protocol.ts";
import { badReply } from "./bad_reply.ts";
import { isNumber, isString, misfit, parseObject, parseRequest, type Rule, type Rules } from "./json.ts";
import { encodeRequest } from "./requests.ts";
import { COUNT, FLAG, NAME, seconds, TEXT } from "./rules.ts";

/** The JSON of a Put. */
export interface PutRequest {
  /** The entry's name. */
  name: string;
  /** How long the entry stays, in seconds: from 1 to 86,400. */
  for: number;
  /** Whether to take the name from a client that has it. */
  takeover?: boolean;
  /** When the Put was made, in milliseconds since 1970: one that was made earlier than the last is refused. */
  issued?: number;
  /** The revision of the entry that this one replaces; 0 for none. */
  if?: number;
}

/** The JSON of the reply to a Put. */
export interface PutReply {
  /** The entry's identifier, which is its name. */
  id: string;
  /** The map's revision that the Put has made. */
  revision: number;
  /** Until when the entry stays, in milliseconds since 1970. */
  until: number;
}

/** The JSON of a Drop. */
export interface DropRequest {
  /** The entry's name. */
  name: string;
  /** Whether to take the name from a client that has it. */
  takeover?: boolean;
  /** The revision of the entry that is meant. */
  if?: number;
}

/** The JSON of the reply to a Drop or a Kick. */
export interface RemovalReply {
  /** Whether there was something to remove. */
  was: boolean;
}

/** The JSON of a Kick. */
export interface KickRequest {
  /** The client's identifier. */
  id: string;
  /** For how long its name is refused, or its address if it is numbered, in seconds: from 0, the default, to 86,400. */
  for?: number;
  /** What to tell the client, of at most 128 characters. */
  reason?: string;
}

/** The JSON of a Fetch. */
export interface FetchRequest {
  /** The client's identifier. */
  id: string;
}

/** A request with the members that it must have. */
type Required<T, Key extends keyof T> = T & { [K in Key]-?: NonNullable<T[K]> };

const REASON: Rule<string> = {
  text: `must be a string of at most ${MAX_REASON} characters`,
  allows: (value): value is string => isString(value) && value.length <= MAX_REASON,
};

const PUT: Rules<PutRequest> = { name: NAME, for: seconds(...PUT_RANGE), takeover: FLAG, issued: COUNT, if: COUNT };

const DROP: Rules<DropRequest> = { name: NAME, takeover: FLAG, if: COUNT };

const KICK: Rules<KickRequest> = { id: TEXT, for: seconds(0, LONGEST_GRACE), reason: REASON };

const FETCH: Rules<FetchRequest> = { id: TEXT };

/**
 * Takes the payload of a Put apart.
 *
 * @param payload The payload
 * @returns The request, and the offset in the payload at which the state begins
 * @throws {TrackerError} BAD_HELLO when the JSON is invalid
 */
export function parsePut(payload: Uint8Array): { request: PutRequest; stateStart: number } {
  const stateStart = JSON_LENGTH_SIZE + ((payload[0] ?? 0) << 8 | (payload[1] ?? 0));
  const json = parseRequest("Put", payload.subarray(JSON_LENGTH_SIZE, stateStart), PUT);
  return { request: complete("Put", json, ["name", "for"]), stateStart };
}

/**
 * Parses the JSON of a Drop.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseDrop(bytes: Uint8Array): DropRequest {
  return complete("Drop", parseRequest("Drop", bytes, DROP), ["name"]);
}

/**
 * Parses the JSON of a Kick.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseKick(bytes: Uint8Array): KickRequest {
  return complete("Kick", parseRequest("Kick", bytes, KICK), ["id"]);
}

/**
 * Parses the JSON of a Fetch.
 *
 * @param bytes The payload
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is invalid
 */
export function parseFetch(bytes: Uint8Array): FetchRequest {
  return complete("Fetch", parseRequest("Fetch", bytes, FETCH), ["id"]);
}

/**
 * Puts the payload of a Put together.
 *
 * @param request The request
 * @param state The state
 * @returns The payload: the length of the JSON, the JSON, and the state
 * @throws {TrackerError} BAD_ARGUMENT when the JSON is too long
 */
export function encodePut(request: PutRequest, state: Uint8Array = EMPTY): Uint8Array {
  const json = encodeRequest(request);
  const payload = new Uint8Array(JSON_LENGTH_SIZE + json.length + state.length);
  payload[0] = json.length >>> 8;
  payload[1] = json.length & 0xff;
  payload.set(json, JSON_LENGTH_SIZE);
  payload.set(state, JSON_LENGTH_SIZE + json.length);
  return payload;
}

/**
 * Parses the JSON of the reply to a Put.
 *
 * @param bytes The payload
 * @returns The reply; unknown members are kept
 * @throws {TrackerError} BAD_REPLY when it is invalid
 */
export function parsePutReply(bytes: Uint8Array): PutReply {
  return parseReply("reply to a Put", bytes, { id: isString, revision: isNumber, until: isNumber });
}

/**
 * Parses the JSON of the reply to a Drop or a Kick.
 *
 * @param bytes The payload
 * @returns The reply; unknown members are kept
 * @throws {TrackerError} BAD_REPLY when it is invalid
 */
export function parseRemovalReply(bytes: Uint8Array): RemovalReply {
  return parseReply("reply to a removal", bytes, { was: (value: unknown) => typeof value === "boolean" });
}

function parseReply<T>(what: string, bytes: Uint8Array, shape: object): T {
  const json = parseObject(what, bytes, "BAD_REPLY");
  const wrong = misfit(json, shape);
  if (wrong === null) return json as T;
  throw badReply(`the ${what} has no "${wrong}", or one out of its range`);
}

function complete<T extends object, Key extends keyof T & string>(
  what: string,
  request: Partial<T>,
  keys: readonly Key[],
): Required<T, Key> {
  for (const key of keys) {
    if (request[key] === undefined) throw new TrackerError("BAD_HELLO", `Cannot parse ${what}: it has no "${key}"`);
  }
  return request as Required<T, Key>;
}
