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

export { connect, type ConnectOptions, dialer, type DialerOptions } from "./lib/tcp/connect.ts";
export { serve, type ServeOptions } from "./lib/tcp/serve.ts";
export { Client } from "./lib/client/client.ts";
export type { ClientStatus, StatusChange } from "./lib/client/reconnector.ts";
export { Mirror, type MirrorChange, type MirrorEntry, type MirrorOptions } from "./lib/client/mirror.ts";
export { type MapEvent, Watch, type WatchOptions } from "./lib/client/watch.ts";
export { DEFAULT_DRAIN_TIMEOUT, Server } from "./lib/server/server.ts";
export { type ClientOptions, DEFAULT_HEARTBEAT } from "./lib/client/options.ts";
export { type CallOptions, DEFAULT_CALL_TIMEOUT } from "./lib/client/calls.ts";
export { Backoff, DEFAULT_RECONNECT_BASE, DEFAULT_RECONNECT_CAP, type ReconnectOptions } from "./lib/client/backoff.ts";
export type { ClientTlsOptions, ServerTlsOptions } from "./lib/tcp/options.ts";
export {
  DEFAULT_HANDSHAKE_TIMEOUT,
  DEFAULT_MAX_CLIENTS,
  DEFAULT_MAX_TOTAL_STATE,
  DEFAULT_MAX_UNSENT,
  DEFAULT_MAX_WATCHERS,
  DEFAULT_MESSAGE_TIMEOUT,
  DEFAULT_WRITE_TIMEOUT,
  type ServerOptions,
} from "./lib/server/options.ts";
export type { ServerEvent, SessionEvent } from "./lib/server/events.ts";
export * from "./lib/errors.ts";
export { type Grant, MAX_TOKEN, MIN_TOKEN, type Permission, Tokens } from "./lib/auth/tokens.ts";
export { Cidr } from "./lib/auth/cidr.ts";
export { type Change, type OpenOptions, Registry, type RegistryOptions } from "./lib/map/registry.ts";
export type { Entry } from "./lib/map/entry.ts";
export { MAX_TOMBSTONES, type Tombstone } from "./lib/map/tombstones.ts";
export type { NameEvent } from "./lib/map/names.ts";
export { Connection, type ConnectionOptions } from "./lib/client/connection.ts";
export type { EventSink, WatchedEvent } from "./lib/client/reply_reader.ts";
export type { Dial } from "./lib/client/establish.ts";
export { dial } from "./lib/tcp/dial.ts";
export { dialTls } from "./lib/tcp/dial_tls.ts";
export type { Duplex } from "./lib/transport/duplex.ts";
export type { Incoming, KeyPair, Listener, SocketAddress } from "./lib/transport/listener.ts";
export * from "./lib/wire/mod.ts";
