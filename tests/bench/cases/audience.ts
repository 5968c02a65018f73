/**
 * Writers, and those who are told what they write: a stage that several cases use.
 *
 * @module
 */

import type { Generator, Measured } from "../generator.ts";
import type { DeliverJob, JobBytes } from "../load/job.ts";
import type { Bench } from "../measurement.ts";
import { redis, stateOf, trackerMessages, trackerWatch } from "../messages.ts";
import type { Peer, RunningServer } from "../peers.ts";

/** What every change carries: 8 bytes for the time of sending, the writer's number, and a filling. */
const STATE_SIZE = 32;
const STAMP = "@".repeat(8);

/** How each server is told a change, and tells it. */
interface Words {
  /** What makes a connection a writer, and the size of the reply. */
  enter: JobBytes;
  entered: number;
  /** What makes a connection a watcher. */
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
  // An Open replaces the state of a client that is open. Unlike Updates, Opens that arrive together are never taken
  // for one, and each is answered, as each PUBLISH is.
  const change = trackerMessages().open(state);
  return { enter: change, entered: 1, watch: trackerWatch(), change, hearing: "frames" };
}

function stampOf(message: JobBytes): number {
  return String.fromCharCode(...message).indexOf(STAMP);
}

/** How the changes are sent. */
export type Rhythm = Pick<DeliverJob, "together" | "window" | "perSecond" | "seconds">;

/** Some writers, and some watchers who hear what each of them writes. */
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
   * @param peer Which server it is
   * @param server The server
   * @param writers How many write
   * @param watchers How many watch
   * @returns All of them, and nothing is under way
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

  /** Has the writers write and the watchers listen, until every watcher has heard everything. */
  deliver(rhythm: Rhythm): Promise<Measured> {
    return this.#generator.measure({ ...this.#job, ...rhythm }, this.#server.process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#generator[Symbol.asyncDispose]();
  }
}

/** A watcher is told first who is there, which is the same for all of them. */
async function learnReply(bench: Bench, port: number, watch: JobBytes): Promise<number> {
  await using scout = bench.generator();
  await scout.perform({ kind: "connect", port, count: 1, first: 0, prelude: [], reply: 0 });
  const { size = 0 } = await scout.perform({ kind: "learn", request: watch });
  return size;
}

/** A watcher of a Tracker that reads nothing. */
export class StalledWatcher implements AsyncDisposable {
  readonly #generator: Generator;

  private constructor(generator: Generator) {
    this.#generator = generator;
  }

  /** Connects it. */
  static async connect(bench: Bench, { port }: RunningServer): Promise<StalledWatcher> {
    const generator = bench.generator();
    await generator.perform({ kind: "connect", port, count: 1, first: 0, prelude: trackerWatch(), reply: 0 });
    return new StalledWatcher(generator);
  }

  /**
   * Has it read at last, to see that it was behind: what it gets must be far less than what it would have got.
   *
   * @param changes How many changes were made meanwhile, at least
   */
  async confirm(changes: number): Promise<void> {
    const { size = 0 } = await this.#generator.perform({ kind: "learn", request: [] });
    if (size > changes * STATE_SIZE / 2) throw new Error(`Cannot stall watcher: it has got ${size} bytes all the same`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#generator[Symbol.asyncDispose]();
  }
}
