/**
 * What a case is made of.
 *
 * @module
 */

import { Generator } from "./generator.ts";
import { type Peer, type RunningServer, start } from "./peers.ts";

/** What a figure is measured against. */
export interface Target {
  /** Another server, another figure of the same measurement, or a number. */
  against: Exclude<Peer, "tracker"> | { key: string; label: string } | number;
  /** The ratio to reach, or not to exceed where less is better. */
  ratio: number;
}

/** One figure of a measurement. */
export interface Metric {
  /** Where it is in a sample. */
  key: string;
  /** Its name in the table. */
  label: string;
  unit: "1/s" | "µs" | "ms" | "B" | "ns/B";
  /** Which is better. */
  better: "more" | "less";
  targets: readonly Target[];
}

/**
 * The figures of requests that wait for their replies: how many a second, and how long they take.
 *
 * @param targets What `rate` and `p99` are measured against, where anything is set
 * @returns The metrics `rate`, `p50` and `p99`
 */
export function requestMetrics(targets: { rate: readonly Target[]; p99: readonly Target[] }): Metric[] {
  return [
    { key: "rate", label: "requests", unit: "1/s", better: "more", targets: targets.rate },
    { key: "p50", label: "p50", unit: "µs", better: "less", targets: [] },
    { key: "p99", label: "p99", unit: "µs", better: "less", targets: targets.p99 },
  ];
}

/** What one run of one server gave. */
export interface Sample {
  values: Record<string, number>;
  /** How busy the two processes were while it was measured: 1 is one processor. */
  cpu?: { server: number; generator: number };
}

/** What a run may use. */
export class Bench implements AsyncDisposable {
  /** How long a run that goes by time lasts, in seconds. */
  readonly seconds: number;
  /** Whether only to see that everything works. */
  readonly quick: boolean;
  /** The command line that runs Tracker. */
  readonly tracker: readonly string[];
  readonly #servers = new Map<Peer, RunningServer>();

  /**
   * @param quick Whether only to see that everything works
   * @param tracker The command line that runs Tracker
   */
  constructor(quick: boolean, tracker: readonly string[]) {
    this.quick = quick;
    this.seconds = quick ? 0.1 : 0.7;
    this.tracker = tracker;
  }

  /** A server that lives as long as the measurement does. */
  async server(peer: Peer): Promise<RunningServer> {
    const known = this.#servers.get(peer);
    if (known !== undefined) return known;
    const server = await start(peer, this.tracker);
    this.#servers.set(peer, server);
    return server;
  }

  /** A server of one run's own. */
  freshServer(peer: Peer): Promise<RunningServer> {
    return start(peer, this.tracker);
  }

  /** A load generator of one run's own. */
  generator(): Generator {
    return new Generator();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]();
    this.#servers.clear();
  }
}

/** One line of a case: a parameter, measured on several servers in turn. */
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
  /** Its measurements, fewer when they only have to show that everything works. */
  measurements(quick: boolean): Measurement[];
}
