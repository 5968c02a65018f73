/**
 * Big map: a Get of ten thousand clients.
 *
 * @module
 */

import type { Generator } from "../generator.ts";
import type { JobBytes } from "../load/job.ts";
import { type Bench, type Case, type Measurement, requestMetrics, type Sample } from "../measurement.ts";
import { redis, stateOf, trackerMessages } from "../messages.ts";
import type { Peer } from "../peers.ts";

const STATE_SIZE = 100;
const UPDATES_PER_SECOND = 1_000;

/** Time that changes go on after the requests, in seconds. */
const MARGIN = 0.2;

export const bigMap: Case = {
  name: "big-map",
  summary: "Get of a map of 10,000 states of 100 bytes",
  measurements(quick) {
    const clients = quick ? 1_000 : 10_000;
    return [measurement("quiet", clients, false, 3), measurement("1,000 updates/s", clients, true, 2)];
  },
};

function measurement(when: string, clients: number, changing: boolean, ratio: number): Measurement {
  return {
    parameter: `${clients.toLocaleString("en")} clients, ${when}`,
    peers: ["tracker", "redis"],
    metrics: requestMetrics({ rate: [{ against: "redis", ratio }], p99: [] }),
    sample: (bench, peer) => sample(bench, peer, clients, changing),
  };
}

/** Requests to one server. */
interface Exchange {
  enter: JobBytes;
  entered: number;
  change: JobBytes;
  changed: number;
  request: JobBytes;
}

const messages = trackerMessages();
const state = stateOf(STATE_SIZE);
const changed = stateOf(STATE_SIZE, "b");

const TRACKER: Exchange = {
  enter: messages.open(state),
  entered: 1,
  change: messages.update(changed),
  changed: 0,
  request: messages.get,
};

const REDIS: Exchange = {
  enter: redis("HSET", "map", "client#####", state),
  entered: ":1\r\n".length,
  change: redis("HSET", "map", "client#####", changed),
  changed: ":0\r\n".length,
  request: redis("HGETALL", "map"),
};

async function sample(bench: Bench, peer: Peer, clients: number, changing: boolean): Promise<Sample> {
  const { enter, entered, change, changed, request } = peer === "redis" ? REDIS : TRACKER;
  const { port, process } = await bench.server(peer);
  await using holder = bench.generator();
  await holder.perform({ kind: "connect", port, count: clients, first: 0, prelude: enter, reply: entered });
  await using generator = bench.generator();
  await generator.perform({ kind: "connect", port, count: 1, first: 0, prelude: [], reply: 0 });
  const { size: reply = 0 } = await generator.perform({ kind: "learn", request });
  if (reply < clients * STATE_SIZE) throw new Error(`Cannot ask ${peer}: its reply has only ${reply} bytes`);
  const ask = () => generator.measure({ kind: "ask", request, reply, seconds: bench.seconds }, process);
  const seconds = bench.seconds + MARGIN;
  const [result] = changing
    ? await Promise.all([ask(), keepChanging(holder, change, changed, seconds)])
    : [await ask()];
  const { count, p50 = NaN, p99 = NaN, cpu } = result;
  return { values: { rate: count / result.seconds, p50, p99 }, cpu };
}

async function keepChanging(holder: Generator, message: JobBytes, reply: number, seconds: number): Promise<void> {
  const { count } = await holder.perform({ kind: "pace", message, reply, perSecond: UPDATES_PER_SECOND, seconds });
  // The map must have changed as often as the case says.
  if (count < UPDATES_PER_SECOND * seconds * 0.9) throw new Error(`Cannot keep the pace: only ${count} updates`);
}
