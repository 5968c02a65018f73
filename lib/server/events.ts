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
