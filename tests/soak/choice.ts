/**
 * Chooses the operations of a round. Random numbers and earlier choices decide, never the speed of anything.
 *
 * @module
 */

import { OPENINGS, OPERATIONS } from "./operations/mod.ts";
import type { Operation, Task } from "./operations/operation.ts";
import { POPULATION, type World } from "./world.ts";

/** Most operations in a round. */
const OPERATIONS_A_ROUND = 80;

/**
 * Chooses the operations that bring the first clients.
 *
 * @param world The run
 */
export function chooseOpenings(world: World): Task[] {
  return choose(world, OPENINGS, POPULATION, POPULATION);
}

/**
 * Chooses the operations of a round.
 *
 * @param world The run
 * @param allowance Most connections that they may make
 */
export function chooseRound(world: World, allowance: number): Task[] {
  return choose(world, OPERATIONS, OPERATIONS_A_ROUND, allowance);
}

function choose(world: World, operations: readonly Operation[], count: number, allowance: number): Task[] {
  world.begin();
  const tasks: Task[] = [];
  for (let tries = 0; tries < count; tries++) {
    const operation = draw(world, operations);
    if (operation.connections > allowance) continue;
    const task = operation.plan(world);
    if (task === null) continue;
    allowance -= operation.connections;
    world.note(operation);
    tasks.push(() => task().catch((cause) => fail(operation, cause)));
  }
  return tasks;
}

function draw({ random }: World, operations: readonly Operation[]): Operation {
  let left = random.next() * operations.reduce((sum, { weight }) => sum + weight, 0);
  return operations.find(({ weight }) => (left -= weight) < 0) ?? operations[0]!;
}

function fail({ name }: Operation, cause: unknown): never {
  throw new Error(`Cannot do "${name}": ${cause instanceof Error ? cause.message : cause}`, { cause });
}
