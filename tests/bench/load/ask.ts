/**
 * Request and reply: one request outstanding on each connection.
 *
 * @module
 */

import { type Connection, personalize, scratch } from "./connection.ts";
import type { AskJob, JobResult } from "./job.ts";
import { Poll, READABLE, receive, sendAll } from "./libc.ts";

/** Most latencies kept for the percentiles. */
const MOST_LATENCIES = 4_000_000;

/**
 * Asks for as long as the job says.
 *
 * @param connections Who asks
 * @param job What they ask, and how many bytes answer it
 * @returns How many were answered in time, and how soon
 */
export function ask(connections: readonly Connection[], job: AskJob): JobResult {
  using poll = new Poll();
  const requests = connections.map((connection) => personalize(job.request, connection.number));
  const descriptors = connections.map((connection) => connection.descriptor);
  const askedAt = new Float64Array(connections.length);
  const missing = new Int32Array(connections.length);
  const latencies = new Float32Array(MOST_LATENCIES);
  descriptors.forEach((descriptor, i) => poll.add(descriptor, i, READABLE));

  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1_000;
  const send = (i: number): void => {
    const descriptor = descriptors[i];
    const request = requests[i];
    if (descriptor === undefined || request === undefined) return;
    askedAt[i] = performance.now();
    missing[i] = job.reply;
    sendAll(descriptor, request);
  };
  for (let i = 0; i < descriptors.length; i++) send(i);

  let count = 0;
  let outstanding = descriptors.length;
  let lastAt = startedAt;
  while (outstanding !== 0) {
    const events = poll.wait();
    for (let event = 0; event < events; event++) {
      const i = poll.numberAt(event);
      const left = (missing[i] ?? 0) - receive(descriptors[i] ?? -1, scratch);
      missing[i] = left;
      if (left > 0) continue;
      if (left < 0) throw new Error(`Cannot understand reply: it is ${-left} bytes longer than ${job.reply}`);
      const now = performance.now();
      if (count < MOST_LATENCIES) latencies[count] = now - (askedAt[i] ?? now);
      count++;
      lastAt = now;
      if (now < endsAt) send(i);
      else outstanding--;
    }
  }
  const sorted = latencies.subarray(0, Math.min(count, MOST_LATENCIES)).sort();
  return {
    count,
    seconds: (lastAt - startedAt) / 1_000,
    p50: (sorted[Math.floor(sorted.length * 0.5)] ?? 0) * 1_000,
    p99: (sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 1_000,
  };
}
