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
export type { Duplex } from "./lib/duplex.ts";
export * from "./lib/frames.ts";
export * from "./lib/requests.ts";
export {
  type Change,
  type Departure,
  type Entry,
  MAX_DEPARTURES,
  Registry,
  type RegistryOptions,
} from "./lib/registry.ts";
export type { NameEvent } from "./lib/names.ts";
export { type Histogram, HISTOGRAM_BOUNDS, type LimitName, type Stats } from "./lib/metrics.ts";
export { type ClientTlsOptions, type KeyPair, type ServerTlsOptions } from "./lib/tls.ts";
export { Network } from "./lib/network.ts";
export { type Access, type Grant, MAX_TOKEN, MIN_TOKEN, Tokens } from "./lib/tokens.ts";
export type { SessionEvent } from "./lib/session.ts";
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
} from "./lib/serve_options.ts";
export { DEFAULT_DRAIN_TIMEOUT, serve, type Server } from "./lib/server.ts";
export { type CallOptions, DEFAULT_CALL_TIMEOUT } from "./lib/calls.ts";
export { Connection, type ConnectionOptions, type EventSink, type WatchedEvent } from "./lib/connection.ts";
export { dial } from "./lib/dial.ts";
export { dialTls } from "./lib/dial_tls.ts";
export type { Dial } from "./lib/link.ts";
export { isTransient } from "./lib/transient.ts";
export { Backoff, DEFAULT_RECONNECT_BASE, DEFAULT_RECONNECT_CAP, type ReconnectOptions } from "./lib/backoff.ts";
export { type MapEvent, Watch, type WatchOptions } from "./lib/watch.ts";
export { Mirror, type MirrorChange, type MirrorEntry, type MirrorOptions } from "./lib/mirror.ts";
export {
  Client,
  type ClientStatus,
  connect,
  type ConnectOptions,
  DEFAULT_HEARTBEAT,
  type StatusChange,
} from "./lib/client.ts";
