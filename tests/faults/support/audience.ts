/**
 * Watchers, some of which never read.
 *
 * @module
 */

import { ByteClient } from "../../support/byte_client.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface AudienceJob {
  port: number;
  /** Watchers that never read. */
  stuck: number;
}

/** What the helper is asked. */
export type AudienceQuestion =
  /** Lets so many begin a watch at once. Answered when all have the map. */
  | { begin: number }
  /** Waits until each of them has been told of a state. */
  | { until: string };

/** The answer. */
export interface AudienceAnswer {
  /** How long the slowest took, in milliseconds. */
  took: number;
}

/** Bytes at the end of what has come in which a marker is looked for. */
const TAIL = 256;

/** A watcher that looks for the end of what it is told, and at nothing else: decoding would take longer than telling. */
class Viewer {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(262_144);
  #tail = "";

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async begin(port: number): Promise<[viewer: Viewer, incarnation: string]> {
    const connection = await Deno.connect({ port });
    const client = new ByteClient(connection);
    const { incarnation } = await client.hello();
    await client.watch();
    return [new Viewer(connection), incarnation];
  }

  /** Reads until the last bytes that have come contain a text. */
  async readUntil(text: string): Promise<void> {
    while (!this.#tail.includes(text)) {
      const count = await this.#connection.read(this.#buffer);
      if (count === null) throw new Error("the watch has ended");
      const last = decoder.decode(this.#buffer.subarray(Math.max(0, count - TAIL), count));
      this.#tail = (this.#tail + last).slice(-TAIL);
    }
    this.#tail = "";
  }
}

const decoder = new TextDecoder("latin1");

if (import.meta.main) {
  const { port, stuck } = job<AudienceJob>();
  const held = await Promise.all(Array.from({ length: stuck }, () => Viewer.begin(port)));
  tell({ stuck: held.length });
  const viewers: Viewer[] = [];
  for await (const question of questions<AudienceQuestion>()) {
    const before = performance.now();
    if ("begin" in question) {
      viewers.push(
        ...await Promise.all(Array.from({ length: question.begin }, async () => {
          const [viewer, incarnation] = await Viewer.begin(port);
          // The event that ends a snapshot has it, and no other.
          await viewer.readUntil(incarnation);
          return viewer;
        })),
      );
    } else {
      await Promise.all(viewers.map((viewer) => viewer.readUntil(question.until)));
    }
    tell({ took: performance.now() - before } satisfies AudienceAnswer);
  }
  Deno.exit(0);
}
