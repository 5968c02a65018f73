/**
 * Operations in which followers stall, leave, and resume.
 *
 * @module
 */

import type { Operation } from "./operation.ts";

/** Duration of a stall, in rounds: some end in time, others get the follower cut off. */
const STALL = [2, 9] as const;

/** Makes a follower read nothing for a while. */
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

/** Ends a watch, whose follower remembers its position. */
export const detach: Operation = {
  name: "watcher goes",
  weight: 2,
  connections: 0,
  plan(world) {
    const follower = world.pickFollower((follower) => follower.isAttached && !follower.isStalled);
    return follower && (() => follower.detach());
  },
};

/** Resumes a watch at the remembered position. */
export const attach: Operation = {
  name: "watcher comes back",
  // Followers are far fewer than clients, which would use up the connections of a round.
  weight: 40,
  connections: 1,
  plan(world) {
    const follower = world.pickFollower((follower) => !follower.isAttached);
    return follower && (() => Promise.resolve(follower.attach()));
  },
};
