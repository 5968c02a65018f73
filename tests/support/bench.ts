/**
 * What servers under test have in common, whatever carries their bytes.
 *
 * @module
 */

import type { Registry, Server } from "../../mod.ts";
import { until } from "./until.ts";

/**
 * Waits until the map is as wanted. It looks again after each change of the map.
 *
 * @param registry The map
 * @param isWanted Judges it
 */
export function untilMap(registry: Registry, isWanted: () => boolean): Promise<void> {
  return until((listener) => registry.subscribe(listener), isWanted);
}

/**
 * Ends a server at once, and closes connections to it that the test has not closed.
 *
 * @param server The server
 * @param connections Every connection that was made
 */
export async function tearDown(server: Server, connections: readonly Deno.Conn[]): Promise<void> {
  await server.shutdown({ timeout: 0 });
  for (const connection of connections) {
    try {
      connection.close();
    } catch {
      // Closed by the test.
    }
  }
}
