/**
 * A stream: one message over and over, as fast as the server accepts it.
 *
 * @module
 */

import { type Connection, isPersonal, personalize, scratch } from "./connection.ts";
import type { JobBytes, JobResult, StreamJob } from "./job.ts";
import { closeWrite, Poll, READABLE, receive, send, WRITABLE } from "./libc.ts";

/** The part of one connection in the job. */
interface Sender {
  readonly descriptor: number;
  readonly batch: Uint8Array<ArrayBuffer>;
  readonly last: Uint8Array<ArrayBuffer>;
  /** Bytes being sent, and the number sent of them. */
  current: Uint8Array<ArrayBuffer>;
  sent: number;
  /** Missing bytes of the reply before the next batch. */
  missing: number;
  batches: number;
  interest: number;
}

/**
 * Streams for as long as the job says, then until the server has confirmed the end.
 *
 * @param connections The connections that send
 * @param job The message
 * @returns Number of messages sent and confirmed
 */
export function stream(connections: readonly Connection[], job: StreamJob): JobResult {
  using poll = new Poll();
  const senders = makeSenders(connections, job);
  senders.forEach((sender, i) => poll.add(sender.descriptor, i, sender.interest));
  const startedAt = performance.now();
  const endsAt = startedAt + job.seconds * 1_000;
  let streaming = senders.length;

  while (streaming !== 0) {
    const events = poll.wait();
    for (let event = 0; event < events; event++) {
      const i = poll.numberAt(event);
      const sender = senders[i];
      if (sender === undefined) continue;
      if (poll.isReadableAt(event)) hear(sender);
      if (sender.sent !== sender.current.length) push(sender);
      if (sender.sent === sender.current.length && sender.missing === 0) {
        if (sender.current === sender.last) {
          streaming--;
          poll.remove(sender.descriptor);
          continue;
        }
        sender.batches++;
        begin(sender, job, performance.now() >= endsAt);
        push(sender);
      }
      if (sender.sent === sender.current.length && sender.current === sender.last && job.halfClose) {
        closeWrite(sender.descriptor);
      }
      const interest = wanted(sender);
      if (interest !== sender.interest) {
        sender.interest = interest;
        poll.change(sender.descriptor, i, interest);
      }
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return { count: senders.reduce((sum, { batches }) => sum + batches * job.batch + 1, 0), seconds };
}

function makeSenders(connections: readonly Connection[], job: StreamJob): Sender[] {
  const personal = isPersonal(job.message);
  const shared = repeat(job.message, job.batch, 0);
  return connections.map(({ descriptor, number }) => {
    const batch = personal ? repeat(job.message, job.batch, number) : shared;
    const last = personalize(job.last, number);
    return {
      descriptor,
      batch,
      last,
      current: batch,
      sent: 0,
      missing: job.replyPerBatch,
      batches: 0,
      interest: READABLE | WRITABLE,
    };
  });
}

function repeat(message: JobBytes, times: number, number: number): Uint8Array<ArrayBuffer> {
  const once = personalize(message, number);
  const bytes = new Uint8Array(once.length * times);
  for (let i = 0; i < times; i++) bytes.set(once, i * once.length);
  return bytes;
}

function begin(sender: Sender, job: StreamJob, ending: boolean): void {
  sender.current = ending ? sender.last : sender.batch;
  sender.sent = 0;
  sender.missing = ending ? job.lastReply : job.replyPerBatch;
}

function push(sender: Sender): void {
  const { current, sent } = sender;
  sender.sent += send(sender.descriptor, sent === 0 ? current : current.subarray(sent));
}

function hear(sender: Sender): void {
  sender.missing -= receive(sender.descriptor, scratch);
  if (sender.missing < 0) throw new Error(`Cannot understand reply: ${-sender.missing} bytes more than expected`);
}

/** Waits for room only if there is something to send: the rest of this batch, or the next one. */
function wanted(sender: Sender): number {
  const waiting = sender.sent === sender.current.length && sender.missing !== 0;
  return waiting ? READABLE : READABLE | WRITABLE;
}
