/**
 * Operations in which clients leave: by Close, by the end of their stream, by a reset, or silently.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Connection } from "../../../mod.ts";
import { HEARTBEAT_PATIENCE } from "../../../lib/wire/mod.ts";
import { connected, Member, stateFor } from "../member.ts";
import { POPULATION, type World } from "../world.ts";
import type { Operation, Task } from "./operation.ts";

/** Longest grace that ends during a run, in seconds. */
const SHORT = 60;

/** Heartbeat of clients that fall silent, in seconds. */
const BROKEN_HEARTBEAT = 1;

function isEmpty({ present, absent }: World): boolean {
  return present.size + absent.size < POPULATION * 0.8;
}

/** Closes a client. */
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

/** Ends a client's stream without a Close. */
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

/** Resets a client's connection. */
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

/** Plans how a client loses its connection, and what follows from it. */
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

/** Breaks the connection of a client that reconnects by itself, keeping name, state and, with grace, its place. */
export const breakSteady: Operation = {
  name: "break and come back",
  weight: 4,
  connections: 1,
  plan(world) {
    const member = world.pick("steady");
    if (member === null) return null;
    const { random, model } = world;
    const state = stateFor(random, member);
    // The server may see the new connection before the reset. Without grace that would show.
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
      // Without a connection the client keeps the latest state.
      await peer.update(state);
      await connected(peer);
      await member.confirm();
    };
  },
};

/** Makes a client promise a heartbeat and fall silent, so that the server drops it. */
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
