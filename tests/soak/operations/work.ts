/**
 * Operations of connected clients.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../../mod.ts";
import { stateFor } from "../member.ts";
import type { World } from "../world.ts";
import type { Operation } from "./operation.ts";

/** A flood that makes watchers fall behind: length of a state in bytes, states of each client, and clients. */
const FLOOD_STATE = 49_152;
const FLOOD_UPDATES = 10;
const FLOOD_CLIENTS = 12;

/** Updates a client's state once, or a few times in a row. */
export const update: Operation = {
  name: "update",
  weight: 40,
  connections: 0,
  plan: (world) => planUpdates(world, world.random.integer(1, 10)),
};

/** Updates a client's state without pausing. */
export const burst: Operation = {
  name: "burst of updates",
  weight: 6,
  connections: 0,
  plan: (world) => planUpdates(world, 500),
};

function planUpdates(world: World, count: number): (() => Promise<void>) | null {
  const member = world.pick();
  if (member === null) return null;
  const states = Array.from({ length: Math.min(count, 8) }, () => stateFor(world.random, member));
  const last = states[(count - 1) % states.length]!;
  world.model.update(member.key, last);
  return async () => {
    for (let at = 0; at < count; at++) void member.peer.update(states[at % states.length]!);
    await member.confirm();
  };
}

/** Opens a client again, which replaces its state. */
export const openAgain: Operation = {
  name: "open again",
  weight: 4,
  connections: 0,
  plan(world) {
    const member = world.pick();
    if (member === null) return null;
    const state = stateFor(world.random, member);
    world.model.update(member.key, state);
    return () => member.peer.open(state);
  },
};

/** Reads the flattened map. */
export const get: Operation = {
  name: "get",
  weight: 12,
  connections: 0,
  plan(world) {
    const member = world.pick();
    if (member === null) return null;
    return async () => {
      const map = await member.peer.get();
      assertEquals([map[0], map.at(-1)], [0x7b, 0x7d]);
    };
  },
};

/** Lists the clients with a prefix. */
export const list: Operation = {
  name: "list",
  weight: 6,
  connections: 0,
  plan(world) {
    const member = world.pick("named", "steady");
    if (member === null) return null;
    const prefix = world.random.pick(["", "n", "s", "client", "client1", "nobody"]);
    return async () => {
      const { records } = await member.peer.list({ prefix });
      assert(records.every(({ id }) => id.startsWith(prefix)), `a list of ${prefix} has others`);
    };
  },
};

/** Pings the server. */
export const ping: Operation = {
  name: "ping",
  weight: 6,
  connections: 0,
  plan(world) {
    const member = world.pick("named", "steady");
    return member && (async () => void await member.peer.ping());
  },
};

/** Gives many clients large states for a moment, so that stalled followers fall behind. */
export const flood: Operation = {
  name: "flood",
  weight: 1,
  connections: 0,
  plan(world) {
    const members = Array.from({ length: FLOOD_CLIENTS }, () => world.pick("named", "steady"))
      .filter((member) => member !== null);
    if (members.length === 0) return null;
    const large = world.random.bytes(FLOOD_STATE);
    const states = members.map((member) => stateFor(world.random, member));
    members.forEach((member, index) => world.model.update(member.key, states[index]!));
    return async () => {
      for (let round = 0; round < FLOOD_UPDATES; round++) {
        await Promise.all(members.map(({ peer }) => peer.update(large)));
        await Promise.all(members.map((member) => member.confirm()));
      }
      await Promise.all(members.map(({ peer }, index) => peer.open(states[index]!)));
      assert(members.every(({ peer }) => peer instanceof Connection || peer.status === "open"));
    };
  },
};
