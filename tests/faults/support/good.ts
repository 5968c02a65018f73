/**
 * Well-behaved clients that keep asking for the map, and the latency of the answers.
 *
 * @module
 */

import { Connection, dial } from "../../../mod.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface GoodJob {
  port: number;
  count: number;
}

/** Latencies, in milliseconds. */
export interface Latency {
  count: number;
  median: number;
  p99: number;
  worst: number;
}

async function measure(clients: readonly Connection[], milliseconds: number): Promise<Latency> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  await Promise.all(clients.map(async (client) => {
    for (let now = performance.now(); now < end;) {
      await client.get();
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
  }));
  return latencyOf(times);
}

/** Sums up latencies, in milliseconds. */
export function latencyOf(times: readonly number[]): Latency {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  return { count: sorted.length, median: at(0.5), p99: at(0.99), worst: at(1) };
}

if (import.meta.main) {
  const { port, count } = job<GoodJob>();
  const dialing = Array.from({ length: count }, async (_, number) => {
    const client = new Connection(await dial("127.0.0.1", port, undefined, 20_000));
    await client.open(`good ${number}`);
    return client;
  });
  const clients = await Promise.all(dialing);
  tell({ connected: clients.length });
  for await (const { milliseconds } of questions<{ milliseconds: number }>()) {
    tell(await measure(clients, milliseconds));
  }
  for (const client of clients) client.abort();
}
