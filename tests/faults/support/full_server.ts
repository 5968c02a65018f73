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
  for await (const _ of questions()) tell(state());
  await server.shutdown({ timeout: 0 });
}
