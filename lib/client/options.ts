/**
 * Options for a client.
 *
 * @module
 */

import { HEARTBEAT_RANGE } from "../protocol.ts";
import type { HelloRequest } from "../wire/requests.ts";
import type { ReconnectOptions } from "./backoff.ts";
import { badArgument } from "./calls.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { Dial } from "./establish.ts";
import type { StatusChange } from "./status.ts";

/** The heartbeat of a client that reconnects, unless it sets another, in seconds. */
export const DEFAULT_HEARTBEAT = 10;

/** Options for `Client`. */
export interface ClientOptions extends ConnectionOptions {
  /** The state to open with; without one the client is an observer until it opens or updates. */
  state?: string | Uint8Array;
  /** Stops the first connecting when aborted. A client that is connected goes on. */
  signal?: AbortSignal;
  /**
   * Whether to begin with a Hello, which everything but open, update, get and close needs. `false` is for a server that
   * does not know it. By default only the wide dialect has one.
   */
  hello?: boolean;
  /** The identifier in the map: letters, digits and `._:-`. By default the server assigns a number. */
  name?: string;
  /**
   * The token to show to the server. A function is called for each attempt to connect, so that the token can be replaced
   * meanwhile; a client that the server has let in before then tries again for a while when its token is refused.
   */
  token?: string | (() => string | Promise<string>);
  /**
   * How often to send at least something, in seconds; 0 for no promise. After two and a half heartbeats of silence the
   * server gives the client up, and the client the server. Default {@linkcode DEFAULT_HEARTBEAT} with `reconnect`,
   * otherwise 0.
   */
  heartbeat?: number;
  /**
   * How long a named client stays in the map without a connection, marked suspect, in seconds.
   *
   * @default {0}
   */
  grace?: number;
  /**
   * Whether to take the name from another connection that has it, when connecting for the first time.
   *
   * @default {false}
   */
  takeover?: boolean;
  /**
   * Whether, and how, to come back when the connection is lost.
   *
   * @default {false}
   */
  reconnect?: boolean | ReconnectOptions;
  /** Called with each new status, like a listener that was added before anything could happen. It must not throw. */
  onStatus?: (change: StatusChange) => void;
  /** Connects to the server, each time a connection is needed. */
  dial: Dial;
}

/** Whether the client begins with a Hello. */
function isExtended({ dialect = "wide", hello = dialect === "wide" }: ClientOptions): boolean {
  if (hello && dialect !== "wide") throw badArgument("connect", `the ${dialect} dialect has no Hello`);
  return hello;
}

/**
 * Determines the heartbeat that a client promises.
 *
 * @param options The client's options
 * @returns The heartbeat in seconds; 0 for none
 * @throws {TrackerError} BAD_ARGUMENT when it is out of range
 */
export function heartbeatOf(options: ClientOptions): number {
  const { heartbeat = options.reconnect && isExtended(options) ? DEFAULT_HEARTBEAT : 0 } = options;
  const [least, most] = HEARTBEAT_RANGE;
  if (heartbeat === 0 || (heartbeat >= least && heartbeat <= most)) return heartbeat;
  throw badArgument("connect", `heartbeat is ${heartbeat}, not 0 or from ${least} to ${most} seconds`);
}

/**
 * Builds the Hello that a client begins with.
 *
 * @param options The client's options
 * @param heartbeat The heartbeat it promises, in seconds
 * @returns The Hello; `null` for a client without one
 * @throws {TrackerError} BAD_ARGUMENT when an option needs a Hello and the client has none
 */
export function helloOf(options: ClientOptions, heartbeat: number): HelloRequest | null {
  const hello: HelloRequest = {};
  if (options.name !== undefined) hello.name = options.name;
  if (typeof options.token === "string") hello.token = options.token;
  if (heartbeat !== 0) hello.heartbeat = heartbeat;
  if (options.grace !== undefined) hello.grace = options.grace;
  if (options.takeover) hello.takeover = true;
  if (isExtended(options)) return hello;
  const [first = options.token === undefined ? undefined : "token"] = Object.keys(hello);
  if (first === undefined) return null;
  throw badArgument("connect", `${first} needs a Hello, with which this client does not begin`);
}
