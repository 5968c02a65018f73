import { Registry } from "../../mod.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext, type SessionContext } from "../../lib/server/context.ts";
import { textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";
import { Random } from "../support/random.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { Follower, type Ground } from "./follower.ts";
import { History } from "./history.ts";
import { Link } from "./link.ts";
import { Violation } from "./mirror.ts";
import { Reporter } from "./reporter.ts";

/** The results of a simulation. */
export interface Report {
  seed: number;
  /** Duration in virtual seconds. */
  seconds: number;
  connections: number;
  changes: number;
  frames: number;
  events: number;
  /** Changes that watchers were not told, because they read too slowly. */
  skipped: number;
  leaves: number;
  snapshots: number;
  resumes: number;
  lists: number;
  /** Watches that ended with SLOW_CONSUMER. */
  slow: number;
}

/** How long a watcher may take nothing, in milliseconds. */
const WATCHER_PATIENCE = 60_000;

const PREFIXES = ["", "", "", "client", "client1", "robot:", "robot:1", "nobody"];
const REPORTERS = 160;
const FOLLOWERS = 80;
/** Reporters that have names; several share each name. */
const NAMED = 60;
const NAMES = 15;
const STEPS = 250;

/** The conditions of a simulation, which its seed selects. */
interface Weather {
  /** Lengths of states to choose from. */
  readonly sizes: readonly number[];
  readonly maxUnsent: number;
  /** Whether followers sometimes stop reading. */
  readonly stalls: boolean;
  /** How many leaves the map keeps for those who come back. */
  readonly maxTombstones: number;
}

const WEATHERS: readonly Weather[] = [
  { sizes: [0, 10, 100, 500], maxUnsent: 2 ** 30, stalls: false, maxTombstones: 65_536 },
  { sizes: [0, 10, 1_000, 20_000], maxUnsent: 2 ** 30, stalls: true, maxTombstones: 65_536 },
  { sizes: [10, 1_000, 5_000], maxUnsent: 60_000, stalls: true, maxTombstones: 65_536 },
  { sizes: [10, 1_000, 5_000], maxUnsent: 2 ** 30, stalls: true, maxTombstones: 8 },
];

/**
 * Simulates a server's sessions and hundreds of clients on connections in memory.
 *
 * @param seed Determines everything that happens
 * @returns The results
 * @throws {Violation} if a watcher was wrongly told something, or not told
 */
export async function simulate(seed: number): Promise<Report> {
  using time = new VirtualTime();
  const world = new World(seed, time);
  try {
    for (let step = 0; step < STEPS; step++) await world.step();
    await world.calm();
  } finally {
    await world.end();
  }
  world.throwFailure();
  if (time.running !== 0) throw new Violation(`${time.running} timers are left over`);
  return world.report();
}

class World implements Ground {
  readonly history: History;
  readonly incarnation: string;
  readonly #seed: number;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #registry: Registry;
  readonly #context: SessionContext;
  readonly #sessions: { session: Session; ended: Promise<void> }[] = [];
  readonly #reporters: Reporter[] = [];
  readonly #followers: Follower[] = [];
  #failure: unknown = null;
  #states = 0;
  #slow = 0;

  constructor(seed: number, time: VirtualTime) {
    this.#seed = seed;
    this.#time = time;
    this.#random = new Random(seed);
    this.#weather = this.#random.pick(WEATHERS);
    const { maxTombstones } = this.#weather;
    this.#registry = new Registry({ incarnation: `seed${seed}`, now: () => time.now, maxTombstones });
    this.incarnation = this.#registry.incarnation;
    this.history = new History(this.#registry);
    this.#context = createSessionContext(this.#registry, { ...LIMITS, maxUnsent: this.#weather.maxUnsent });
    const keys = new Map<string, string>();
    for (let i = 0; i < REPORTERS; i++) {
      this.#reporters.push(new Reporter(this, i < NAMED ? `robot:${i % NAMES}` : null, keys));
    }
    for (let i = 0; i < FOLLOWERS; i++) this.#followers.push(new Follower(this, this.#random.pick(PREFIXES)));
  }

  connect(onVerdict?: (code: string) => void): Link {
    const [near, far] = createPair(this.#random.integer(0, 2 ** 31));
    const link = new Link(near);
    const session = new Session(far, this.#context, {
      onEvent: (_, event) => {
        if (event.kind !== "error") return;
        link.verdict = event.error.code;
        onVerdict?.(event.error.code);
      },
    });
    this.#sessions.push({ session, ended: session.run() });
    return link;
  }

  fail(error: unknown): void {
    this.#failure ??= error;
  }

  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** A watch may be ended only if the watcher has read nothing for a while, and has too much pending or is lost. */
  judge(follower: Follower, code: string): void {
    if (code === "SHUTTING_DOWN") return;
    this.#slow++;
    const { prefix } = follower.mirror;
    let most = 0;
    for (const entry of this.#registry.entries()) {
      if (entry.id.startsWith(prefix)) most += 16 + entry.idLength + entry.stateLength;
    }
    for (const { id, kind } of this.history.steps) {
      if (kind === "leave" && id.startsWith(prefix)) most += 16 + id.length;
    }
    const stalled = follower.stalledAt === null ? 0 : this.#time.now - follower.stalledAt;
    const isFull = stalled >= LIMITS.writeTimeout && most > this.#weather.maxUnsent;
    // With so few leaves kept, those that a reader still needs may be dropped at any time.
    const isLost = this.#weather.maxTombstones < 1_000;
    const isJustified = code === "SLOW_CONSUMER" && (isFull || isLost || stalled >= WATCHER_PATIENCE);
    if (isJustified) return;
    this.fail(
      new Violation(`a watch that read nothing for ${stalled} ms and had ${most} bytes pending ended with ${code}`),
    );
  }

  /** Lets a few clients act, at once or one after another, and some time pass, or none. */
  async step(): Promise<void> {
    const random = this.#random;
    for (let acts = random.integer(1, 12); acts > 0; acts--) {
      if (random.next() < 0.75) this.#report(random.pick(this.#reporters));
      else this.#follow(random.pick(this.#followers));
      if (random.next() < 0.3) await this.#time.settle();
    }
    if (random.next() < 0.05) this.#burst();
    await this.#time.advance(random.pick([0, 0, 1, 5, 10, 20, 300, random.next() < 0.1 ? 8_000 : 3]));
    this.throwFailure();
  }

  /** Lets stalled followers read and disconnected ones return, and then checks everything. */
  async calm(): Promise<void> {
    for (const follower of this.#followers) {
      follower.stall(null);
      if (!follower.isWatching) follower.watch();
    }
    for (const reporter of this.#reporters) reporter.list("nobody");
    await this.#time.advance(100);
    for (const follower of this.#followers) if (!follower.isWatching) follower.watch();
    await this.#time.advance(100);
    this.throwFailure();
    for (const { mirror, isSteady } of this.#followers) {
      mirror.requireExact();
      const isCalm = !this.#weather.stalls;
      if (isCalm && isSteady && mirror.skipped !== 0) throw new Violation(`${mirror.skipped} changes were skipped`);
    }
    this.#checkReporters();
  }

  async end(): Promise<void> {
    for (const each of [...this.#reporters, ...this.#followers]) each.cut(false);
    for (const { session, ended } of this.#sessions) {
      session.abort();
      await ended;
    }
    closeSessionContext(this.#context);
    await this.#time.advance(20);
  }

  report(): Report {
    const sum = (count: (follower: Follower) => number) => this.#followers.reduce((all, one) => all + count(one), 0);
    return {
      seed: this.#seed,
      seconds: Math.round(this.#time.now / 1_000),
      connections: this.#sessions.length,
      changes: this.history.revision,
      frames: sum(({ frames }) => frames),
      events: sum(({ mirror }) => mirror.events),
      skipped: sum(({ mirror }) => mirror.skipped),
      leaves: sum(({ mirror }) => mirror.leaves),
      snapshots: sum(({ snapshots }) => snapshots),
      resumes: sum(({ resumes }) => resumes),
      lists: this.#reporters.reduce((all, { lists }) => all + lists, 0),
      slow: this.#slow,
    };
  }

  #report(reporter: Reporter): void {
    const random = this.#random;
    if (!reporter.isConnected) {
      return reporter.connect({
        grace: random.pick([0, 0, 2, 60]),
        takeover: random.next() < 0.3,
        resume: random.next() < 0.4,
      });
    }
    const chance = random.next();
    if (reporter.state === null || chance < 0.1) reporter.open(this.#state());
    else if (chance < 0.75) reporter.update(this.#state());
    else if (chance < 0.82) reporter.list(random.pick(PREFIXES));
    else if (chance < 0.9) reporter.close();
    else reporter.cut(chance < 0.95);
  }

  #follow(follower: Follower): void {
    const chance = this.#random.next();
    if (!follower.isWatching) follower.watch(chance < 0.1);
    else if (follower.stalledAt !== null && chance < 0.2) follower.stall(null);
    else if (this.#weather.stalls && chance < 0.4) follower.stall(follower.stalledAt ?? this.#time.now);
    else if (chance < 0.6) follower.ping();
    else if (chance < 0.9) follower.cut(chance < 0.75);
  }

  /** Lets all reporters change at once. */
  #burst(): void {
    for (const reporter of this.#reporters) {
      if (reporter.isConnected && reporter.state !== null) reporter.update(this.#state());
    }
  }

  #state(): string {
    return `${++this.#states}:${"x".repeat(this.#random.pick(this.#weather.sizes))}`;
  }

  /**
   * Checks that every connected reporter is in the map with its last state, and that no other client there is live,
   * except one that has returned to its name and not sent a state yet.
   */
  #checkReporters(): void {
    const connected = this.#reporters.filter(({ isConnected }) => isConnected);
    const names = connected.flatMap(({ name }) => name ?? []);
    if (new Set(names).size !== names.length) throw new Violation("two connections hold the same name");
    const owners = new Map<string, Reporter>();
    for (const one of connected) owners.set(one.state ?? one.name ?? "", one);
    const live = [...this.#registry.entries()].filter(({ status }) => status === "live");
    for (const { id, state } of live) {
      const key = textOf(state);
      if (!owners.delete(key) && !owners.delete(id)) throw new Violation(`${id} is live, but not connected`);
    }
    const lost = [...owners.values()].filter(({ state }) => state !== null);
    if (lost.length !== 0) throw new Violation(`${lost.length} clients are connected, but not in the map`);
  }
}
