/**
 * The JSON inside messages and replies, checked member by member. Unknown members are ignored, so that a newer peer can
 * talk to an older one.
 *
 * @module
 */

import { type ErrorCode, TrackerError } from "../errors.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** A check of one member's value. */
export interface Rule<T> {
  /** What the value must be, for errors, such as "must be a string". */
  readonly text: string;
  /** Tells whether a value is allowed. */
  readonly allows: (value: unknown) => value is T;
}

const encoder = new TextEncoder();

/**
 * Encodes a value as JSON.
 *
 * @param value The value
 * @returns JSON in UTF-8
 */
export function encodeJson(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/**
 * Parses a payload that must be a JSON object.
 *
 * @param what What the payload belongs to, for errors
 * @param bytes The payload
 * @param code The code of those errors
 * @returns The object
 * @throws {TrackerError} `code` when it is anything else
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
 * Copies a member if it is present and not `null`. Only own members count: `__proto__` stays out.
 *
 * @param what What the object belongs to, for errors
 * @param json The object
 * @param target The object to copy it to
 * @param key The member's name
 * @param rule The rule its value must follow
 * @throws {TrackerError} BAD_HELLO when the value breaks the rule
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

/** Tells whether a value is an object and not an array. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Tells whether a value is a string. */
export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** Tells whether a value is a finite number, as all numbers of JSON are. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
