/**
 * Programs that watch stand still, go away, and come back.
 *
 * @module
 */

import type { Operation } from "./operation.ts";

/** How long a program stands still, in rounds: some end in time, some are cut off before. */
const STALL = [2, 9] as const;

/** A program that watches reads nothing for a while. */
export const stall: Operation = {
  name: "watcher stands still",
  weight: 2,
  connections: 1,
  plan(world) {
    const follower = world.pickFollower((follower) => follower.isAttached && !follower.isStalled);
    if (follower === null) return null;
    world.stalls.set(follower, world.round + world.random.integer(...STALL));
    return () => Promise.resolve(follower.stall());
  },
};

/** A program ends its watch, and remembers how far it has come. */
export const detach: Operation = {
  name: "watcher goes",
  weight: 2,
  connections: 0,
  plan(world) {
    const follower = world.pickFollower((follower) => follower.isAttached && !follower.isStalled);
    return follower && (() => follower.detach());
  },
};

/** A program goes on watching where it had ended. */
export const attach: Operation = {
  name: "watcher comes back",
  // There are far fewer of them than of clients, which would take all connections that a round may make.
  weight: 40,
  connections: 1,
  plan(world) {
    const follower = world.pickFollower((follower) => !follower.isAttached);
    return follower && (() => Promise.resolve(follower.attach()));
  },
};
