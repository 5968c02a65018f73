/**
 * What a run is made of at one moment: who is there, and what is to be expected.
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

/** How many clients there are to be, about. */
export const POPULATION = 100;

/** What a run knows. Whatever is chosen, `random` decides, and never what the server is quick or slow with. */
export class World {
  readonly random: Random;
  readonly host: Host;
  readonly lines: Lines;
  readonly model: Model = new Model();
  /** Clients that have a connection, and those that the server waits for. */
  readonly present = new Set<Member>();
  readonly absent = new Set<Member>();
  followers: Follower[] = [];
  /** When a follower that stands still is to go on. */
  readonly stalls = new Map<Follower, number>();
  /** How many rounds there have been. */
  round = 0;
  /** How often each operation was done. */
  readonly done: Record<string, number> = {};
  /** How many connections they were to make. */
  planned = 0;
  /** Connections that the server may have ended, while this side has not. */
  doubtful = 0;
  readonly #background = new Set<Promise<void>>();
  readonly #busy = new Set<Member | Follower | Host>();
  #serial = 0;

  constructor(host: Host, seed: number, connections: number) {
    this.host = host;
    this.random = new Random(seed);
    this.lines = new Lines(host.port, connections);
  }

  /** A name that nobody has had. */
  nextKey(prefix: string): string {
    return `${prefix}${++this.#serial}`;
  }

  /** Begins a round: everybody has time again. */
  begin(): void {
    this.round++;
    this.#busy.clear();
  }

  /** Takes down what was chosen. */
  note({ name, connections }: { name: string; connections: number }): void {
    this.done[name] = (this.done[name] ?? 0) + 1;
    this.planned += connections;
  }

  /** Takes somebody for an operation of this round; `false` when another one has. */
  take(one: Member | Follower | Host): boolean {
    if (this.#busy.has(one)) return false;
    this.#busy.add(one);
    return true;
  }

  /** A client comes, or comes back; for the rest of the round it has nothing else to do. */
  enter(member: Member): void {
    this.absent.delete(member);
    this.present.add(member);
    this.take(member);
  }

  /** A client loses its connection, and comes back if `returns`. */
  part(member: Member, returns: boolean): void {
    this.present.delete(member);
    this.absent.delete(member);
    if (returns) this.absent.add(member);
  }

  /** A client with a connection that has nothing to do in this round, taken; `null` when there is none. */
  pick(...kinds: Kind[]): Member | null {
    return this.#pickFrom(this.present, (member) => kinds.length === 0 || kinds.includes(member.kind));
  }

  /** A client that the server waits for, taken. */
  pickAbsent(): Member | null {
    return this.#pickFrom(this.absent, () => true);
  }

  /** A follower that has nothing to do in this round, taken. */
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

  /** Does something that outlasts the round, on a connection that the server will end when it thinks fit. */
  leaveAlone(work: () => Promise<void>): void {
    this.doubtful++;
    const done = work().finally(() => this.doubtful--);
    this.#background.add(done);
    done.then(() => this.#background.delete(done), () => {});
  }

  /** Waits for all that has outlasted its round; rejects with what has failed. */
  async finish(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** Throws what has failed in the background so far. */
  async checkBackground(): Promise<void> {
    const now = Promise.resolve();
    for (const done of [...this.#background, ...this.followers.map(({ running }) => running)]) {
      await Promise.race([done, now]);
    }
  }
}

/**
 * Makes the programs that watch: at every pace, of all and of some.
 *
 * @param client Whose watches they are
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
