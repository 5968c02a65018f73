/**
 * Request and reply: one request outstanding on each connection.
 *
 * @module
 */

import { type Connection, personalize, scratch } from "./connection.ts";
import type { AskJob, JobResult } from "./job.ts";
import { Latencies } from "./latencies.ts";
import { Poll, READABLE, receive, sendAll } from "./libc.ts";

/**
 * Asks for as long as the job says.
 *
 * @param connections The connections that ask
 * @param job The request, and the size of the reply
 * @returns Number and latency of the replies
 */
export function ask(connections: readonly Connection[], job: AskJob): JobResult {
  using poll = new Poll();
  const askers = connections.map((connection) => new Asker(connection, job));
  const latencies = new Latencies();
  askers.forEach(({ descriptor }, i) => poll.add(descriptor, i, READABLE));

  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1_000;
  for (const asker of askers) asker.send();
  let count = 0;
  let outstanding = askers.length;
  while (outstanding !== 0) {
    const events = poll.wait();
    for (let event = 0; event < events; event++) {
      const asker = askers[poll.numberAt(event)];
      if (asker === undefined || !asker.receive()) continue;
      latencies.arrivedAt = performance.now();
      latencies.note(asker.askedAt);
      count++;
      if (latencies.arrivedAt < endsAt) asker.send();
      else outstanding--;
    }
  }
  return { count, seconds: (latencies.arrivedAt - startedAt) / 1_000, ...latencies.percentiles() };
}

/** One connection, and the request it waits for. */
class Asker {
  readonly descriptor: number;
  askedAt = 0;
  readonly #request: Uint8Array<ArrayBuffer>;
  readonly #reply: number;
  #missing = 0;

  constructor({ descriptor, number }: Connection, { request, reply }: AskJob) {
    this.descriptor = descriptor;
    this.#request = personalize(request, number);
    this.#reply = reply;
  }

  send(): void {
    this.askedAt = performance.now();
    this.#missing = this.#reply;
    sendAll(this.descriptor, this.#request);
  }

  /** Reads what has arrived, and tells whether the reply is complete. */
  receive(): boolean {
    this.#missing -= receive(this.descriptor, scratch);
    if (this.#missing >= 0) return this.#missing === 0;
    throw new Error(`Cannot understand reply: it is ${-this.#missing} bytes longer than ${this.#reply}`);
  }
}
