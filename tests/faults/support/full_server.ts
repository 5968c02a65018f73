/**
 * A server whose map is full from the start: more clients than one machine has descriptors for.
 *
 * @module
 */

import { Registry, serve } from "../../../mod.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface FullServerJob {
  /** Clients in the map that have no connection. */
  clients: number;
}

/** What the server is asked: how it is, and to change every client before it answers. */
export interface FullServerQuestion {
  /** The state of the client that changes last. */
  last?: string;
}

/** How many clients change before others have their turn. */
const CHANGED_AT_ONCE = 1_000;

/** What the server answers when it listens, and whenever it is asked. */
export interface FullServerState {
  port: number;
  /** Resident memory, in bytes. */
  resident: number;
}

if (import.meta.main) {
  const registry = new Registry();
  const { clients } = job<FullServerJob>();
  for (let number = 0; number < clients; number++) {
    registry.open(`state ${number}`, { id: `group${number % 100}:${number}` });
  }
  const server = serve({ port: 0, registry, maxClients: 20_000 });
  const state = (): FullServerState => ({ port: server.addr.port, resident: Deno.memoryUsage().rss });
  tell(state());
  const updateAll = async (last: string): Promise<void> => {
    let left = registry.size;
    for (const entry of [...registry.entries()]) {
      registry.update(entry, --left === 0 ? last : `changed ${left}`);
      if (left % CHANGED_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  for await (const { last } of questions<FullServerQuestion>()) {
    if (last !== undefined) await updateAll(last);
    tell(state());
  }
  await server.shutdown({ timeout: 0 });
}
