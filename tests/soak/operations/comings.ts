/**
 * Operations in which clients connect: new, returning, taking over, or refused.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Client, Connection, TrackerError } from "../../../mod.ts";
import { anyDialect, connected, Member, stateFor } from "../member.ts";
import { POPULATION, type World } from "../world.ts";
import type { Operation, Task } from "./operation.ts";

/** A grace that outlasts the run, and one that is over soon, in seconds. */
const LONG_GRACE = 3_600;
const SHORT_GRACE = 1;

const NEVER_LONG = { base: 5, cap: 50 };

function isFull({ present, absent }: World): boolean {
  return present.size + absent.size > POPULATION * 1.2;
}

/** Opens a client without a name, with an Open or an Update. */
export const openNumbered: Operation = {
  name: "open, numbered",
  weight: 8,
  connections: 1,
  plan(world) {
    if (isFull(world)) return null;
    const { random, model, lines } = world;
    const member = new Member(world.nextKey("m"), "numbered", { dialect: anyDialect(random) });
    const state = stateFor(random, member);
    const updates = random.next() < 0.3;
    world.enter(member);
    model.join(member.key, null, state);
    return async () => {
      const connection = member.connect(await lines.dial());
      if (!updates) return await connection.open(state);
      await connection.update(state);
      await member.confirm();
    };
  },
};

/** Opens a client with a name. */
export const openNamed: Operation = {
  name: "open, named",
  weight: 6,
  connections: 1,
  plan(world) {
    if (isFull(world)) return null;
    const { random, model, lines } = world;
    const member = new Member(world.nextKey("n"), "named", { grace: random.pick([0, SHORT_GRACE, LONG_GRACE]) });
    const state = stateFor(random, member);
    world.enter(member);
    model.join(member.key, member.key, state);
    return async () => {
      const connection = member.connect(await lines.dial());
      const greeting = connection.hello({ name: member.key, grace: member.grace });
      await connection.open(state);
      member.resume = (await greeting).resume;
    };
  },
};

/** Opens a client that reconnects by itself and sends heartbeats. */
export const openSteady: Operation = {
  name: "open, steady",
  weight: 4,
  connections: 1,
  plan(world) {
    if (isFull(world)) return null;
    const { random, model, lines } = world;
    const member = new Member(world.nextKey("s"), "steady", { grace: random.pick([0, LONG_GRACE]) });
    const state = stateFor(random, member);
    world.enter(member);
    model.join(member.key, member.key, state);
    return async () => {
      const { key: name, grace } = member;
      const dial = lines.dialer((line) => member.line = line);
      const client = new Client({ dial, name, grace, state, heartbeat: 1, reconnect: NEVER_LONG });
      member.peer = client;
      await connected(client);
    };
  },
};

/** Brings a suspect back, with the state it had or another one. */
export const comeBack: Operation = {
  name: "come back",
  weight: 8,
  connections: 1,
  plan(world) {
    const member = world.pickAbsent();
    if (member === null) return null;
    const { random, model, lines } = world;
    const state = random.next() < 0.5 ? stateFor(random, member) : null;
    const showsKey = random.next() < 0.5;
    world.enter(member);
    model.mark(member.key, "live");
    if (state !== null) model.update(member.key, state);
    return async () => {
      const connection = member.connect(await lines.dial());
      const resume = showsKey && member.resume !== null ? { resume: member.resume } : {};
      const greeting = connection.hello({ name: member.key, grace: member.grace, ...resume });
      if (state !== null) await connection.open(state);
      member.resume = (await greeting).resume;
    };
  },
};

/** Connects a client whose old connection lasts: with its key the map stays as it is, without it a new client comes. */
export const takeOver: Operation = {
  name: "take over",
  weight: 3,
  connections: 1,
  plan(world) {
    const member = world.pick("named");
    if (member === null) return null;
    const { random, model } = world;
    const state = stateFor(random, member);
    const hasKey = random.next() < 0.5;
    if (hasKey) model.update(member.key, state);
    else model.join(member.key, member.key, state);
    return () => takeOverFrom(world, member, state, hasKey);
  },
};

async function takeOverFrom({ lines }: World, member: Member, state: Uint8Array, hasKey: boolean): Promise<void> {
  const old = member.peer as Connection;
  const connection = member.connect(await lines.dial());
  const right = hasKey && member.resume !== null ? { resume: member.resume } : { takeover: true };
  const greeting = connection.hello({ name: member.key, grace: member.grace, ...right });
  await connection.open(state);
  member.resume = (await greeting).resume;
  await old.finished;
  assertEquals(old.error?.code, "TAKEN_OVER");
}

/** Connects a client with a name that belongs to another. */
export const beRefused: Operation = {
  name: "be refused a name",
  weight: 2,
  connections: 1,
  plan(world): Task | null {
    const member = world.pick("named", "steady");
    if (member === null) return null;
    return async () => {
      const connection = new Connection(await world.lines.dial());
      const error = await assertRejects(() => connection.hello({ name: member.key }), TrackerError);
      assertEquals(error.code, "NAME_TAKEN");
      await connection.finished;
    };
  },
};
