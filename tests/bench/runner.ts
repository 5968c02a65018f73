/**
 * Runs measurements: every server in turn, round by round, so that a slow spell of the machine affects all of them.
 *
 * @module
 */

import { Bench, type Case, type Measurement, type Metric, type Sample, type Target } from "./measurement.ts";
import { type Peer, PEERS } from "./peers.ts";
import { progress } from "./output.ts";
import { median } from "./statistics.ts";

/** Options for {@linkcode runCase}. */
export interface Plan {
  quick: boolean;
  rounds: number;
  match: string;
  peers: readonly Peer[];
  tracker: readonly string[];
}

/** A target and its outcome. */
export interface Judgement {
  target: Target;
  /** The figure divided by its reference. */
  ratio: number;
  met: boolean;
}

/** One figure. */
export interface Row {
  case: string;
  parameter: string;
  metric: string;
  unit: Metric["unit"];
  better: Metric["better"];
  medians: Partial<Record<Peer, number>>;
  judgements: Judgement[];
}

/** Load of a server and of the generator that drove it. */
export interface Load {
  case: string;
  parameter: string;
  peer: Peer;
  server: number;
  generator: number;
}

/** Results of a run of the benchmark. */
export interface Report {
  rows: Row[];
  loads: Load[];
}

/**
 * Runs one case.
 *
 * @param { name, measurements } The case
 * @param plan Servers, rounds and filters
 * @returns Its figures
 */
export async function runCase({ name, measurements }: Case, plan: Plan): Promise<Report> {
  const report: Report = { rows: [], loads: [] };
  for (const measurement of measurements(plan.quick)) {
    if (!measurement.parameter.includes(plan.match)) continue;
    const samples = await runMeasurement(name, measurement, plan);
    report.rows.push(...rowsOf(name, measurement, samples));
    report.loads.push(...loadsOf(name, measurement, samples));
  }
  return report;
}

type Samples = Partial<Record<Peer, Sample[]>>;

async function runMeasurement(name: string, measurement: Measurement, plan: Plan): Promise<Samples> {
  const peers = PEERS.filter((peer) => measurement.peers.includes(peer) && plan.peers.includes(peer));
  const samples: Samples = {};
  await using bench = new Bench(plan.quick, plan.tracker);
  // Round 0 compiles hot code and fills caches, and does not count.
  for (let round = 0; round <= plan.rounds; round++) {
    for (const peer of peers) {
      const when = round === 0 ? "warming up" : `round ${round} of ${plan.rounds}`;
      progress(`${name}: ${measurement.parameter}: ${peer}: ${when}`);
      const sample = await measurement.sample(bench, peer);
      if (round !== 0) (samples[peer] ??= []).push(sample);
    }
  }
  return samples;
}

function rowsOf(name: string, { parameter, metrics }: Measurement, samples: Samples): Row[] {
  const medianOf = (peer: Peer, key: string) => median((samples[peer] ?? []).map(({ values }) => values[key] ?? NaN));
  return metrics.map((metric) => {
    const medians: Partial<Record<Peer, number>> = {};
    for (const peer of PEERS) if (samples[peer] !== undefined) medians[peer] = medianOf(peer, metric.key);
    const judgements: Judgement[] = [];
    for (const target of metric.targets) {
      const { against } = target;
      const other = typeof against === "number"
        ? against
        : typeof against === "string"
        ? medians[against]
        : medianOf("tracker", against.key);
      if (other === undefined || medians.tracker === undefined) continue;
      const ratio = medians.tracker / other;
      judgements.push({ target, ratio, met: metric.better === "more" ? ratio >= target.ratio : ratio <= target.ratio });
    }
    return {
      case: name,
      parameter,
      metric: metric.label,
      unit: metric.unit,
      better: metric.better,
      medians,
      judgements,
    };
  });
}

function loadsOf(name: string, { parameter }: Measurement, samples: Samples): Load[] {
  return PEERS.flatMap((peer) => {
    const cpus = (samples[peer] ?? []).flatMap(({ cpu }) => cpu === undefined ? [] : [cpu]);
    if (cpus.length === 0) return [];
    const server = median(cpus.map((cpu) => cpu.server));
    const generator = median(cpus.map((cpu) => cpu.generator));
    return [{ case: name, parameter, peer, server, generator }];
  });
}
