/**
 * The parts of a case.
 *
 * @module
 */

import { Generator } from "./generator.ts";
import { type Peer, type RunningServer, start } from "./peers.ts";

/** A target of a figure. */
export interface Target {
  /** The reference: another server, another figure of the same measurement, or a number. */
  against: Exclude<Peer, "tracker"> | { key: string; label: string } | number;
  /** Ratio to reach, or not to exceed if less is better. */
  ratio: number;
}

/** One figure of a measurement. */
export interface Metric {
  /** Its key in a sample. */
  key: string;
  /** Its name in the table. */
  label: string;
  unit: "1/s" | "µs" | "ms" | "B" | "ns/B";
  /** The better direction. */
  better: "more" | "less";
  targets: readonly Target[];
}

/**
 * Creates the metrics of requests that wait for their replies: their rate and their latency.
 *
 * @param targets Targets of `rate` and `p99`, if any
 * @returns The metrics `rate`, `p50` and `p99`
 */
export function requestMetrics(targets: { rate: readonly Target[]; p99: readonly Target[] }): Metric[] {
  return [
    { key: "rate", label: "requests", unit: "1/s", better: "more", targets: targets.rate },
    { key: "p50", label: "p50", unit: "µs", better: "less", targets: [] },
    { key: "p99", label: "p99", unit: "µs", better: "less", targets: targets.p99 },
  ];
}

/** Result of one run on one server. */
export interface Sample {
  values: Record<string, number>;
  /** Load of both processes during the measurement: 1 is one processor. */
  cpu?: { server: number; generator: number };
}

/** Everything that a run may use. */
export class Bench implements AsyncDisposable {
  /** Duration of a timed run, in seconds. */
  readonly seconds: number;
  /** Whether only to check that everything works. */
  readonly quick: boolean;
  /** Command line that runs Tracker. */
  readonly tracker: readonly string[];
  readonly #servers = new Map<Peer, RunningServer>();

  /**
   * @param quick Whether only to check that everything works
   * @param tracker The command line that runs Tracker
   */
  constructor(quick: boolean, tracker: readonly string[]) {
    this.quick = quick;
    this.seconds = quick ? 0.1 : 0.7;
    this.tracker = tracker;
  }

  /** Returns a server that lives as long as the measurement. */
  async server(peer: Peer): Promise<RunningServer> {
    const known = this.#servers.get(peer);
    if (known !== undefined) return known;
    const server = await start(peer, this.tracker);
    this.#servers.set(peer, server);
    return server;
  }

  /** Starts a server for one run. */
  freshServer(peer: Peer): Promise<RunningServer> {
    return start(peer, this.tracker);
  }

  /** Starts a load generator for one run. */
  generator(): Generator {
    return new Generator();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]();
    this.#servers.clear();
  }
}

/** A line of a case: a parameter, measured on several servers in turn. */
export interface Measurement {
  parameter: string;
  peers: readonly Peer[];
  metrics: readonly Metric[];
  /** Runs once on one server. */
  sample(bench: Bench, peer: Peer): Promise<Sample>;
}

/** A case. */
export interface Case {
  name: string;
  summary: string;
  /** Its measurements, fewer if they only have to show that everything works. */
  measurements(quick: boolean): Measurement[];
}
