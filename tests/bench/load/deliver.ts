/**
 * Deliveries: some connections send, the others receive.
 *
 * @module
 */

import { type Connection, personalize, scratch } from "./connection.ts";
import { type Inbox, makeInbox } from "./inbox.ts";
import type { DeliverJob, JobResult } from "./job.ts";
import { Latencies } from "./latencies.ts";
import { Poll, READABLE, receive, sendAll } from "./libc.ts";

/** A connection that sends several messages at once, each with its time of sending. */
class Sender {
  readonly descriptor: number;
  readonly #batch: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #job: DeliverJob;

  constructor({ descriptor, number }: Connection, job: DeliverJob) {
    this.descriptor = descriptor;
    this.#job = job;
    const message = personalize(job.message, number);
    this.#batch = new Uint8Array(message.length * job.together);
    for (let i = 0; i < job.together; i++) this.#batch.set(message, i * message.length);
    this.#view = new DataView(this.#batch.buffer);
  }

  send(): void {
    const { message, stampAt } = this.#job;
    const now = performance.now();
    for (let at = stampAt; at < this.#batch.length; at += message.length) this.#view.setFloat64(at, now);
    sendAll(this.descriptor, this.#batch);
  }
}

/** Pace of sending. */
interface Pace {
  /** Time until the next message is due, in milliseconds; `Infinity` if it depends on a delivery. */
  wait(now: number, underWay: number): number;
}

/** As fast as watchers receive: at most `window` messages are under way to the slowest of them. */
function fullPace({ together, window }: DeliverJob): Pace {
  return { wait: (_now, underWay) => underWay + together <= window ? 0 : Infinity };
}

/** A number of messages a second, at random moments, so that no server's rhythm is hit or missed by chance. */
function steadyPace(perSecond: number, startedAt: number): Pace {
  let dueAt = startedAt;
  return {
    wait(now) {
      if (now < dueAt) return dueAt - now;
      dueAt -= Math.log(1 - Math.random()) * 1_000 / perSecond;
      return 0;
    },
  };
}

/**
 * Sends for as long as the job says, then waits until every watcher has received every message. A missing delivery
 * makes the job fail.
 *
 * @param connections The first ones send, the others receive
 * @param job The message and its pace
 * @returns Number and latency of the deliveries
 */
export function deliver(connections: readonly Connection[], job: DeliverJob): JobResult {
  using poll = new Poll();
  const senders = connections.slice(0, job.senders).map((connection) => new Sender(connection, job));
  const inboxes = connections.slice(job.senders).map(({ descriptor }) => makeInbox(descriptor, job.hearing));
  [...senders, ...inboxes].forEach(({ descriptor }, i) => poll.add(descriptor, i, READABLE));

  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1_000;
  const pace = job.perSecond === 0 ? fullPace(job) : steadyPace(job.perSecond, startedAt);
  // At full pace messages wait for one another, so only their number matters.
  const latencies = job.perSecond === 0 ? null : new Latencies();
  let sent = 0;
  let turn = 0;
  for (;;) {
    const heard = leastHeard(inboxes);
    let now = performance.now();
    if (now >= endsAt && heard === sent) break;
    let wait = now >= endsAt ? Infinity : pace.wait(now, sent - heard);
    while (wait === 0) {
      senders[turn++ % senders.length]?.send();
      sent += job.together;
      now = performance.now();
      wait = now >= endsAt ? Infinity : pace.wait(now, sent - heard);
    }
    const events = wait === Infinity ? poll.wait() : poll.wait(Math.min(Math.ceil(wait), 1_000));
    for (let event = 0; event < events; event++) {
      const i = poll.numberAt(event);
      // Replies to senders are read but not counted: a message may be delivered before its sender is answered.
      if (i < senders.length) receive(senders[i]?.descriptor ?? -1, scratch);
      else inboxes[i - senders.length]?.read(latencies);
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return { count: sent * inboxes.length, seconds, ...latencies?.percentiles() };
}

function leastHeard(inboxes: readonly Inbox[]): number {
  let least = Infinity;
  for (const { heard } of inboxes) if (heard < least) least = heard;
  return least;
}
