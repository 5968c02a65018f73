/**
 * Churn: clients that come and go.
 *
 * @module
 */

import type { Bench, Case, Measurement, Sample } from "../measurement.ts";
import { redis, trackerMessages } from "../messages.ts";
import type { Peer } from "../peers.ts";

/** Connections at once. */
const TOGETHER = 50;

/** Total number of connections. Each leaves its port in use for a minute. */
const VISITS = 20_000;

const STATE = "just passing by";

export const churn: Case = {
  name: "churn",
  summary: "connect, Open, Close",
  measurements: (quick): Measurement[] => [{
    parameter: `${TOGETHER} at once`,
    peers: ["tracker", "redis"],
    metrics: [{
      key: "rate",
      label: "visits",
      unit: "1/s",
      better: "more",
      targets: [{ against: "redis", ratio: 0.8 }],
    }],
    sample: (bench, peer) => sample(bench, peer, quick ? VISITS / 10 : VISITS),
  }],
};

async function sample(bench: Bench, peer: Peer, count: number): Promise<Sample> {
  const { port, process } = await bench.server(peer);
  await using generator = bench.generator();
  const messages = trackerMessages();
  const ok = "+OK\r\n".length;
  const words = peer === "redis"
    ? { hello: redis("SET", "client", STATE), helloReply: ok, goodbye: redis("QUIT"), goodbyeReply: ok }
    : { hello: messages.open(STATE), helloReply: 1, goodbye: messages.close, goodbyeReply: 1 };
  const { seconds, cpu } = await generator.measure(
    { kind: "churn", port, count, together: TOGETHER, ...words },
    process,
  );
  return { values: { rate: count / seconds }, cpu };
}
