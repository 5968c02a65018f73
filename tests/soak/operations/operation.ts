/**
 * What can be done in a round.
 *
 * @module
 */

import type { World } from "../world.ts";

/** Does what was chosen; resolves when the server has done its part. */
export type Task = () => Promise<void>;

/** Something that can be done. */
export interface Operation {
  /** What it is called in the report. */
  name: string;
  /** How often it is chosen, beside the others. */
  weight: number;
  /** How many connections it makes. */
  connections: number;
  /**
   * Chooses with whom, and says so to the model.
   *
   * @returns How to do it; `null` when there is nobody to do it with
   */
  plan(world: World): Task | null;
}
