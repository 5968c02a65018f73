/**
 * Records the server's resources over time.
 *
 * @module
 */

import { delay } from "../../lib/base/async.ts";
import type { Stats } from "../../mod.ts";
import type { Host } from "./host.ts";

/** A sample of the server. */
export interface Sample {
  /** Seconds since the first sample. */
  at: number;
  /** Resident memory, used heap and memory outside the heap, in bytes. */
  rss: number;
  heap: number;
  external: number;
  /** Open descriptors. */
  descriptors: number;
  connections: number;
  clients: number;
  suspects: number;
  watchers: number;
  /** Messages a second since the last sample. */
  messages: number;
  /** Time until everything agreed with the model, in milliseconds. */
  agreed: number;
}

/** Resources of an empty server after garbage collection. */
export interface Level {
  rss: number;
  heap: number;
  external: number;
  descriptors: number;
  connections: number;
  watchers: number;
  suspects: number;
}

/** Number of garbage collections, and the rest before each, in milliseconds. */
const COLLECTIONS = 4;
const REST = 250;

/** Records the server's resources. */
export class Recorder {
  readonly samples: Sample[] = [];
  readonly #host: Host;
  #startedAt = 0;
  #last = { at: 0, messages: 0 };

  /** @param host The server */
  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Takes a sample.
   *
   * @param stats The server's own statistics
   * @param agreed Time until everything agreed with the model, in milliseconds
   */
  async take(stats: Stats, agreed: number): Promise<Sample> {
    const [memory, descriptors] = await Promise.all([this.#host.memory(), this.#host.descriptors()]);
    const now = performance.now();
    if (this.samples.length === 0) this.#startedAt = now;
    const messages = messagesOf(stats);
    const elapsed = (stats.uptime - this.#last.at) / 1_000;
    const { connections, clients, suspects, watchers } = stats.now;
    const sample = {
      at: Math.round((now - this.#startedAt) / 100) / 10,
      rss: memory.rss,
      heap: memory.heapUsed,
      external: memory.external,
      descriptors,
      connections,
      clients,
      suspects,
      watchers,
      messages: Math.round((messages - this.#last.messages) / elapsed),
      agreed: Math.round(agreed),
    };
    this.#last = { at: stats.uptime, messages };
    this.samples.push(sample);
    return sample;
  }
}

/** Counts the messages that a server has received. */
export function messagesOf({ messages }: Stats): number {
  return Object.values(messages).flatMap((byType) => Object.values(byType)).reduce((sum, count) => sum + count, 0);
}

/**
 * Measures an empty server.
 *
 * @param host The server
 * @param stats The server's own statistics
 */
export async function levelOf(host: Host, { now }: Stats): Promise<Level> {
  for (let times = 0; times < COLLECTIONS; times++) {
    await delay(REST);
    await host.memory({ collect: true });
  }
  const { rss, heapUsed, external } = await host.memory();
  const { connections, watchers, suspects } = now;
  return { rss, heap: heapUsed, external, descriptors: await host.descriptors(), connections, watchers, suspects };
}
