/**
 * Events of a server.
 *
 * @module
 */

import type { TrackerError } from "../errors.ts";
import type { NameEvent } from "../map/names.ts";
import type { Dialect } from "../protocol.ts";
import type { SocketAddress } from "../transport/listener.ts";

/** An event of one connection or its client. */
export type SessionEvent =
  | { kind: "join"; id: string; dialect: Dialect | "unsettled" }
  | NameEvent
  | { kind: "error"; error: TrackerError }
  | { kind: "tls-error"; error: TrackerError };

/** An event of a server. */
export type ServerEvent =
  | (SessionEvent & { peer: SocketAddress })
  | { kind: "accept-error"; error: Error };

/** Hears of the events of connections. */
export interface EventObserver {
  /**
   * Called when something happens to a client.
   *
   * @param peer Where the client is, or was
   * @param event What happened
   */
  onEvent?(peer: SocketAddress, event: SessionEvent): void;
}
