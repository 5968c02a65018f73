/**
 * Fan-in: many connections, each sending one message now and then.
 *
 * @module
 */

import { EMPTY } from "../../../lib/base/bytes.ts";
import { type Connection, personalize, receiveAll } from "./connection.ts";
import type { FanJob, JobResult, PaceJob } from "./job.ts";
import { send, sendAll, sleep } from "./libc.ts";

/** Wait when a connection has no room, in microseconds. */
const PAUSE = 50;

/** Most time to wait for room for one message, in microseconds. */
const PATIENCE = 10_000_000;

/**
 * Sends one message on each connection in turn, again and again, then waits until each confirms all of them.
 *
 * @param connections The connections that send
 * @param job The message, and the number of rounds
 * @returns Number of messages sent and confirmed
 */
export function fan(connections: readonly Connection[], job: FanJob): JobResult {
  const messages = connections.map(({ number }) => personalize(job.message, number));
  const lasts = connections.map(({ number }) => personalize(job.last, number));
  const descriptors = connections.map(({ descriptor }) => descriptor);
  const startedAt = performance.now();
  for (let round = 0; round < job.rounds; round++) {
    for (let i = 0; i < descriptors.length; i++) sendWhole(descriptors[i] ?? -1, messages[i] ?? EMPTY);
  }
  for (let i = 0; i < descriptors.length; i++) sendWhole(descriptors[i] ?? -1, lasts[i] ?? EMPTY);
  for (const descriptor of descriptors) receiveAll(descriptor, job.lastReply);
  return { count: (job.rounds + 1) * descriptors.length, seconds: (performance.now() - startedAt) / 1_000 };
}

/**
 * Sends one message on each connection in turn, at a rate.
 *
 * @param connections The connections that send
 * @param job The message, its rate, and the duration
 * @returns Number of messages sent
 */
export function pace(connections: readonly Connection[], job: PaceJob): JobResult {
  const messages = connections.map(({ number }) => personalize(job.message, number));
  const startedAt = performance.now();
  let count = 0;
  for (;;) {
    const elapsed = performance.now() - startedAt;
    if (elapsed >= job.seconds * 1_000) return { count, seconds: elapsed / 1_000 };
    const due = Math.floor(elapsed * job.perSecond / 1_000);
    for (; count < due; count++) {
      const i = count % connections.length;
      const descriptor = connections[i]?.descriptor ?? -1;
      sendAll(descriptor, messages[i] ?? EMPTY);
      receiveAll(descriptor, job.reply);
    }
    sleep(1_000_000 / job.perSecond);
  }
}

/** Sends a message. The system takes a short one whole or not at all. */
function sendWhole(descriptor: number, message: Uint8Array<ArrayBuffer>): void {
  for (let waited = 0; waited < PATIENCE; waited += PAUSE) {
    const sent = send(descriptor, message);
    if (sent === message.length) return;
    if (sent !== 0) return sendAll(descriptor, message.subarray(sent));
    sleep(PAUSE);
  }
  throw new Error("Cannot send: the server takes nothing");
}
