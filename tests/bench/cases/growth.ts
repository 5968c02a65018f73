/**
 * Growth: costs that rise with the number of clients.
 *
 * @module
 */

import type { Bench, Case, Measurement, Metric, Sample } from "../measurement.ts";
import { stateOf, trackerMessages } from "../messages.ts";

const STATE_SIZE = 16;

/** Number of clients that update, fixed so that only the map differs. */
const ACTIVE = 10;

/** Time for the server to tidy up before its memory is read, in milliseconds. */
const SETTLING = 500;

export const growth: Case = {
  name: "growth",
  summary: "an update, a Get after one change, and memory, with more and more clients",
  measurements: (quick) => [measurement(quick ? [10, 1_000] : [10, 100, 1_000, 10_000])],
};

function measurement(sizes: readonly number[]): Measurement {
  return {
    parameter: `${sizes.map((size) => size.toLocaleString("en")).join(" · ")} clients`,
    peers: ["tracker"],
    metrics: metricsFor(sizes),
    sample: (bench) => sampleAll(bench, sizes),
  };
}

function metricsFor(sizes: readonly number[]): Metric[] {
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  const second = sizes.at(-2);
  const metrics: Metric[] = [];
  const last = <T>(size: number, ...items: T[]) => size === largest ? items : [];
  for (const size of sizes) {
    const targets = last(size, { against: { key: `update${smallest}`, label: `with ${smallest}` }, ratio: 1.2 });
    metrics.push({ key: `update${size}`, label: `update, ${size}`, unit: "µs", better: "less", targets });
  }
  for (const size of sizes) {
    metrics.push({ key: `get${size}`, label: `Get, ${size}`, unit: "µs", better: "less", targets: [] });
  }
  for (const size of sizes) {
    const targets = last(size, { against: { key: `byte${second}`, label: `with ${second}` }, ratio: 1 });
    metrics.push({ key: `byte${size}`, label: `Get per byte, ${size}`, unit: "ns/B", better: "less", targets });
  }
  for (const size of sizes) {
    metrics.push({ key: `memory${size}`, label: `memory, ${size}`, unit: "B", better: "less", targets: [] });
  }
  return metrics;
}

async function sampleAll(bench: Bench, sizes: readonly number[]): Promise<Sample> {
  const values: Record<string, number> = {};
  for (const size of sizes) await sampleOne(bench, size, values);
  return { values };
}

async function sampleOne(bench: Bench, size: number, values: Record<string, number>): Promise<void> {
  await using server = await bench.freshServer("tracker");
  const { port, process } = server;
  const messages = trackerMessages();
  const prelude = messages.open(stateOf(STATE_SIZE));
  const before = await process.residentBytes();
  await using holder = bench.generator();
  await holder.perform({ kind: "connect", port, count: size - ACTIVE, first: ACTIVE, prelude, reply: 1 });
  await using active = bench.generator();
  await active.perform({ kind: "connect", port, count: ACTIVE, first: 0, prelude, reply: 1 });
  await new Promise((resolve) => setTimeout(resolve, SETTLING));
  values[`memory${size}`] = (await process.residentBytes() - before) / size;

  // An Update has no reply: the Open after it, also an update, confirms it.
  const update = [...messages.update(stateOf(STATE_SIZE, "b")), ...messages.open(stateOf(STATE_SIZE, "c"))];
  const ask = { kind: "ask", request: update, reply: 1, seconds: bench.seconds } as const;
  await active.perform({ ...ask, seconds: bench.seconds / 2 });
  const updated = await active.measure(ask, process);
  values[`update${size}`] = updated.cpu.server * updated.seconds / updated.count * 1e6;

  await using asker = bench.generator();
  await asker.perform({ kind: "connect", port, count: 1, first: 0, prelude, reply: 1 });
  const { size: reply = 0 } = await asker.perform({ kind: "learn", request: messages.get });
  const request = [...messages.update(stateOf(STATE_SIZE, "d")), ...messages.get];
  await asker.perform({ kind: "ask", request, reply, seconds: bench.seconds / 2 });
  const { p50 = NaN } = await asker.perform({ kind: "ask", request, reply, seconds: bench.seconds });
  values[`get${size}`] = p50;
  values[`byte${size}`] = p50 * 1_000 / reply;
}
