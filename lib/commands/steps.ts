/**
 * The steps of `tracker send`, as they are written on the command line.
 *
 * @module
 */

import { CLOSE, GET, type MessageType, OPEN, UPDATE } from "../protocol.ts";
import { quote, shorten, unknownName, UsageError } from "./usage.ts";
import { LONGEST_TIMEOUT } from "../deadlines.ts";
import { integer } from "./values.ts";

/** One thing to do on a connection. */
export type Step =
  | { readonly kind: "message"; readonly written: string; readonly type: MessageType; readonly state: Uint8Array }
  | { readonly kind: "raw"; readonly written: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "wait"; readonly written: string; readonly milliseconds: number };

const STEP_NAMES: readonly string[] = ["open", "update", "get", "close", "raw", "wait"];

/** How much of a step is repeated above its bytes, which show all of it. */
const WRITTEN_LENGTH = 80;

/**
 * Parses a step.
 *
 * @param text `open=STATE`, `update=STATE`, `get`, `close`, `raw=HEX` or `wait=MILLISECONDS`
 * @returns The step
 * @throws {UsageError} when it is none of these
 */
export function parseStep(text: string): Step {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? undefined : text.slice(equals + 1);
  const written = shorten(text, WRITTEN_LENGTH);
  const state = new TextEncoder().encode(value ?? "");
  switch (name) {
    case "open":
      return { kind: "message", written, type: OPEN, state };
    case "update":
      return { kind: "message", written, type: UPDATE, state };
    case "get":
      return { kind: "message", written, type: bare(GET, name, value), state };
    case "close":
      return { kind: "message", written, type: bare(CLOSE, name, value), state };
    case "raw":
      return { kind: "raw", written, bytes: parseHex(value ?? "") };
    case "wait":
      return { kind: "wait", written, milliseconds: parseWait(value ?? "") };
    default:
      throw new UsageError(unknownName("step", shorten(name, WRITTEN_LENGTH), STEP_NAMES));
  }
}

function bare(type: MessageType, name: string, value: string | undefined): MessageType {
  if (value === undefined) return type;
  throw new UsageError(`step ${name} takes no value, not ${quote(value)}`);
}

function parseHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/[\s:]/g, "");
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(digits)) {
    throw new UsageError(`step raw must have bytes of two hexadecimal digits, such as raw=2a03, not ${quote(text)}`);
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function parseWait(text: string): number {
  try {
    return integer(0, LONGEST_TIMEOUT)(text);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`step wait ${error.message}`) : error;
  }
}
