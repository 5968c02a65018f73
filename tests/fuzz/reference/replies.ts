/**
 * A second parser of replies, written after PROTOCOL.md.
 *
 * @module
 */

import type { Expected } from "../../../lib/wire/mod.ts";

/** The meaning of a reply's bytes. */
export type Answer =
  | { kind: "more"; least: number }
  | { kind: "wrong"; code: "BAD_REPLY" | "REPLY_TOO_LARGE" | "TLS_FAILED" }
  | { kind: "error" | Exclude<Expected, "nothing">; start: number; end: number };

/** Fewest bytes of a payload that has eight bytes of length in front. */
const LEAST: Partial<Record<Expected, bigint>> = { map: 2n, list: 8n, stats: 2n, frame: 1n, hello: 2n, json: 2n };

/** Most bytes of a payload that has nothing to do with the size of the map. */
const MOST: Partial<Record<Expected, bigint>> = { hello: 4_096n, json: 4_096n, stats: 65_536n };

/**
 * Reads one reply.
 *
 * @param bytes The bytes that a server sends
 * @param at Offset of the reply
 * @param length How many bytes have arrived
 * @param expected The reply that was asked for
 * @param maxMap Longest payload to accept, in bytes
 * @returns The reply, or why there is none
 */
export function readReply(bytes: Uint8Array, at: number, length: number, expected: Expected, maxMap: number): Answer {
  const available = length - at;
  if (available < 1) return { kind: "more", least: 1 };
  const first = bytes[at]!;
  if (first === 21) {
    if (available < 2) return { kind: "more", least: 2 };
    // As TLS begins an alert. A map of 21 bytes has a brace there.
    if (bytes[at + 1] === 3) return { kind: "wrong", code: "TLS_FAILED" };
  }
  if (first === 0) {
    if (available < 2) return { kind: "more", least: 2 };
    const second = bytes[at + 1]!;
    if (second !== 0) return whole("error", bytes, at, at + 2, second, length);
    if (expected === "hello" || expected === "json" || LEAST[expected] === undefined) {
      return { kind: "wrong", code: "BAD_REPLY" };
    }
    return readLong(bytes, at, at, length, expected, maxMap);
  }
  if (first === 1) {
    if (expected === "hello" || expected === "json") return readLong(bytes, at, at + 1, length, expected, maxMap);
    // A Close may be answered among the frames.
    return expected === "done" || expected === "frame"
      ? { kind: "done", start: at + 1, end: at + 1 }
      : { kind: "wrong", code: "BAD_REPLY" };
  }
  return expected === "map" ? whole("map", bytes, at, at + 1, first, length) : { kind: "wrong", code: "BAD_REPLY" };
}

function whole(
  kind: "error" | Exclude<Expected, "nothing">,
  bytes: Uint8Array,
  at: number,
  start: number,
  size: number,
  length: number,
): Answer {
  const end = start + size;
  if (kind === "map") {
    // A map has braces around it.
    if (length > start && bytes[start] !== 123) return { kind: "wrong", code: "BAD_REPLY" };
    if (length >= end && bytes[end - 1] !== 125) return { kind: "wrong", code: "BAD_REPLY" };
  }
  return length < end ? { kind: "more", least: end - at } : { kind, start, end };
}

function readLong(
  bytes: Uint8Array,
  at: number,
  from: number,
  length: number,
  expected: Expected,
  maxMap: number,
): Answer {
  const start = from + 8;
  if (length < start) return { kind: "more", least: start - at };
  const size = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(from);
  if (size < LEAST[expected]! || size > (MOST[expected] ?? size)) return { kind: "wrong", code: "BAD_REPLY" };
  if (size > maxMap) return { kind: "wrong", code: "REPLY_TOO_LARGE" };
  return whole(expected as Exclude<Expected, "nothing">, bytes, at, start, Number(size), length);
}
