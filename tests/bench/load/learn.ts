/**
 * Learns a reply. The generator knows no protocol, so it recognizes the end of a reply by the silence after it.
 *
 * @module
 */

import { type Connection, personalize, scratch } from "./connection.ts";
import type { JobResult, LearnJob } from "./job.ts";
import { receive, sendAll, sleep } from "./libc.ts";

/** Silence after which a reply counts as complete, in milliseconds. */
const SILENCE = 60;

/** Time to wait for the first byte, in milliseconds. */
const PATIENCE = 5_000;

/** Most bytes of a reply to return. */
const TEXT = 65_536;

/**
 * Sends a request on the first connection and reads the reply.
 *
 * @param connections The connections, of which the first is used
 * @param job The request
 * @returns The reply's size and its beginning
 */
export function learn(connections: readonly Connection[], job: LearnJob): JobResult {
  const connection = connections[0];
  if (connection === undefined) throw new Error("Cannot ask: there is no connection");
  sendAll(connection.descriptor, personalize(job.request, connection.number));
  const startedAt = performance.now();
  let quietSince = startedAt + PATIENCE - SILENCE;
  let size = 0;
  let text = "";
  for (let now = startedAt; now - quietSince < SILENCE; now = performance.now()) {
    const count = receive(connection.descriptor, scratch);
    if (count === 0) {
      sleep(1_000);
    } else {
      quietSince = now;
      size += count;
      for (let i = 0; i < count && text.length < TEXT; i++) text += String.fromCharCode(scratch[i] ?? 0);
    }
  }
  return { count: 1, seconds: (performance.now() - startedAt) / 1_000, size, text };
}
