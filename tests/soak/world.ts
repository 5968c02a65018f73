/**
 * The state of a run: its clients, and the expected map.
 *
 * @module
 */

import type { Client } from "../../mod.ts";
import { Random } from "../support/random.ts";
import { Follower } from "./follower.ts";
import type { Host } from "./host.ts";
import { Lines } from "./line.ts";
import type { Kind, Member } from "./member.ts";
import { Model } from "./model.ts";

/** Approximate number of clients. */
export const POPULATION = 100;

/** The state of a run. Only `random` decides what is chosen, never the speed of the server. */
export class World {
  readonly random: Random;
  readonly host: Host;
  readonly lines: Lines;
  readonly model: Model = new Model();
  /** Clients with a connection, and suspects that may return. */
  readonly present = new Set<Member>();
  readonly absent = new Set<Member>();
  followers: Follower[] = [];
  /** Round in which each stalled follower resumes. */
  readonly stalls = new Map<Follower, number>();
  /** Number of rounds so far. */
  round = 0;
  /** Number of each operation. */
  readonly done: Record<string, number> = {};
  /** Connections that the operations planned to make. */
  planned = 0;
  /** Connections that the server may have ended before this side. */
  doubtful = 0;
  readonly #background = new Set<Promise<void>>();
  readonly #busy = new Set<Member | Follower | Host>();
  #serial = 0;

  constructor(host: Host, seed: number, connections: number) {
    this.host = host;
    this.random = new Random(seed);
    this.lines = new Lines(host.port, connections);
  }

  /** Makes an unused name. */
  nextKey(prefix: string): string {
    return `${prefix}${++this.#serial}`;
  }

  /** Starts a round in which every client is free again. */
  begin(): void {
    this.round++;
    this.#busy.clear();
  }

  /** Notes a chosen operation. */
  note({ name, connections }: { name: string; connections: number }): void {
    this.done[name] = (this.done[name] ?? 0) + 1;
    this.planned += connections;
  }

  /** Reserves a participant for an operation of this round; `false` if another operation has it. */
  take(one: Member | Follower | Host): boolean {
    if (this.#busy.has(one)) return false;
    this.#busy.add(one);
    return true;
  }

  /** Notes that a client connects or returns, and reserves it for the rest of the round. */
  enter(member: Member): void {
    this.absent.delete(member);
    this.present.add(member);
    this.take(member);
  }

  /** Notes that a client loses its connection, and whether it may return. */
  part(member: Member, returns: boolean): void {
    this.present.delete(member);
    this.absent.delete(member);
    if (returns) this.absent.add(member);
  }

  /** Reserves a free client with a connection; `null` if there is none. */
  pick(...kinds: Kind[]): Member | null {
    return this.#pickFrom(this.present, (member) => kinds.length === 0 || kinds.includes(member.kind));
  }

  /** Reserves a client that is a suspect. */
  pickAbsent(): Member | null {
    return this.#pickFrom(this.absent, () => true);
  }

  /** Reserves a free follower. */
  pickFollower(fits: (follower: Follower) => boolean): Follower | null {
    const found = this.followers.filter((follower) => !this.#busy.has(follower) && fits(follower));
    if (found.length === 0) return null;
    const follower = this.random.pick(found);
    this.#busy.add(follower);
    return follower;
  }

  #pickFrom(members: ReadonlySet<Member>, fits: (member: Member) => boolean): Member | null {
    const found = [...members].filter((member) => !this.#busy.has(member) && fits(member));
    if (found.length === 0) return null;
    const member = this.random.pick(found);
    this.#busy.add(member);
    return member;
  }

  /** Runs work that outlasts the round, on a connection that the server ends in its own time. */
  leaveAlone(work: () => Promise<void>): void {
    this.doubtful++;
    const done = work().finally(() => this.doubtful--);
    this.#background.add(done);
    done.then(() => this.#background.delete(done), () => {});
  }

  /** Waits for all work that outlasted its round; rejects with the first failure. */
  async finish(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** Throws the first failure in the background so far. */
  async checkBackground(): Promise<void> {
    const now = Promise.resolve();
    for (const done of [...this.#background, ...this.followers.map(({ running }) => running)]) {
      await Promise.race([done, now]);
    }
  }
}

/**
 * Creates followers of every pace, of all clients and of some.
 *
 * @param client The client that watches
 */
export function createFollowers(client: Client): Follower[] {
  return [
    new Follower(client),
    new Follower(client),
    new Follower(client),
    new Follower(client, { isSlow: true }),
    new Follower(client, { prefix: "n" }),
    new Follower(client, { prefix: "s", isSlow: true }),
    new Follower(client, { prefix: "client" }),
  ];
}
