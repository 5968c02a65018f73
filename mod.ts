/**
 * Tracker as a library: a server that always knows the current state of every connected client, the client that
 * reports to it, and the parts they are made of.
 *
 * It has no dependencies, so it can be imported from a URL by a program without an import map or a config file.
 *
 * @example A server and a client in one program
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = await connect({ port: server.addr.port, state: "ready" });
 * assertEquals(await client.getText(), "{client1=ready}");
 * ```
 *
 * @module
 */

export * from "./lib/protocol.ts";
export * from "./lib/errors.ts";
export * from "./lib/codec.ts";
export type { Duplex } from "./lib/transport/duplex.ts";
export * from "./lib/wire/event_writer.ts";
export * from "./lib/wire/requests.ts";
export {
  type Change,
  type Departure,
  type Entry,
  MAX_DEPARTURES,
  Registry,
  type RegistryOptions,
} from "./lib/map/registry.ts";
export type { NameEvent } from "./lib/map/names.ts";
export { type Histogram, HISTOGRAM_BOUNDS, type LimitName, type Stats } from "./lib/server/counters.ts";
export { type ClientTlsOptions, type KeyPair, type ServerTlsOptions } from "./lib/tcp/tls_errors.ts";
export { Network } from "./lib/auth/cidr.ts";
export { type Access, type Grant, MAX_TOKEN, MIN_TOKEN, Tokens } from "./lib/auth/tokens.ts";
export type { SessionEvent } from "./lib/server/session.ts";
export {
  DEFAULT_HANDSHAKE_TIMEOUT,
  DEFAULT_MAX_CLIENTS,
  DEFAULT_MAX_TOTAL_STATE,
  DEFAULT_MAX_UNSENT,
  DEFAULT_MAX_WATCHERS,
  DEFAULT_MESSAGE_TIMEOUT,
  DEFAULT_WRITE_TIMEOUT,
  type ServeOptions,
  type ServerEvent,
} from "./lib/server/options.ts";
export { DEFAULT_DRAIN_TIMEOUT, serve, type Server } from "./lib/server/server.ts";
export { type CallOptions, DEFAULT_CALL_TIMEOUT } from "./lib/client/calls.ts";
export { Connection, type ConnectionOptions, type EventSink, type WatchedEvent } from "./lib/client/connection.ts";
export { dial } from "./lib/tcp/dial.ts";
export { dialTls } from "./lib/tcp/dial_tls.ts";
export type { Dial } from "./lib/client/establish.ts";
export { isTransient } from "./lib/transient.ts";
export { Backoff, DEFAULT_RECONNECT_BASE, DEFAULT_RECONNECT_CAP, type ReconnectOptions } from "./lib/client/backoff.ts";
export { type MapEvent, Watch, type WatchOptions } from "./lib/client/watch.ts";
export { Mirror, type MirrorChange, type MirrorEntry, type MirrorOptions } from "./lib/client/mirror.ts";
export {
  Client,
  type ClientStatus,
  connect,
  type ConnectOptions,
  DEFAULT_HEARTBEAT,
  type StatusChange,
} from "./lib/client/client.ts";
