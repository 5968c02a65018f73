/**
 * The load generator, a process of its own: reads jobs from standard input, one line of JSON each, and answers each
 * with one line on standard output. It keeps its connections from one job to the next, and ends with its input.
 *
 * @module
 */

import { TextLineStream } from "../../lib/cli/std.ts";
import { ask } from "./load/ask.ts";
import { churn } from "./load/churn.ts";
import { closeConnections, type Connection, openConnections } from "./load/connection.ts";
import { deliver } from "./load/deliver.ts";
import { fan, pace } from "./load/fan.ts";
import type { Job, JobResult } from "./load/job.ts";
import { learn } from "./load/learn.ts";
import { stream } from "./load/stream.ts";

const connections: Connection[] = [];

/** Performs one job. Nothing else happens in this process meanwhile. */
function perform(job: Job): JobResult {
  switch (job.kind) {
    case "connect":
      connections.push(...openConnections(job));
      return { count: connections.length, seconds: 0 };
    case "disconnect":
      closeConnections(connections.splice(0));
      return { count: 0, seconds: 0 };
    case "learn":
      return learn(connections, job);
    case "stream":
      return stream(connections, job);
    case "ask":
      return ask(connections, job);
    case "fan":
      return fan(connections, job);
    case "pace":
      return pace(connections, job);
    case "churn":
      return churn(job);
    case "deliver":
      return deliver(connections, job);
  }
}

function answer(job: Job): JobResult | { error: string } {
  try {
    return perform(job);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
const output = new TextEncoder();
for await (const line of lines) {
  const answered = output.encode(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
  for (let written = 0; written < answered.length;) written += await Deno.stdout.write(answered.subarray(written));
}
