/**
 * What happens at a server, for programs that want to know as it happens.
 *
 * @module
 */

import type { TrackerError } from "../errors.ts";
import type { NameEvent } from "../map/names.ts";
import type { Dialect } from "../protocol.ts";
import type { SocketAddress } from "../transport/listener.ts";

/** What happens to one connection or its client. */
export type SessionEvent =
  | { kind: "join"; id: string; dialect: Dialect | "unsettled" }
  | NameEvent
  | { kind: "error"; error: TrackerError }
  | { kind: "tls-error"; error: TrackerError };

/** What happens at a server. */
export type ServerEvent =
  | (SessionEvent & { peer: SocketAddress })
  | { kind: "accept-error"; error: Error };
