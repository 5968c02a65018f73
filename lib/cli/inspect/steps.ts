/**
 * The steps of `tracker send`, as written on the command line.
 *
 * @module
 */

import { EMPTY, toBytes } from "../../base/bytes.ts";
import { LONGEST_TIMEOUT } from "../../base/deadlines.ts";
import {
  CLOSE,
  DROP,
  FETCH,
  GET,
  HELLO,
  JSON_LENGTH_SIZE,
  KICK,
  LIST,
  type MessageType,
  OPEN,
  PING,
  PUT,
  STATS,
  UPDATE,
  WATCH,
} from "../../protocol.ts";
import { concat } from "../std.ts";
import { parseAs, quote, shorten, unknownName, UsageError } from "../flags/usage.ts";
import { integer } from "../flags/values.ts";

/** One step on a connection. */
export type Step =
  | { readonly kind: "message"; readonly written: string; readonly type: MessageType; readonly state: Uint8Array }
  | { readonly kind: "raw"; readonly written: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "wait"; readonly written: string; readonly milliseconds: number };

/** Messages that carry a state: the value of the step. */
const CARRIERS: Readonly<Record<string, MessageType>> = { open: OPEN, update: UPDATE };

/** Messages that carry JSON: the value of the step, or an empty object. */
const REQUESTS: Readonly<Record<string, MessageType>> = {
  hello: HELLO,
  watch: WATCH,
  list: LIST,
  drop: DROP,
  kick: KICK,
  fetch: FETCH,
};

/** Messages without content. */
const BARE: Readonly<Record<string, MessageType>> = { get: GET, close: CLOSE, ping: PING, stats: STATS };

const STEP_NAMES: readonly string[] = [CARRIERS, REQUESTS, BARE].flatMap(Object.keys).concat("put", "raw", "wait");

/** Most characters of a step that are repeated above its bytes. */
const WRITTEN_LENGTH = 80;

/**
 * Parses a step.
 *
 * @param text `open=STATE`, `update=STATE`, `get`, `close`, `ping`, `stats`; `hello=JSON`, and likewise `list`, `watch`,
 *   `drop`, `kick` and `fetch`; `put=JSON STATE`, `raw=HEX` or `wait=MILLISECONDS`
 * @returns The step
 * @throws {UsageError} when it is none of these, or its value is invalid
 */
export function parseStep(text: string): Step {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  const written = shorten(text, WRITTEN_LENGTH);
  if (name === "raw") return { kind: "raw", written, bytes: parseHex(value ?? "") };
  if (name === "wait") return { kind: "wait", written, milliseconds: parseWait(value ?? "") };
  if (name === "put") return { kind: "message", written, type: PUT, state: putPayload(value ?? "{}") };
  return { kind: "message", written, ...messageFor(name, value) };
}

function messageFor(name: string, value: string | undefined): { type: MessageType; state: Uint8Array } {
  const find = (types: Readonly<Record<string, MessageType>>) => Object.hasOwn(types, name) ? types[name] : undefined;
  const [carrier, request, bare] = [find(CARRIERS), find(REQUESTS), find(BARE)];
  if (carrier !== undefined) return { type: carrier, state: toBytes(value ?? "") };
  // Not validated: this is a tool to find out how a server reacts to anything.
  if (request !== undefined) return { type: request, state: toBytes(value ?? "{}") };
  if (bare === undefined) throw unknownName("step", shorten(name, WRITTEN_LENGTH), STEP_NAMES);
  if (value !== undefined) throw new UsageError(`step ${name} takes no value, not ${quote(value)}`);
  return { type: bare, state: EMPTY };
}

/** The JSON goes up to the first brace with which it is complete; what follows, after a space, is the state. */
function putPayload(text: string): Uint8Array {
  let end = text.indexOf("}") + 1;
  while (end !== 0 && !isJson(text.slice(0, end))) end = text.indexOf("}", end) + 1;
  const json = toBytes(end === 0 ? text : text.slice(0, end));
  const state = toBytes(end === 0 ? "" : text.slice(end).replace(/^ /, ""));
  const length = new Uint8Array(JSON_LENGTH_SIZE);
  new DataView(length.buffer).setUint16(0, json.length);
  return concat([length, json, state]);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/[\s:]/g, "");
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(digits)) {
    throw new UsageError(`step raw must have bytes of two hexadecimal digits, such as raw=2a03, not ${quote(text)}`);
  }
  return Uint8Array.fromHex(digits);
}

function parseWait(text: string): number {
  return parseAs("step wait", () => integer(0, LONGEST_TIMEOUT)(text));
}
