/**
 * One run: a server under load, compared with the model in each round, and with itself at the end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { Client, type Connection, type Stats } from "../../mod.ts";
import { chooseOpenings, chooseRound } from "./choice.ts";
import { agree, Disagreement, type Witnesses } from "./check.ts";
import { Host } from "./host.ts";
import { connected, type Member } from "./member.ts";
import type { Task } from "./operations/operation.ts";
import { openProbe, Readers } from "./probe.ts";
import { type Level, levelOf, Recorder, type Sample } from "./recorder.ts";
import { createFollowers, POPULATION, World } from "./world.ts";

/** Duration of a round, and of its part in which operations start, in milliseconds. */
const ROUND = 1_000;
const BUSY = 600;

/** Share of the run that warms up the server, and the most rounds that it takes. */
const WARM_UP = 0.2;
const LONGEST_WARM_UP = 60;

/** Spare connections: a client may have to reconnect more often than planned. */
const RESERVE = 60;

/** Connections of observers and of watchers. */
const WITNESSES = 20;

/** Options for {@linkcode soak}. */
export interface SoakOptions {
  /** Duration, in milliseconds. */
  duration: number;
  seed: number;
  /** Most connections to make. */
  connections: number;
  /** Ends it early when aborted. */
  signal?: AbortSignal;
  /** Called after each round. */
  onSample?: (sample: Sample) => void;
}

/** Results of a run. */
export interface Report {
  seed: number;
  /** Whether it was interrupted. */
  interrupted: boolean;
  /** Duration, in seconds. */
  seconds: number;
  /** Duration of the warm-up, in seconds. */
  warmUp: number;
  /** Comparisons of the server and its watchers with the model. */
  checks: number;
  /** Connections made. */
  connections: number;
  /** Number of each operation. */
  operations: Record<string, number>;
  /** The empty server after the warm-up, and at the end. */
  before: Level;
  after: Level;
  /** Watchers cut off for reading too slowly. */
  watchersCut: number;
  /** The server's own statistics. */
  stats: Stats;
  samples: Sample[];
}

/**
 * Runs a server under load.
 *
 * @param options Its duration and its load
 * @returns Its results
 * @throws {Disagreement} if the server misbehaved, or is not empty at the end
 */
