/**
 * Start: from nothing to the first accepted connection.
 *
 * @module
 */

import type { Case, Measurement } from "../measurement.ts";
import { startTimed } from "../peers.ts";

export const start: Case = {
  name: "start",
  summary: "process start to the first accepted connection",
  measurements: (): Measurement[] => [{
    parameter: "warm cache",
    peers: ["tracker", "redis", "memcached", "discard"],
    metrics: [{
      key: "milliseconds",
      label: "time",
      unit: "ms",
      better: "less",
      targets: [{ against: 100, ratio: 1 }],
    }],
    async sample(bench, peer) {
      const { server, milliseconds } = await startTimed(peer, bench.tracker);
      await server[Symbol.asyncDispose]();
      return { values: { milliseconds } };
    },
  }],
};
