/**
 * Churn: clients that come, say hello, say goodbye and go.
 *
 * @module
 */

import { scratch } from "./connection.ts";
import type { ChurnJob, JobResult } from "./job.ts";
import { close, connect, Poll, READABLE, receiveWaiting, sendAll } from "./libc.ts";

/**
 * Makes connections come and go until the job's number is reached.
 *
 * @param job Their messages, and their number in all and at once
 * @returns Number of connections that came and went
 */
export function churn(job: ChurnJob): JobResult {
  using poll = new Poll();
  const hello = Uint8Array.from(job.hello);
  const goodbye = Uint8Array.from(job.goodbye);
  const visits: Visit[] = [];
  const startedAt = performance.now();
  let begun = 0;
  let ended = 0;
  const begin = (slot: number): void => {
    const descriptor = connect(job.port);
    begun++;
    visits[slot] = { descriptor, isGreeted: false, missing: job.helloReply };
    poll.add(descriptor, slot, READABLE);
    sendAll(descriptor, hello);
  };
  for (let slot = 0; slot < Math.min(job.together, job.count); slot++) begin(slot);
  while (ended < job.count) {
    const events = poll.wait();
    for (let event = 0; event < events; event++) {
      const slot = poll.numberAt(event);
      const visit = visits[slot];
      if (visit === undefined || !goOn(visit, goodbye, job.goodbyeReply)) continue;
      ended++;
      if (begun < job.count) begin(slot);
    }
  }
  return { count: ended, seconds: (performance.now() - startedAt) / 1_000 };
}

/** One connection's life. */
interface Visit {
  descriptor: number;
  isGreeted: boolean;
  missing: number;
}

/** Reads what has arrived on a connection and answers it; tells whether the server has ended the connection. */
function goOn(visit: Visit, goodbye: Uint8Array<ArrayBuffer>, goodbyeReply: number): boolean {
  const received = receiveWaiting(visit.descriptor, scratch);
  visit.missing -= received;
  if (visit.missing < 0 || (received === 0 && (!visit.isGreeted || visit.missing !== 0))) {
    throw new Error("Cannot understand reply: its size is not the expected one");
  }
  if (received === 0) {
    // Closing takes the socket out of the poll as well.
    close(visit.descriptor);
    return true;
  }
  if (visit.missing === 0 && !visit.isGreeted) {
    visit.isGreeted = true;
    visit.missing = goodbyeReply;
    sendAll(visit.descriptor, goodbye);
  }
  return false;
}
