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

/** The heartbeat of a client that reconnects, unless told otherwise, in seconds. */
export const DEFAULT_HEARTBEAT = 10;

/** Options for `Client`. */
export interface ClientOptions extends ConnectionOptions {
  /** A state to open with at once; without it the client is an observer until it opens or updates. */
  state?: string | Uint8Array;
  /** Stops connecting when aborted. A client that is connected goes on. */
  signal?: AbortSignal;
  /**
   * Whether to begin with a Hello, which everything but open, update, get and close needs. Default: in the wide
   * dialect. `false` is for a server that does not know it.
   */
  hello?: boolean;
  /** The identifier to have in the map: letters, digits and `._:-`. Default a number from the server. */
  name?: string;
  /** Who the client is, for a server that asks. */
  token?: string;
  /**
   * How often to say something at least, in seconds; 0 for no promise. The server gives the client up after two and a
   * half of it in silence, and the client the server. Default 10 with `reconnect`, otherwise 0.
   */
  heartbeat?: number;
  /** How long a named client stays in the map without a connection, marked suspect, in seconds. Default 0. */
  grace?: number;
  /** Whether to take the name from another connection that has it, when connecting first. Default `false`. */
  takeover?: boolean;
  /** Whether, and how, to come back when the connection is lost. Default `false`. */
  reconnect?: boolean | ReconnectOptions;
  /** Makes the connection, whenever there is to be one. */
  dial: Dial;
}

/** Whether the client is to begin with a Hello. */
function isExtended({ dialect = "wide", hello = dialect === "wide" }: ClientOptions): boolean {
  if (hello && dialect !== "wide") throw badArgument("connect", `the ${dialect} dialect has no Hello`);
  return hello;
}

/**
 * Finds the heartbeat that a client promises.
 *
 * @param options The client's options
 * @returns Seconds; 0 for none
 * @throws {TrackerError} BAD_ARGUMENT when it cannot be promised
 */
export function heartbeatOf(options: ClientOptions): number {
  const { heartbeat = options.reconnect && isExtended(options) ? DEFAULT_HEARTBEAT : 0 } = options;
  const [least, most] = HEARTBEAT_RANGE;
  if (heartbeat === 0 || (heartbeat >= least && heartbeat <= most)) return heartbeat;
  throw badArgument("connect", `heartbeat is ${heartbeat}, not 0 or from ${least} to ${most} seconds`);
}

/**
 * Makes the Hello that a client begins with.
 *
 * @param options The client's options
 * @param heartbeat The heartbeat it promises, in seconds
 * @returns The Hello; `null` when there is to be none
 * @throws {TrackerError} BAD_ARGUMENT when an option needs a Hello, and there is to be none
 */
export function helloOf(options: ClientOptions, heartbeat: number): HelloRequest | null {
  const hello: HelloRequest = {};
  if (options.name !== undefined) hello.name = options.name;
  if (options.token !== undefined) hello.token = options.token;
  if (heartbeat !== 0) hello.heartbeat = heartbeat;
  if (options.grace !== undefined) hello.grace = options.grace;
  if (options.takeover) hello.takeover = true;
  if (isExtended(options)) return hello;
  const [first] = Object.keys(hello);
  if (first === undefined) return null;
  throw badArgument("connect", `${first} needs a Hello, with which this client does not begin`);
}
