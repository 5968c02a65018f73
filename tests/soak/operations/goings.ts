/**
 * Clients go: with a Close, with the end of their stream, with a reset, or without a word.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Connection, HEARTBEAT_PATIENCE } from "../../../mod.ts";
import { connected, Member, stateFor } from "../member.ts";
import { POPULATION, type World } from "../world.ts";
import type { Operation, Task } from "./operation.ts";

/** Longest grace that is meant to end, in seconds. */
const SHORT = 60;

/** The heartbeat promised by those who break the promise, in seconds. */
const BROKEN_HEARTBEAT = 1;

function isEmpty({ present, absent }: World): boolean {
  return present.size + absent.size < POPULATION * 0.8;
}

/** A client closes. */
export const close: Operation = {
  name: "close",
  weight: 7,
  connections: 0,
  plan(world) {
    const member = isEmpty(world) ? null : world.pick();
    if (member === null) return null;
    world.part(member, false);
    world.model.leave(member.key);
    return () => member.peer.close();
  },
};

/** A client's stream ends without a Close. */
export const end: Operation = {
  name: "end",
  weight: 6,
  connections: 0,
  plan: (world) =>
    lose(world, async (member) => {
      await member.line.closeWrite();
      await member.lost();
    }),
};

/** A client's connection is reset. */
export const reset: Operation = {
  name: "reset",
  weight: 6,
  connections: 0,
  plan: (world) =>
    lose(world, async (member) => {
      await member.reset();
      await member.lost();
    }),
};

/** Plans what becomes of a client that loses its connection, in whatever way. */
function lose(world: World, how: (member: Member) => Promise<void>): Task | null {
  const member = isEmpty(world) ? null : world.pick("numbered", "named");
  if (member === null) return null;
  const { model } = world;
  const { key, grace } = member;
  world.part(member, grace > SHORT);
  if (grace === 0) model.leave(key);
  else model.mark(key, "suspect");
  if (grace !== 0 && grace <= SHORT) model.fade(key, grace * 1_000);
  return () => how(member);
}

/** The connection of a client breaks that comes back by itself: it keeps its name, its state and, with grace, its place. */
export const breakSteady: Operation = {
  name: "break and come back",
  weight: 4,
  connections: 1,
  plan(world) {
    const member = world.pick("steady");
    if (member === null) return null;
    const { random, model } = world;
    const state = stateFor(random, member);
    // A server may hear of the new connection before it does of the reset. Where there is no grace that would show.
    const isReset = member.grace !== 0 && random.next() < 0.5;
    if (member.grace === 0) model.join(member.key, member.key, state);
    else model.update(member.key, state);
    return async () => {
      const { peer } = member;
      if (peer instanceof Connection) throw new Error("a steady client is no connection");
      const lost = member.lost();
      if (isReset) await member.reset();
      else await member.line.closeWrite();
      await lost;
      // While there is no connection it keeps the latest state.
      await peer.update(state);
      await connected(peer);
      await member.confirm();
    };
  },
};

/** A client promises a heartbeat, and is never heard again: the server gives it up. */
export const fallSilent: Operation = {
  name: "fall silent",
  weight: 2,
  connections: 1,
  plan(world) {
    const { random, model, lines } = world;
    const member = new Member(world.nextKey("n"), "named");
    const state = stateFor(random, member);
    model.join(member.key, member.key, state);
    model.fade(member.key, BROKEN_HEARTBEAT * 1_000 * HEARTBEAT_PATIENCE);
    return async () => {
      const connection = member.connect(await lines.dial());
      const greeting = connection.hello({ name: member.key, heartbeat: BROKEN_HEARTBEAT });
      await connection.open(state);
      await greeting;
      world.leaveAlone(async () => {
        await connection.finished;
        assertEquals(connection.error?.code, "TIMEOUT");
      });
    };
  },
};
