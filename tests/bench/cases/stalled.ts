/**
 * Stalled: one watcher that reads nothing, among others that do.
 *
 * @module
 */

import type { Bench, Case, Measurement, Metric, Sample } from "../measurement.ts";
import type { RunningServer } from "../peers.ts";
import { Audience, StalledWatcher } from "./audience.ts";

const WATCHERS = 100;

/** At which the time of delivery is measured. */
const MESSAGES_PER_SECOND = 1_000;

/** Messages the writer sends in one piece while there are as many as possible. */
const TOGETHER = 128;
const WINDOW = 4_096;

/** The time of delivery is to be compared, so it is looked at for this much longer than others. */
const LONGER = 4;

/** How long changes are made as fast as they are heard, first to fill what the system holds for the stalled one. */
const FILL_SECONDS = 2;

/** How long changes are made so, after that, while memory is looked at. */
const LOAD_SECONDS = 3;

/**
 * How much the server's memory may grow meanwhile, in bytes. What the collector leaves lying goes up and down by less;
 * what a stalled watcher has not read would be more.
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
  // Either way a server of its own, so that neither finds memory that the other has left.
  const without = await run(bench, false);
  const { p99, rate, growth } = await run(bench, true);
  return { values: { ...without, p99Stalled: p99, rateStalled: rate, growthStalled: growth } };
}

/** What a run without a stalled watcher gave, or with one. */
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
  // A short run fits into what the system holds for a connection that is not read.
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
