/**
 * The JSON that the extensions carry: what a Hello, a Watch and a List ask for, and what answers a Hello. Every member
 * that is known is checked, every other is ignored, so that a newer client can talk to an older server.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Stats } from "../server/counters.ts";
import { HEARTBEAT_RANGE, LONGEST_GRACE, MAX_REQUEST, NAME_PATTERN } from "../protocol.ts";

/** What a Hello asks for. */
export interface HelloRequest {
  /** The identifier the client wants, which must match {@linkcode NAME_PATTERN}. */
  name?: string;
  /** Who the client is, for a server that asks. */
  token?: string;
  /** How often the client will say something at least, in seconds: from 1 to 3,600. */
  heartbeat?: number;
  /** How long a named client's entry stays after an end without a Close, in seconds: from 0 to 86,400. */
  grace?: number;
  /** Whether to take the name from another connection that has it. */
  takeover?: boolean;
  /** The key of an earlier Hello's reply, which takes the name back from that connection without a leave. */
  resume?: string;
}

/** What a Watch or a List asks for. */
export interface PrefixRequest {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
}

/** A place in the history of a map. */
export interface Position {
  /** The server's incarnation: revisions of different ones have nothing to do with each other. */
  incarnation: string;
  /** The last revision that was seen. */
  revision: number;
}

/** What a Watch asks for. */
export interface WatchRequest extends PrefixRequest {
  /** Where an earlier watch ended: what has happened since then is told instead of everything. */
  since?: Position;
}

/** What answers a Hello. */
export interface Greeting {
  /** What kind of server it is: `"tracker"`. */
  server: string;
  /** The server's version. */
  version: string;
  /** A random string, different each time a server starts. */
  incarnation: string;
  /** The client's identifier, if it asked for a name; the others get theirs when they open. */
  id: string | null;
  /** The key by which a named client takes its name back from a connection that is dead and not yet given up. */
  resume: string | null;
  /** The heartbeat that the server holds the client to, in seconds; 0 for none. */
  heartbeat: number;
  /** How long the entry will outlive the connection, in seconds. */
  grace: number;
  /** Longest state the server takes, in bytes. */
  maxState: number;
}

const encoder = new TextEncoder();

/**
 * Reads the JSON of a Hello.
 *
 * @param bytes The payload
 * @returns What it asks for
 * @throws {TrackerError} BAD_HELLO when it is not as it must be
 */
export function parseHello(bytes: Uint8Array): HelloRequest {
  const json = parseObject("Hello", bytes);
  const request: HelloRequest = {};
  take(json, request, "name", "matches [A-Za-z0-9._:-]{1,128} and is not client1 or the like", isName);
  take(json, request, "token", "is a string", isString);
  take(json, request, "heartbeat", "is a number of seconds from 1 to 3600", isBetween(...HEARTBEAT_RANGE));
  take(json, request, "grace", "is a number of seconds from 0 to 86400", isBetween(0, LONGEST_GRACE));
  take(json, request, "takeover", "is true or false", isBoolean);
  take(json, request, "resume", "is a string", isString);
  return request;
}

/**
 * Reads the JSON of a Watch.
 *
 * @param bytes The payload
 * @returns What it asks for
 * @throws {TrackerError} BAD_HELLO when it is not as it must be
 */
export function parseWatch(bytes: Uint8Array): WatchRequest {
  const json = parseObject("Watch", bytes);
  const request: WatchRequest = {};
  take(json, request, "prefix", "is a string", isString);
  take(json, request, "since", "is {incarnation, revision}", isPosition);
  return request;
}

/**
 * Reads the JSON of a List.
 *
 * @param bytes The payload
 * @returns What it asks for
 * @throws {TrackerError} BAD_HELLO when it is not as it must be
 */
export function parseList(bytes: Uint8Array): PrefixRequest {
  const json = parseObject("List", bytes);
  const request: PrefixRequest = {};
  take(json, request, "prefix", "is a string", isString);
  return request;
}

/**
 * Reads the JSON that answers a Hello.
 *
 * @param bytes The payload
 * @returns The greeting
 * @throws {TrackerError} BAD_REPLY when it is none
 */