export async function soak(options: SoakOptions): Promise<Report> {
  await using host = await Host.start();
  const run = new Soak(host, options);
  try {
    return await run.run();
  } catch (error) {
    throw new Disagreement(`${error instanceof Error ? error.message : error}\nThe server's last words:\n${host.log}`, {
      cause: error,
    });
  } finally {
    run.abandon();
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #world: World;
  readonly #recorder: Recorder;
  readonly #startedAt = performance.now();
  readonly #rounds: number;
  #checks = 0;
  #cuts = 0;
  #clients: Client[] = [];

  constructor(host: Host, options: SoakOptions) {
    this.#options = options;
    this.#world = new World(host, options.seed, options.connections);
    this.#recorder = new Recorder(host);
    this.#rounds = Math.max(2, Math.round(options.duration / ROUND));
  }

  async run(): Promise<Report> {
    const { host, lines } = this.#world;
    const probe = await openProbe(lines);
    await this.#load(probe, this.#warmUp);
    const before = await levelOf(host, await probe.stats());
    if (!this.#isOver) await this.#load(probe, this.#rounds);
    const stats = await probe.stats();
    const after = await levelOf(host, stats);
    const told = stats.errors["SLOW_CONSUMER"] ?? 0;
    assert(told >= this.#cuts, `${this.#cuts} watchers were cut off, only ${told} of them because they were slow`);
    await probe.close();
    assertEquals(lines.open.size, 0, "no connection may be left open");
    assertEquals(await host.stop(), 0, "the server must exit with 0");
    return this.#report(before, after, stats);
  }

  /** Closes everything that a failure left open. */
  abandon(): void {
    for (const client of this.#clients) client.abort();
    for (const member of this.#world.present) member.abort();
    for (const follower of this.#world.followers) follower.release();
    for (const line of this.#world.lines.open) line.close();
  }

  /** Number of rounds that warm up the server. */
  get #warmUp(): number {
    return Math.max(1, Math.min(LONGEST_WARM_UP, Math.round(this.#rounds * WARM_UP)));
  }

  get #isOver(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** Fills the server, keeps it busy until a round, and empties it again. */
  async #load(probe: Connection, lastRound: number): Promise<void> {
    const { planned } = this.#world;
    const witnesses = await this.#callWitnesses(probe);
    await this.#play(chooseOpenings(this.#world), witnesses);
    this.#world.planned = planned;
    while (this.#world.round < lastRound && !this.#isOver) {
      this.#releaseStalled();
      await this.#play(chooseRound(this.#world, this.#allowance()), witnesses);
    }
    await this.#empty(witnesses);
  }

  async #callWitnesses(probe: Connection): Promise<Witnesses> {
    const { lines } = this.#world;
    const client = new Client({ dial: lines.dialer(() => {}), heartbeat: 2 });
    this.#clients = [client];
    await connected(client);
    const prefixes = ["", "n", "client1"];
    const mirrors = prefixes.map((prefix) => ({ prefix, mirror: client.mirror({ prefix }) }));
    this.#world.followers = createFollowers(client);
    await Promise.all(mirrors.map(({ mirror }) => mirror.synced));
    return { probe, readers: await Readers.open(lines), mirrors };
  }

  /** Runs the chosen operations at about the same time, then compares everything with the model. */
  async #play(tasks: Task[], witnesses: Witnesses): Promise<void> {
    const startedAt = performance.now();
    const { random } = this.#world;
    const starts = tasks.map(() => random.integer(0, BUSY));
    await Promise.all(tasks.map(async (task, index) => {
      await delay(starts[index]!);
      await task();
    }));
    const quietAt = performance.now();
    await this.#world.checkBackground();
    const stats = await agree(this.#world, witnesses);
    this.#checks++;
    const sample = await this.#recorder.take(stats, performance.now() - quietAt);
    this.#options.onSample?.(sample);
    await delay(Math.max(0, ROUND - (performance.now() - startedAt)), this.#options.signal);
  }

  /** Number of connections that this round may make without taking those of later rounds. */
  #allowance(): number {
    const { round, planned, absent } = this.#world;
    const reserved = RESERVE + 2 * (POPULATION + WITNESSES);
    const due = (this.#options.connections - reserved) * Math.min(1, (round + 1) / this.#rounds);
    // At the end, each absent client needs one more to say that it will not return.
    return Math.max(0, Math.floor(due) - planned - absent.size);
  }

  #releaseStalled(): void {
    const { stalls, round } = this.#world;
    for (const [follower, until] of stalls) {
      if (round < until) continue;
      follower.release();
      stalls.delete(follower);
    }
  }

  /** Makes every client leave, after which the server must be empty. */
  async #empty({ probe, readers, mirrors }: Witnesses): Promise<void> {
    const world = this.#world;
    for (const follower of world.followers) {
      this.#cuts += follower.cuts;
      await follower.detach();
    }
    world.followers = [];
    world.stalls.clear();
    for (const member of [...world.present]) await this.#dismiss(member);
    for (const member of [...world.absent]) await this.#fetch(member).then(() => this.#dismiss(member));
    await Promise.all([...mirrors.map(({ mirror }) => mirror.close()), readers.close()]);
    await Promise.all(this.#clients.map((client) => client.close()));
    await world.finish();
    const last = await Readers.open(world.lines);
    await agree(world, { probe, readers: last, mirrors: [] });
    await last.close();
    await this.#untilDeserted(probe);
  }

  async #dismiss(member: Member): Promise<void> {
    this.#world.part(member, false);
    this.#world.model.leave(member.key);
    await member.peer.close();
  }

  async #fetch(member: Member): Promise<void> {
    const connection = member.connect(await this.#world.lines.dial());
    await connection.hello({ name: member.key });
  }

  async #untilDeserted(probe: Connection): Promise<void> {
    const empty = { connections: 1, unauthorized: 0, clients: 0, suspects: 0, watchers: 0, stateBytes: 0 };
    const startedAt = performance.now();
    for (;;) {
      const { now } = await probe.stats();
      if (JSON.stringify(now) === JSON.stringify(empty)) return;
      if (performance.now() - startedAt > 10_000) assertEquals(now, empty, "the server is not empty");
      await delay(20);
    }
  }

  #report(before: Level, after: Level, stats: Stats): Report {
    return {
      seed: this.#options.seed,
      interrupted: this.#isOver,
      seconds: Math.round((performance.now() - this.#startedAt) / 100) / 10,
      warmUp: this.#warmUp * ROUND / 1_000,
      checks: this.#checks,
      connections: this.#world.lines.made,
      operations: this.#world.done,
      before,
      after,
      watchersCut: this.#cuts,
      stats,
      samples: this.#recorder.samples,
    };
  }
}
