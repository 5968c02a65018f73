/**
 * Clients come: new, back, in another's place, or not at all.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Client, Connection, TrackerError } from "../../../mod.ts";
import { anyDialect, connected, Member, stateFor } from "../member.ts";
import { POPULATION, type World } from "../world.ts";
import type { Operation, Task } from "./operation.ts";

/** A grace that nobody lives to see the end of, and one that is over soon, in seconds. */
const LONG_GRACE = 3_600;
const SHORT_GRACE = 1;

const NEVER_LONG = { base: 5, cap: 50 };

function isFull({ present, absent }: World): boolean {
  return present.size + absent.size > POPULATION * 1.2;
}

/** A client without a name opens, with an Open or with an Update. */
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

/** A client with a name opens. */
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

/** A client opens that comes back by itself, and sends heartbeats. */
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

/** A client that the server has waited for comes back, with the state it had or with another. */
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

/** A client comes while its old connection still lasts: with its key nothing shows, without it another client came. */
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

/** A client comes with a name that another one has, and no right to it. */
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
