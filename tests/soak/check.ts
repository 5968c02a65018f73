/**
 * Checks whether everything the server reports is true.
 *
 * @module
 */

import { delay } from "../../lib/base/async.ts";
import { equals } from "../../lib/cli/std.ts";
import type { Connection, ListReply, Mirror, Stats } from "../../mod.ts";
import type { Follower } from "./follower.ts";
import type { Seen } from "./model.ts";
import { flatten, type Readers } from "./probe.ts";
import type { World } from "./world.ts";

/** Time that the server and its watchers may take to catch up, in milliseconds. */
const PATIENCE = 15_000;

/** Longest wait before the next attempt, in milliseconds. */
const LONGEST_WAIT = 50;

/** The observers of the server. */
export interface Witnesses {
  probe: Connection;
  readers: Readers;
  mirrors: readonly { prefix: string; mirror: Mirror }[];
}

/** The server reported something that is not true. */
export class Disagreement extends Error {}

/**
 * Waits until everything agrees with the model. Call it while the server is left alone.
 *
 * @param world The expected state
 * @param witnesses The observers
 * @returns The server's statistics
 * @throws {Disagreement} if something still disagrees after a while
 */
export async function agree(world: World, witnesses: Witnesses): Promise<Stats> {
  const startedAt = performance.now();
  for (let wait = 1;; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    const stats = await witnesses.probe.stats();
    const problems = await look(world, witnesses, stats);
    if (problems.length === 0) return stats;
    if (performance.now() - startedAt > PATIENCE) {
      throw new Disagreement(`round ${world.round}: ${problems.join("; ")}`);
    }
    await delay(wait);
  }
}

async function look(world: World, witnesses: Witnesses, stats: Stats): Promise<string[]> {
  const { model } = world;
  const list = await witnesses.readers.list();
  const problems = [...model.compare(list.records), ...gaugeProblems(world, stats)];
  if (problems.length !== 0) return problems;
  problems.push(...await mapProblems(world, witnesses.readers, list));
  const expected = model.lasting(list.records);
  for (const { prefix, mirror } of witnesses.mirrors) {
    problems.push(...copyProblems("a mirror", prefix, model.lasting(mirror.values()), expected));
    if (mirror.error !== null) problems.push(`a mirror has ended: ${mirror.error.message}`);
  }
  for (const follower of world.followers) problems.push(...followerProblems(world, follower, expected));
  return problems;
}

/** Compares the server's count with the real one, where neither side is about to end something. */
function gaugeProblems({ model, lines, doubtful, followers }: World, { now }: Stats): string[] {
  const unread = followers.filter(({ isStalled }) => isStalled).length;
  const open = lines.open.size;
  return [
    ...outside("connections", now.connections, open - doubtful - unread, open),
    ...outside("clients", now.clients, model.size, model.size + model.fading),
    ...outside("suspects", now.suspects, model.suspects, model.suspects + model.fading),
  ];
}

function outside(what: string, count: number, least: number, most: number): string[] {
  if (count >= least && count <= most) return [];
  return [`the server counts ${count} ${what}, not ${least === most ? least : `${least} to ${most}`}`];
}

/**
 * Checks that the flattened map matches the list byte for byte, at once: the next change would repair a stale map and
 * hide the fault.
 */
async function mapProblems({ round }: World, readers: Readers, list: ListReply): Promise<string[]> {
  const map = await readers.get();
  // A client may just have left by itself.
  const again = await readers.list();
  if (again.revision !== list.revision) return ["the map has changed meanwhile"];
  if (equals(map, flatten(list))) return [];
  throw new Disagreement(`round ${round}: the flattened map differs from the list of revision ${list.revision}`);
}

function followerProblems({ model }: World, follower: Follower, expected: readonly Seen[]): string[] {
  if (!follower.isAttached || follower.isStalled) return [];
  return copyProblems("a follower", follower.prefix, model.lasting(follower.clients), expected);
}

function copyProblems(who: string, prefix: string, copy: readonly Seen[], expected: readonly Seen[]): string[] {
  const wanted = expected.filter(({ id }) => id.startsWith(prefix));
  const name = prefix === "" ? who : `${who} of ${prefix}`;
  if (copy.length !== wanted.length) return [`${name} has ${copy.length} clients, not ${wanted.length}`];
  const at = wanted.findIndex(({ id, state, status }, index) => {
    const own = copy[index];
    return own?.id !== id || own.status !== status || !equals(own.state, state);
  });
  if (at === -1) return [];
  return [
    `${name} has ${copy[at]!.id} (${copy[at]!.status}) where ${wanted[at]!.id} (${wanted[at]!.status}) should be`,
  ];
}
