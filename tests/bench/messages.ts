/**
 * The bytes to send to each server.
 *
 * @module
 */

import { MessageEncoder } from "../../lib/codec.ts";
import { CLOSE, type Dialect, GET, HELLO, OPEN, UPDATE, WATCH } from "../../lib/protocol.ts";
import type { JobBytes } from "./load/job.ts";

const encoder = new TextEncoder();

/** Messages of one Tracker client, in one dialect. */
export interface TrackerMessages {
  open(state: string): JobBytes;
  update(state: string): JobBytes;
  readonly get: JobBytes;
  readonly close: JobBytes;
}

/**
 * Creates the encoders of a dialect.
 *
 * @param dialect The dialect
 * @returns Functions that encode them
 */
export function trackerMessages(dialect: Dialect = "wide"): TrackerMessages {
  const message = new MessageEncoder(dialect);
  return {
    open: (state) => [...message.encode(OPEN, encoder.encode(state))],
    update: (state) => [...message.encode(UPDATE, encoder.encode(state))],
    get: [...message.encode(GET)],
    close: [...message.encode(CLOSE)],
  };
}

/**
 * Encodes the messages that make a connection watch every client.
 *
 * @returns A Hello and a Watch
 */
export function trackerWatch(): JobBytes {
  const message = new MessageEncoder();
  const nothing = encoder.encode("{}");
  return [...message.encode(HELLO, nothing), ...message.encode(WATCH, nothing)];
}

/**
 * Encodes a Redis command.
 *
 * @param words The command and its arguments
 * @returns Its bytes
 */
export function redis(...words: string[]): JobBytes {
  return [...encoder.encode(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`)];
}

/**
 * Encodes a memcached command.
 *
 * @param lines The command's line, and its data where it has any
 * @returns Its bytes
 */
export function memcached(...lines: string[]): JobBytes {
  return [...encoder.encode(lines.map((line) => `${line}\r\n`).join(""))];
}

/**
 * Makes a state of a given size that differs between connections, and between letters.
 *
 * @param size Its size in bytes, at least 6
 * @param letter Its filling
 * @returns The state
 */
export function stateOf(size: number, letter = "a"): string {
  return "#####".padEnd(size, letter);
}