export function parseGreeting(bytes: Uint8Array): Greeting {
  try {
    const json = parseObject("greeting", bytes);
    const known = isString(json.server) && isString(json.version) && isString(json.incarnation) &&
      isStringOrNull(json.id) && isStringOrNull(json.resume) &&
      isNumber(json.heartbeat) && isNumber(json.grace) && isNumber(json.maxState);
    if (known) return json as unknown as Greeting;
  } catch (cause) {
    throw new TrackerError("BAD_REPLY", "Cannot parse reply: the greeting is no JSON object", { cause });
  }
  throw new TrackerError("BAD_REPLY", "Cannot parse reply: the greeting lacks a member or has one of a wrong type");
}

/**
 * Reads the JSON that answers a Stats.
 *
 * @param bytes The payload
 * @returns What the server counts; members of a later version are kept
 * @throws {TrackerError} BAD_REPLY when it is none
 */
export function parseStats(bytes: Uint8Array): Stats {
  let json: Json;
  try {
    json = parseObject("report", bytes);
  } catch (cause) {
    throw new TrackerError("BAD_REPLY", "Cannot parse reply: the report is no JSON object", { cause });
  }
  const wrong = STATS_MEMBERS.find(([path, isValid]) => !isValid(memberAt(json, path)));
  if (wrong === undefined) return json as unknown as Stats;
  throw new TrackerError("BAD_REPLY", `Cannot parse reply: the report's ${wrong[0]} is missing or of a wrong type`);
}

const NUMBERS = [
  "uptime",
  "revision",
  "accepted",
  "conflated",
  "bytes.received",
  "bytes.sent",
  "lag.last",
  "lag.worst",
];
const NOW_NUMBERS = ["connections", "clients", "suspects", "watchers", "stateBytes"];

/** What a report must have, by path. */
const STATS_MEMBERS: readonly (readonly [path: string, isValid: (value: unknown) => boolean])[] = [
  ["version", isString],
  ["incarnation", isString],
  ...[...NUMBERS, ...NOW_NUMBERS.map((name) => `now.${name}`)].map((path) => [path, isNumber] as const),
  ["messages", (value) => isRecord(value) && Object.values(value).every(isCounts)],
  ["errors", isCounts],
  ["refused", isCounts],
  ["ghost", (value) => isRecord(value) && isNumbers(value.bounds) && isNumbers(value.counts)],
  ["ghost.count", isNumber],
  ["ghost.sum", isNumber],
];

function memberAt(json: Json, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => isRecord(value) ? value[name] : undefined, json);
}

/**
 * Writes the JSON of a request or of a greeting.
 *
 * @param value What to write
 * @returns UTF-8
 * @throws {TrackerError} BAD_ARGUMENT when it is longer than a message may carry
 */
export function encodeJson(value: HelloRequest | WatchRequest | PrefixRequest | Greeting | Stats): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(value));
  if (bytes.length <= MAX_REQUEST) return bytes;
  throw new TrackerError("BAD_ARGUMENT", `Cannot encode request: ${bytes.length} bytes is above ${MAX_REQUEST}`);
}

type Json = Record<string, unknown>;

function parseObject(what: string, bytes: Uint8Array): Json {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TrackerError("BAD_HELLO", `Cannot parse ${what}: its payload is not JSON in UTF-8`, { cause });
  }
  if (isRecord(json)) return json;
  throw new TrackerError("BAD_HELLO", `Cannot parse ${what}: its payload is JSON, but not an object`);
}

/** Copies a member that is there, if it is as it must be. Reading own members only keeps `__proto__` out. */
function take<T extends object, K extends keyof T & string>(
  json: Json,
  request: T,
  key: K,
  rule: string,
  isValid: (value: unknown) => value is NonNullable<T[K]>,
): void {
  const value = Object.hasOwn(json, key) ? json[key] : undefined;
  if (value === undefined || value === null) return;
  if (!isValid(value)) throw new TrackerError("BAD_HELLO", `Cannot take request: ${key} is not one that ${rule}`);
  request[key] = value;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || isString(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is Record<string, number> {
  return isRecord(value) && Object.values(value).every(isNumber);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isNumber);
}

function isName(value: unknown): value is string {
  return isString(value) && NAME_PATTERN.test(value);
}

function isBetween(least: number, most: number): (value: unknown) => value is number {
  return (value): value is number => isNumber(value) && value >= least && value <= most;
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { incarnation, revision } = value as Json;
  return isString(incarnation) && Number.isSafeInteger(revision) && (revision as number) >= 0;
}
