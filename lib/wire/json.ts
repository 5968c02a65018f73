/**
 * The JSON inside messages and replies, checked member by member. Unknown members are ignored, so that a newer peer can
 * talk to an older one.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
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

/**
 * Encodes a value as JSON.
 *
 * @param value The value
 * @returns JSON in UTF-8
 */
export function encodeJson(value: object): Uint8Array {
  return toBytes(JSON.stringify(value));
}

const decoder = new TextDecoder("utf-8", { fatal: true });

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
    json = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new TrackerError(code, `Cannot parse ${what}: its payload is not JSON in UTF-8`, { cause });
  }
  if (isObject(json)) return json;
  throw new TrackerError(code, `Cannot parse ${what}: its payload is JSON, but not an object`);
}

/** The rule of each member. The compiler ensures that none is left out. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule<NonNullable<T[K]>> };

/**
 * Parses the JSON of a request. Members that are absent or `null` are left out. Only own members count: `__proto__` stays
 * out.
 *
 * @param what The request's name, for errors
 * @param bytes The payload
 * @param rules The rules of its members, all of which are optional
 * @returns The request, without unknown members
 * @throws {TrackerError} BAD_HELLO when it is no object, or a member breaks its rule
 */
export function parseRequest<T extends object>(what: string, bytes: Uint8Array, rules: Rules<T>): Partial<T> {
  const json = parseObject(what, bytes, "BAD_HELLO");
  const request: Partial<T> = {};
  for (const key of Object.keys(rules) as (keyof T & string)[]) {
    const value = Object.hasOwn(json, key) ? json[key] : undefined;
    if (value === undefined || value === null) continue;
    const rule = rules[key];
    if (!rule.allows(value)) throw new TrackerError("BAD_HELLO", `Cannot parse ${what}: "${key}" ${rule.text}`);
    request[key] = value;
  }
  return request;
}

/** A check of one value. */
export type Check = (value: unknown) => boolean;

/** The checks of a type's members: one for each value, and a shape for each object inside. None can be left out. */
export type Shape<T> = { readonly [K in keyof T]: Check | (T[K] extends readonly unknown[] ? never : Shape<T[K]>) };

/**
 * Finds what is wrong with a value that must have a shape. Unknown members are allowed.
 *
 * @param value The value
 * @param shape The checks of its members
 * @param path Its own path in a larger object
 * @returns The path of the first member that fails its check; `null` if all pass
 */
export function misfit(value: unknown, shape: object, path = ""): string | null {
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
