/**
 * Idle memory: the cost of a silent client.
 *
 * @module
 */

import type { Bench, Case, Measurement, Sample } from "../measurement.ts";
import { redis, stateOf, trackerMessages } from "../messages.ts";
import type { Peer } from "../peers.ts";

const STATE_SIZE = 16;

/** Time for the server to tidy up before its memory is read, in milliseconds. */
const SETTLING = 1_000;

export const memory: Case = {
  name: "memory",
  summary: "resident memory per idle client with a state of 16 bytes",
  measurements: (quick) => (quick ? [1_000] : [1_000, 10_000]).map(measurement),
};

function measurement(clients: number): Measurement {
  return {
    parameter: `${clients.toLocaleString("en")} clients`,
    peers: ["tracker", "redis"],
    metrics: [{
      key: "added",
      label: "per client",
      unit: "B",
      better: "less",
      targets: [{ against: "redis", ratio: 1 }],
    }, {
      key: "total",
      label: "whole server",
      unit: "B",
      better: "less",
      targets: [],
    }],
    sample: (bench, peer) => sample(bench, peer, clients),
  };
}

async function sample(bench: Bench, peer: Peer, clients: number): Promise<Sample> {
  // A server for this run: memory freed by an earlier run would be reused and not be seen.
  await using server = await bench.freshServer(peer);
  const before = await server.process.residentBytes();
  await using generator = bench.generator();
  const state = stateOf(STATE_SIZE);
  const [prelude, reply] = peer === "redis"
    ? [redis("SET", "client#####", state), "+OK\r\n".length] as const
    : [trackerMessages().open(state), 1] as const;
  await generator.perform({ kind: "connect", port: server.port, count: clients, first: 0, prelude, reply });
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  const total = await server.process.residentBytes();
  return { values: { added: (total - before) / clients, total } };
}
