/**
 * Which operations a round has. Random numbers decide, and what was chosen before; never how quick anything was.
 *
 * @module
 */

import { OPENINGS, OPERATIONS } from "./operations/mod.ts";
import type { Operation, Task } from "./operations/operation.ts";
import { POPULATION, type World } from "./world.ts";

/** Operations of a round, at most. */
const OPERATIONS_A_ROUND = 80;

/**
 * Chooses the operations by which the first clients come.
 *
 * @param world Who is there
 */
export function chooseOpenings(world: World): Task[] {
  return choose(world, OPENINGS, POPULATION, POPULATION);
}

/**
 * Chooses the operations of a round.
 *
 * @param world Who is there
 * @param allowance How many connections they may make
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
