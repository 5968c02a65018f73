/**
 * An operation of a round.
 *
 * @module
 */

import type { World } from "../world.ts";

/** Performs a planned operation; resolves when the server has done its part. */
export type Task = () => Promise<void>;

/** An operation. */
export interface Operation {
  /** Its name in the report. */
  name: string;
  /** Its frequency relative to the others. */
  weight: number;
  /** Number of connections that it makes. */
  connections: number;
  /**
   * Chooses the participants and updates the model.
   *
   * @returns The task; `null` if there are no participants
   */
  plan(world: World): Task | null;
}
