/**
 * Stalled: one watcher that reads nothing, among others that read.
 *
 * @module
 */

import type { Bench, Case, Measurement, Metric, Sample } from "../measurement.ts";
import type { RunningServer } from "../peers.ts";
import { Audience, StalledWatcher } from "./audience.ts";

const WATCHERS = 100;

/** Rate of messages at which latency is measured, per second. */
const MESSAGES_PER_SECOND = 1_000;

/** Messages that the writer sends at once at full rate. */
const TOGETHER = 128;
const WINDOW = 4_096;

/** Factor by which latency is measured longer than elsewhere, since it is compared. */
const LONGER = 4;

/** Time at full rate that fills the system's buffers for the stalled watcher, in seconds. */
const FILL_SECONDS = 2;

/** Time at full rate after that while memory is measured, in seconds. */
const LOAD_SECONDS = 3;

/**
 * Allowed growth of the server's memory meanwhile, in bytes. Garbage varies by less; the unread output of a stalled
 * watcher would be more.
 */
const GROWTH = 2 ** 25;

export const stalled: Case = {
  name: "stalled",
  summary: "100 watchers, and one more that reads nothing",
  measurements: (): Measurement[] => [{
    parameter: `1 writer, ${WATCHERS} watchers`,
    peers: ["tracker"],
    metrics: METRICS,
    sample: (bench) => sample(bench),
  }],
};

const METRICS: Metric[] = [
  { key: "p99", label: "p99", unit: "µs", better: "less", targets: [] },
  {
    key: "p99Stalled",
    label: "p99, one stalled",
    unit: "µs",
    better: "less",
    targets: [{ against: { key: "p99", label: "without" }, ratio: 1.1 }],
  },
  { key: "rate", label: "deliveries", unit: "1/s", better: "more", targets: [] },
  { key: "rateStalled", label: "deliveries, one stalled", unit: "1/s", better: "more", targets: [] },
  { key: "growth", label: "memory growth", unit: "B", better: "less", targets: [] },
  {
    key: "growthStalled",
    label: "memory growth, one stalled",
    unit: "B",
    better: "less",
    targets: [{ against: GROWTH, ratio: 1 }],
  },
];

async function sample(bench: Bench): Promise<Sample> {
  // Each run gets its own server, so that neither reuses memory that the other freed.
  const without = await run(bench, false);
  const { p99, rate, growth } = await run(bench, true);
  return { values: { ...without, p99Stalled: p99, rateStalled: rate, growthStalled: growth } };
}

/** Result of a run without a stalled watcher, or with one. */
interface Figures {
  p99: number;
  rate: number;
  growth: number;
}

async function run(bench: Bench, isStalled: boolean): Promise<Figures> {
  await using server = await bench.freshServer("tracker");
  await using audience = await Audience.gather(bench, "tracker", server, 1, WATCHERS);
  if (!isStalled) return await measure(bench, server, audience);
  await using watcher = await StalledWatcher.connect(bench, server);
  const figures = await measure(bench, server, audience);
  // A short run fits into the system's buffers for an unread connection.
  if (!bench.quick) await watcher.confirm(LOAD_SECONDS * figures.rate / WATCHERS);
  return figures;
}

async function measure(bench: Bench, server: RunningServer, audience: Audience): Promise<Figures> {
  const fast = { together: TOGETHER, window: WINDOW, perSecond: 0 };
  await audience.deliver({ ...fast, seconds: bench.quick ? bench.seconds : FILL_SECONDS });
  const before = await server.process.residentBytes();
  const { count, seconds } = await audience.deliver({ ...fast, seconds: bench.quick ? bench.seconds : LOAD_SECONDS });
  const growth = await server.process.residentBytes() - before;
  const steady = { together: 1, window: WINDOW, perSecond: MESSAGES_PER_SECOND, seconds: bench.seconds * LONGER };
  const { p99 = NaN } = await audience.deliver(steady);
  return { p99, rate: count / seconds, growth };
}
