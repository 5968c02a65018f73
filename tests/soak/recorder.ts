/**
 * What the server takes, and how that changes.
 *
 * @module
 */

import { delay } from "../../lib/base/async.ts";
import type { Stats } from "../../mod.ts";
import type { Host } from "./host.ts";

/** The server at one moment. */
export interface Sample {
  /** Seconds since the first one. */
  at: number;
  /** Resident memory, the engine's heap in use, and memory outside of it, in bytes. */
  rss: number;
  heap: number;
  external: number;
  /** Descriptors that it has open. */
  descriptors: number;
  connections: number;
  clients: number;
  suspects: number;
  watchers: number;
  /** Messages a second since the last one. */
  messages: number;
  /** How long it took until everything agreed with the model, in milliseconds. */
  agreed: number;
}

/** What the server holds when nobody is there and nothing is left to collect. */
export interface Level {
  rss: number;
  heap: number;
  external: number;
  descriptors: number;
  connections: number;
  watchers: number;
  suspects: number;
}

/** How often the collector is let loose, and how long the server is left alone before and in between, in milliseconds. */
const COLLECTIONS = 4;
const REST = 250;

/** Takes down what the server takes. */
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
   * Takes down how the server is.
   *
   * @param stats What it says of itself
   * @param agreed How long it took until everything agreed with the model, in milliseconds
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

/** How many messages a server has got. */
export function messagesOf({ messages }: Stats): number {
  return Object.values(messages).flatMap((byType) => Object.values(byType)).reduce((sum, count) => sum + count, 0);
}

/**
 * What an empty server holds.
 *
 * @param host The server
 * @param stats What it says of itself
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
