/**
 * Checks that the server did the work it was timed for.
 *
 * @module
 */

import type { Generator } from "../generator.ts";
import type { JobBytes } from "../load/job.ts";

/**
 * Gets the map and looks for the last state of every connection in it.
 *
 * @param generator The generator that sent the states
 * @param get The request for the map
 * @param state The last state, with `#####` in the place of the connection's number
 * @param connections Number of connections that sent one, numbered from 0
 */
export async function confirmStates(
  generator: Generator,
  get: JobBytes,
  state: string,
  connections: number,
): Promise<void> {
  const { text = "" } = await generator.perform({ kind: "learn", request: get });
  for (let i = 0; i < connections; i++) {
    const expected = state.replace("#####", String(i).padStart(5, "0"));
    if (!text.includes(expected)) throw new Error(`Cannot confirm updates: the map does not contain ${expected}`);
  }
}
