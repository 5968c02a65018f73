/**
 * Request and reply: one Get outstanding on each connection.
 *
 * @module
 */

import { type Bench, type Case, type Measurement, requestMetrics, type Sample, type Target } from "../measurement.ts";
import { memcached, redis, trackerMessages } from "../messages.ts";
import type { JobBytes } from "../load/job.ts";
import type { Peer } from "../peers.ts";

const STATE = "ready";

/** The map of one client, and the value that other servers hold. Its identifier depends on earlier clients. */
const MAP = "{client1=ready}";

/** Number of connections that the targets of rate and 99th percentile are set for. */
const TARGET_CONNECTIONS = 50;

/** Number of connections that the target of the worst latency is set for: enough that some could be forgotten. */
const MANY_CONNECTIONS = 1_000;

/** Time for as many connections, in seconds: one that is forgotten waits for longer than a moment. */
const LONG = 3;

export const request: Case = {
  name: "request",
  summary: "request and reply, the map of one client",
  measurements: (quick) => (quick ? [TARGET_CONNECTIONS] : [1, TARGET_CONNECTIONS, MANY_CONNECTIONS]).map(measurement),
};

function measurement(connections: number): Measurement {
  const when = (...targets: Target[]) => connections === TARGET_CONNECTIONS ? targets : [];
  return {
    parameter: `${connections} conn`,
    peers: ["tracker", "redis", "memcached", "echo"],
    metrics: [
      ...requestMetrics({
        rate: when(
          { against: "redis", ratio: 1 },
          { against: "memcached", ratio: 0.9 },
          { against: "echo", ratio: 0.97 },
        ),
        p99: when({ against: "redis", ratio: 1 }),
      }),
      {
        key: "worst",
        label: "worst",
        unit: "µs",
        better: "less",
        targets: connections === MANY_CONNECTIONS ? [{ against: "redis", ratio: 4 }] : [],
      },
    ],
    sample: (bench, peer) => sample(bench, peer, connections),
  };
}

/** Requests to one server. */
interface Exchange {
  /** Request that stores the value, and the size of its reply. */
  prepare: JobBytes;
  prepared: number;
  request: JobBytes;
}

const messages = trackerMessages();

const EXCHANGES: Record<Exclude<Peer, "discard">, Exchange> = {
  tracker: { prepare: messages.open(STATE), prepared: 1, request: messages.get },
  redis: { prepare: redis("SET", "map", MAP), prepared: "+OK\r\n".length, request: redis("GET", "map") },
  // It answers anything alike.
  echo: { prepare: messages.get, prepared: MAP.length + 1, request: messages.get },
  memcached: {
    prepare: memcached(`set map 0 0 ${MAP.length}`, MAP),
    prepared: "STORED\r\n".length,
    request: memcached("get map"),
  },
};

async function sample(bench: Bench, peer: Peer, connections: number): Promise<Sample> {
  if (peer === "discard") throw new Error("Cannot ask the discard server: it does not answer");
  const { prepare, prepared, request } = EXCHANGES[peer];
  const { port, process } = await bench.server(peer);
  await using holder = bench.generator();
  await holder.perform({ kind: "connect", port, count: 1, first: 0, prelude: prepare, reply: prepared });
  await using generator = bench.generator();
  // An observer that never opened gets the compact form of the reply: a byte of length and the map.
  await generator.perform({ kind: "connect", port, count: 1, first: 0, prelude: [], reply: 0 });
  const { size: reply = 0, text = "" } = await generator.perform({ kind: "learn", request });
  if (!text.includes(STATE)) throw new Error(`Cannot ask ${peer}: it answers ${JSON.stringify(text)}`);
  await generator.perform({ kind: "disconnect" });
  await generator.perform({ kind: "connect", port, count: connections, first: 0, prelude: request, reply });
  const duration = connections === MANY_CONNECTIONS ? LONG : bench.seconds;
  const measured = await generator.measure({ kind: "ask", request, reply, seconds: duration }, process);
  const { count, seconds, p50 = NaN, p99 = NaN, worst = NaN, cpu } = measured;
  return { values: { rate: count / seconds, p50, p99, worst }, cpu };
}
