/**
 * Writers and the watchers of their changes, shared by several cases.
 *
 * @module
 */

import type { Generator, Measured } from "../generator.ts";
import type { DeliverJob, JobBytes } from "../load/job.ts";
import type { Bench } from "../measurement.ts";
import { redis, stateOf, trackerMessages, trackerWatch } from "../messages.ts";
import type { Peer, RunningServer } from "../peers.ts";

/** Content of every change: 8 bytes for the time of sending, the writer's number, and a filling. */
const STATE_SIZE = 32;
const STAMP = "@".repeat(8);

/** How each server receives a change and delivers it. */
interface Words {
  /** Request that makes a connection a writer, and the size of the reply. */
  enter: JobBytes;
  entered: number;
  /** Request that makes a connection a watcher. */
  watch: JobBytes;
  change: JobBytes;
  hearing: DeliverJob["hearing"];
}

function wordsFor(peer: Peer, size: number): Words {
  const state = `${STAMP}${stateOf(size - STAMP.length)}`;
  if (peer === "redis") {
    const message = redis("message", "map", state);
    return {
      enter: redis("PING"),
      entered: "+PONG\r\n".length,
      watch: redis("SUBSCRIBE", "map"),
      change: redis("PUBLISH", "map", state),
      hearing: { size: message.length, stampAt: stampOf(message) },
    };
  }
  // An Open replaces the state of an open client. Unlike Updates, Opens that arrive together are never merged, and each
  // is answered, as each PUBLISH is.
  const change = trackerMessages().open(state);
  return { enter: change, entered: 1, watch: trackerWatch(), change, hearing: "frames" };
}

function stampOf(message: JobBytes): number {
  return String.fromCharCode(...message).indexOf(STAMP);
}

/** Pace of the changes. */
export type Rhythm = Pick<DeliverJob, "together" | "window" | "perSecond" | "seconds">;

/** Writers, and watchers of everything they write. */
export class Audience implements AsyncDisposable {
  readonly #generator: Generator;
  readonly #server: RunningServer;
  readonly #job: Pick<DeliverJob, "kind" | "senders" | "message" | "stampAt" | "hearing">;

  private constructor(generator: Generator, server: RunningServer, words: Words, writers: number) {
    this.#generator = generator;
    this.#server = server;
    const { change: message, hearing } = words;
    this.#job = { kind: "deliver", senders: writers, message, stampAt: stampOf(message), hearing };
  }

  /**
   * Connects writers and watchers.
   *
   * @param bench The run
   * @param peer The server's name
   * @param server The server
   * @param writers Number of writers
   * @param watchers Number of watchers
   * @returns All of them, with nothing under way
   */
  static async gather(
    bench: Bench,
    peer: Peer,
    server: RunningServer,
    writers: number,
    watchers: number,
  ): Promise<Audience> {
    const { port } = server;
    const words = wordsFor(peer, STATE_SIZE);
    const generator = bench.generator();
    await generator.perform({
      kind: "connect",
      port,
      count: writers,
      first: 0,
      prelude: words.enter,
      reply: words.entered,
    });
    const reply = await learnReply(bench, port, words.watch);
    await generator.perform({ kind: "connect", port, count: watchers, first: writers, prelude: words.watch, reply });
    return new Audience(generator, server, words, writers);
  }

  /** Makes the writers write until every watcher has received everything. */
  deliver(rhythm: Rhythm): Promise<Measured> {
    return this.#generator.measure({ ...this.#job, ...rhythm }, this.#server.process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#generator[Symbol.asyncDispose]();
  }
}

/** Waits for the snapshot that every watcher gets first; it is the same for all. */
async function learnReply(bench: Bench, port: number, watch: JobBytes): Promise<number> {
  await using scout = bench.generator();
  await scout.perform({ kind: "connect", port, count: 1, first: 0, prelude: [], reply: 0 });
  const { size = 0 } = await scout.perform({ kind: "learn", request: watch });
  return size;
}

/** A watcher of Tracker that reads nothing. */
export class StalledWatcher implements AsyncDisposable {
  readonly #generator: Generator;

  private constructor(generator: Generator) {
    this.#generator = generator;
  }

  /** Connects the watcher. */
  static async connect(bench: Bench, { port }: RunningServer): Promise<StalledWatcher> {
    const generator = bench.generator();
    await generator.perform({ kind: "connect", port, count: 1, first: 0, prelude: trackerWatch(), reply: 0 });
    return new StalledWatcher(generator);
  }

  /**
   * Makes it read at last, to check that it was behind: it must get far less than it would have got.
   *
   * @param changes Least number of changes made meanwhile
   */
  async confirm(changes: number): Promise<void> {
    const { size = 0 } = await this.#generator.perform({ kind: "learn", request: [] });
    if (size > changes * STATE_SIZE / 2) throw new Error(`Cannot stall watcher: it still received ${size} bytes`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#generator[Symbol.asyncDispose]();
  }
}
