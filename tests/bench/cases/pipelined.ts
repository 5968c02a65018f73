/**
 * Pipelined updates: states as fast as the server accepts them.
 *
 * @module
 */

import { DIALECTS } from "../../../lib/protocol.ts";
import type { Dialect } from "../../../lib/protocol.ts";
import type { Bench, Case, Measurement, Sample } from "../measurement.ts";
import type { Measured } from "../generator.ts";
import type { StreamJob } from "../load/job.ts";
import { redis, stateOf, trackerMessages } from "../messages.ts";
import type { Peer } from "../peers.ts";
import { confirmStates } from "./confirm.ts";

/** Bytes to send at once to a server that does not answer: a few writes a millisecond, small enough for the cache. */
const BATCH_BYTES = 262_144;

/** Parameters for Redis, its best case whatever the number of Tracker's connections. */
const REDIS_CONNECTIONS = 50;
const REDIS_DEPTH = 100;

/** Bytes of the reply to an HSET: `:0\r\n` or `:1\r\n`. */
const HSET_REPLY = 4;

interface Parameters {
  dialect: Dialect;
  stateSize: number;
  connections: number;
}

export const pipelined: Case = {
  name: "pipelined",
  summary: "pipelined updates, confirmed by a final Get",
  measurements(quick) {
    const measurements: Measurement[] = [];
    for (const dialect of quick ? ["wide"] as const : DIALECTS) {
      for (const stateSize of quick ? [9] : [9, 100]) {
        for (const connections of [1, 50]) measurements.push(measurement({ dialect, stateSize, connections }));
      }
    }
    return measurements;
  },
};

function measurement(parameters: Parameters): Measurement {
  const { dialect, stateSize, connections } = parameters;
  return {
    parameter: `${dialect}, ${stateSize} bytes, ${connections} conn`,
    peers: ["tracker", "redis", "discard"],
    metrics: [{
      key: "rate",
      label: "updates",
      unit: "1/s",
      better: "more",
      targets: [
        { against: "redis", ratio: 25 },
        { against: "discard", ratio: 0.9 },
      ],
    }],
    sample: (bench, peer) => sample(bench, peer, parameters),
  };
}

async function sample(bench: Bench, peer: Peer, parameters: Parameters): Promise<Sample> {
  const measured = peer === "redis"
    ? await streamToRedis(bench, parameters)
    : peer === "tracker"
    ? await streamToTracker(bench, parameters)
    : await streamToDiscard(bench, parameters);
  return { values: { rate: measured.count / measured.seconds }, cpu: measured.cpu };
}

/** Makes the bytes for Tracker and the discard server, including the final Get. */
function updates(bench: Bench, { dialect, stateSize }: Parameters): Omit<StreamJob, "lastReply" | "halfClose"> {
  const messages = trackerMessages(dialect);
  const message = messages.update(stateOf(stateSize));
  return {
    kind: "stream",
    message,
    batch: Math.floor(BATCH_BYTES / message.length),
    replyPerBatch: 0,
    seconds: bench.seconds,
    last: [...messages.update(stateOf(stateSize, "z")), ...messages.get],
  };
}

async function streamToTracker(bench: Bench, parameters: Parameters): Promise<Measured> {
  const { dialect, stateSize, connections } = parameters;
  const { port, process } = await bench.server("tracker");
  await using generator = bench.generator();
  const messages = trackerMessages(dialect);
  const prelude = messages.open(stateOf(stateSize));
  await generator.perform({ kind: "connect", port, count: connections, first: 0, prelude, reply: 1 });
  const { size = 0 } = await generator.perform({ kind: "learn", request: messages.get });
  const job: StreamJob = { ...updates(bench, parameters), lastReply: size, halfClose: false };
  const measured = await generator.measure(job, process);
  await confirmStates(generator, messages.get, stateOf(stateSize, "z"), connections);
  return measured;
}

async function streamToDiscard(bench: Bench, parameters: Parameters): Promise<Measured> {
  const { port, process } = await bench.server("discard");
  await using generator = bench.generator();
  await generator.perform({
    kind: "connect",
    port,
    count: parameters.connections,
    first: 0,
    prelude: [],
    reply: 0,
  });
  return await generator.measure({ ...updates(bench, parameters), lastReply: 1, halfClose: true }, process);
}

async function streamToRedis(bench: Bench, { stateSize }: Parameters): Promise<Measured> {
  const { port, process } = await bench.server("redis");
  await using generator = bench.generator();
  const command = (letter: string) => redis("HSET", "map", "client#####", stateOf(stateSize, letter));
  const prelude = command("a");
  await generator.perform({ kind: "connect", port, count: REDIS_CONNECTIONS, first: 0, prelude, reply: HSET_REPLY });
  return await generator.measure({
    kind: "stream",
    message: command("a"),
    batch: REDIS_DEPTH,
    replyPerBatch: REDIS_DEPTH * HSET_REPLY,
    seconds: bench.seconds,
    last: command("z"),
    lastReply: HSET_REPLY,
    halfClose: false,
  }, process);
}
