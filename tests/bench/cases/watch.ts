/**
 * Watch: every change delivered to every watcher.
 *
 * @module
 */

import type { Bench, Case, Measurement, Metric, Sample, Target } from "../measurement.ts";
import type { Peer } from "../peers.ts";
import { Audience } from "./audience.ts";

interface Parameters {
  writers: number;
  watchers: number;
  /** Messages in one write at full rate. */
  together: number;
  /** Most messages under way to the slowest watcher: Redis gains nothing from more. */
  window: number;
}

/** Deliveries a second at which latency is measured: well below the capacity of either server. */
const DELIVERIES_PER_SECOND = 100_000;

/** Most messages a second at which latency is measured. */
const MOST_MESSAGES_PER_SECOND = 1_000;

export const watch: Case = {
  name: "watch",
  summary: "changes delivered to watchers, and how late",
  measurements(quick) {
    const all: Parameters[] = [
      { writers: 1, watchers: 1, together: 256, window: 16_384 },
      { writers: 1, watchers: 100, together: 256, window: 16_384 },
      { writers: 1, watchers: 1_000, together: 128, window: 2_048 },
      { writers: 100, watchers: 100, together: 1, window: 4_096 },
    ];
    return (quick ? all.slice(1, 2) : all).map(measurement);
  },
};

function measurement(parameters: Parameters): Measurement {
  const { writers, watchers } = parameters;
  return {
    parameter: `${counted(writers, "writer")}, ${counted(watchers, "watcher")}`,
    peers: ["tracker", "redis"],
    metrics: metrics(watchers === 1 ? [] : [{ against: "redis", ratio: 1 }]),
    sample: (bench, peer) => sample(bench, peer, parameters),
  };
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function metrics(targets: readonly Target[]): Metric[] {
  return [
    { key: "rate", label: "deliveries", unit: "1/s", better: "more", targets },
    { key: "p50", label: "p50", unit: "µs", better: "less", targets: [] },
    { key: "p99", label: "p99", unit: "µs", better: "less", targets: [] },
  ];
}

async function sample(bench: Bench, peer: Peer, { writers, watchers, together, window }: Parameters): Promise<Sample> {
  const server = await bench.server(peer);
  await using audience = await Audience.gather(bench, peer, server, writers, watchers);
  const { count, seconds, cpu } = await audience.deliver({ together, window, perSecond: 0, seconds: bench.seconds });
  const perSecond = Math.min(MOST_MESSAGES_PER_SECOND, DELIVERIES_PER_SECOND / watchers);
  const { p50 = NaN, p99 = NaN } = await audience.deliver({ together: 1, window, perSecond, seconds: bench.seconds });
  return { values: { rate: count / seconds, p50, p99 }, cpu };
}
