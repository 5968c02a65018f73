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
export type { ClientCalls } from "./lib/client/client_calls.ts";
export type {
  ConnectionCalls,
  DropOptions,
  KickOptions,
  ListOptions,
  PutOptions,
} from "./lib/client/connection_calls.ts";
export { Mirror, type MirrorChange, type MirrorEntry, type MirrorOptions } from "./lib/client/mirror.ts";
export { type MapEvent, Watch, type WatchOptions } from "./lib/client/watch.ts";
export { DEFAULT_DRAIN_TIMEOUT, Server } from "./lib/server/server.ts";
export {
  type ErrorCode,
  type ErrorReason,
  ERRORS,
  type ErrorTraits,
  isTransient,
  type LimitName,
  LOCAL_ERRORS,
  type LocalErrorCode,
  TrackerError,
  type TrackerErrorOptions,
  WIRE_ERRORS,
  type WireErrorCode,
} from "./lib/errors.ts";

// What a client is told, and what it gets.
export { type ClientOptions, DEFAULT_HEARTBEAT } from "./lib/client/options.ts";
export type { ClientStatus, StatusChange } from "./lib/client/status.ts";
export { type CallOptions, DEFAULT_CALL_TIMEOUT } from "./lib/client/calls.ts";
export { Backoff, DEFAULT_RECONNECT_BASE, DEFAULT_RECONNECT_CAP, type ReconnectOptions } from "./lib/client/backoff.ts";
export type { ClientTlsOptions, ServerTlsOptions } from "./lib/tcp/options.ts";

// What a server is told, and what it tells.
export {
  DEFAULT_HANDSHAKE_TIMEOUT,
  DEFAULT_MAX_CLIENTS,
  DEFAULT_MAX_TOTAL_STATE,
  DEFAULT_MAX_UNAUTHORIZED,
  DEFAULT_MAX_UNSENT,
  DEFAULT_MAX_WATCHERS,
  DEFAULT_MESSAGE_TIMEOUT,
  DEFAULT_WRITE_TIMEOUT,
  type ServerOptions,
} from "./lib/server/options.ts";
export type { OtherProtocol } from "./lib/server/other_protocol.ts";
export type { ServerEvent, SessionEvent } from "./lib/server/events.ts";
export { type Grant, MAX_TOKEN, MIN_TOKEN, type Permission, type TokenOptions, Tokens } from "./lib/auth/tokens.ts";
export type { Admittance, Applicant, Authorize } from "./lib/auth/access.ts";
export { Cidr } from "./lib/auth/cidr.ts";

// The map itself.
export {
  type Change,
  type OpenOptions,
  type PutOptions as RegistryPutOptions,
  Registry,
  type RegistryOptions,
} from "./lib/map/registry.ts";
export type { Entry } from "./lib/map/entry.ts";
export { MAX_TOMBSTONES } from "./lib/map/change_list.ts";
export type { NameEvent } from "./lib/map/names.ts";

// For programs that bring connections of another kind.
export { Connection, type ConnectionOptions } from "./lib/client/connection.ts";
export type { EventSink, WatchedEvent } from "./lib/client/reply_reader.ts";
export type { Dial } from "./lib/client/establish.ts";
export { dial } from "./lib/tcp/dial.ts";
export { dialTls } from "./lib/tcp/dial_tls.ts";
export type { Duplex } from "./lib/transport/duplex.ts";
export type { Incoming, KeyPair, Listener, SocketAddress } from "./lib/transport/listener.ts";

// What the documentation names of the protocol; all of it is in ./lib/wire/mod.ts.
export {
  DEFAULT_MAX_STATE,
  DEFAULT_PORT,
  DEFAULT_TLS_PORT,
  type Dialect,
  DIALECTS,
  HIGHEST_MAX_STATE,
  LEAVE_CAUSES,
  type LeaveCause,
  MAX_COMPACT_LENGTH,
  MAX_IDENTIFIER,
  MAX_REQUEST,
  SETTLE_TIMEOUT,
  type Status,
  STATUSES,
} from "./lib/protocol.ts";
export { DEFAULT_MAX_MAP } from "./lib/wire/replies.ts";
export type {
  Greeting,
  HelloRequest,
  ListRequest,
  Position,
  PrefixRequest,
  WatchRequest,
} from "./lib/wire/requests.ts";
export type { KickRequest, PutReply, PutRequest } from "./lib/wire/entry_requests.ts";
export type { ClientDetails } from "./lib/wire/details.ts";
export type { WatchEvent } from "./lib/wire/events.ts";
export type { ListRecord, ListReply } from "./lib/wire/list.ts";
export type { Histogram, Stats } from "./lib/wire/stats.ts";

// Names of version 0.1.0.
import { Cidr } from "./lib/auth/cidr.ts";
import { MAX_TOMBSTONES } from "./lib/map/change_list.ts";

/** @deprecated Use {@linkcode Cidr}. */
export const Network: typeof Cidr = Cidr;

/** @deprecated Use {@linkcode Cidr}. */
export type Network = Cidr;

/** @deprecated Use {@linkcode MAX_TOMBSTONES}. */
export const MAX_DEPARTURES: typeof MAX_TOMBSTONES = MAX_TOMBSTONES;
