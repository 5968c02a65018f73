/**
 * Waiting on behalf of a user who waits too.
 *
 * @module
 */

import { delay } from "../../base/async.ts";
import { DEFAULT_PORT } from "../../protocol.ts";
import { formatAddress } from "../../transport/listener.ts";
import type { ConnectOptions } from "../../tcp/connect.ts";
import { remark } from "./output.ts";

/** How long a wait may be before it needs an explanation, in milliseconds. */
const SHORT = 1_000;

/**
 * Formats the address of a client's server.
 *
 * @param options The client's options
 * @returns Such as `127.0.0.1:6789`
 */
export function serverOf({ hostname = "127.0.0.1", port = DEFAULT_PORT }: ConnectOptions): string {
  return formatAddress({ hostname, port });
}

/**
 * Waits for a server, and after a while says so to a person in front of a terminal.
 *
 * @param options The client's options, for the server's address
 * @param work What to wait for
 * @returns What it resolves with
 */
export async function patiently<T>(options: ConnectOptions, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => remark(`tracker: waiting for ${serverOf(options)}`), SHORT);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for output to be written, but not for long: its reader may have stopped reading.
 *
 * @param milliseconds The longest wait
 * @param writing What to wait for
 * @returns Resolves when the output is written or the time is up; rejects when the output fails before
 */
export async function atMost(milliseconds: number, writing: Promise<void>): Promise<void> {
  const settled = new AbortController();
  try {
    await Promise.race([writing, delay(milliseconds, settled.signal)]);
  } finally {
    settled.abort();
  }
}
