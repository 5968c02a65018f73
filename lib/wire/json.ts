/**
 * The JSON inside messages and replies: parsed, and checked member by member. Members that are not known are ignored, so
 * that a newer peer can talk to an older one.
 *
 * @module
 */

import { type ErrorCode, TrackerError } from "../errors.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** A check of one member: what it must be, for the message of an error, and whether a value is that. */
export interface Rule<T> {
  /** Such as "must be a string". */
  readonly text: string;
  /** Whether a value is as the rule says. */
  readonly allows: (value: unknown) => value is T;
}

const encoder = new TextEncoder();

/**
 * Writes a value as JSON.
 *
 * @param value The value
 * @returns UTF-8
 */
export function encodeJson(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/**
 * Parses a payload that must be a JSON object.
 *
 * @param what What the payload belongs to, for the message of an error
 * @param bytes The payload
 * @param code The code of that error
 * @returns The object
 * @throws {TrackerError} `code` when it is none
 */
export function parseObject(what: string, bytes: Uint8Array, code: ErrorCode): Json {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TrackerError(code, `Cannot parse ${what}: its payload is not JSON in UTF-8`, { cause });
  }
  if (isObject(json)) return json;
  throw new TrackerError(code, `Cannot parse ${what}: its payload is JSON, but not an object`);
}

/**
 * Copies a member, if it is there and as it must be. Own members only: `__proto__` stays out.
 *
 * @param what What the object belongs to, for the message of an error
 * @param json The object
 * @param target Where to copy it to
 * @param key The member's name
 * @param rule What it must be
 * @throws {TrackerError} BAD_HELLO when it is something else
 */
export function takeMember<T extends object, K extends keyof T & string>(
  what: string,
  json: Json,
  target: T,
  key: K,
  rule: Rule<NonNullable<T[K]>>,
): void {
  const value = Object.hasOwn(json, key) ? json[key] : undefined;
  if (value === undefined || value === null) return;
  if (!rule.allows(value)) throw new TrackerError("BAD_HELLO", `Cannot parse ${what}: "${key}" ${rule.text}`);
  target[key] = value;
}

/** Whether a value is an object with members, and not an array. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is text. */
export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether a value is a number that JSON can write. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
