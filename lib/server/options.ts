/**
 * What a server can be told, what it does when it is not told, and what makes no sense.
 *
 * @module
 */

import type { AccessRules } from "../auth/access.ts";
import { LONGEST_TIMEOUT } from "../base/deadlines.ts";
import { TrackerError } from "../errors.ts";
import { Network } from "../auth/cidr.ts";
import { DEFAULT_MAX_STATE, type Dialect, HIGHEST_MAX_STATE } from "../protocol.ts";
import type { Registry } from "../map/registry.ts";
import type { SessionEvent } from "./session.ts";
import type { SessionLimits } from "./context.ts";
import type { ServerTlsOptions } from "../tcp/tls_errors.ts";
import type { Tokens } from "../auth/tokens.ts";

/** Connections a server holds at once unless told otherwise. */
export const DEFAULT_MAX_CLIENTS = 16_384;

/** How long a message may take from its first byte to its last unless told otherwise, in milliseconds. */
export const DEFAULT_MESSAGE_TIMEOUT = 10_000;

/** Bytes of changes that a watcher may be behind while it takes nothing, unless told otherwise. */
export const DEFAULT_MAX_UNSENT = 8_388_608;

/** How long a client may take nothing of what it is sent unless told otherwise, in milliseconds. */
export const DEFAULT_WRITE_TIMEOUT = 10_000;

/** How long a client may take to agree on TLS and to show its token unless told otherwise, in milliseconds. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

/** Bytes that all states may have together unless told otherwise: 256 MiB. */
export const DEFAULT_MAX_TOTAL_STATE = 268_435_456;

/** Connections that may watch at once unless told otherwise. */
export const DEFAULT_MAX_WATCHERS = 4_096;

/** What happened at a server, as it happens. */
export type ServerEvent =
  | (SessionEvent & { peer: Deno.NetAddr })
  | { kind: "accept-error"; error: Error };

/** What {@linkcode serve} can be told. Every member has a default. */
export interface ServeOptions {
  /** The address to listen on. Default `"127.0.0.1"`: only programs on this machine can connect. */
  hostname?: string;
  /**
   * The port to listen on without TLS; 0 takes a free one, which `addr` then tells. Default 6789; with `tls` none:
   * whoever has a certificate and wants to be reached without it too has to say so.
   */
  port?: number;
  /** The certificate to speak TLS with, and where. Default none: the server speaks no TLS. */
  tls?: ServerTlsOptions;
  /** The dialect to insist on. Default `"auto"`: told from each connection's first bytes. */
  dialect?: Dialect | "auto";
  /** Connections held at once; one more is refused with TOO_MANY_CLIENTS. Default 16,384. */
  maxClients?: number;
  /** Longest state, in bytes; a longer one is refused with STATE_TOO_LARGE. Default 65,536, at most 2^30. */
  maxState?: number;
  /** How long a message may take from first byte to last, in milliseconds; 0 for ever. Default 10,000. */
  messageTimeout?: number;
  /** How long a client may be silent, in milliseconds; 0, the default, for ever. */
  idleTimeout?: number;
  /**
   * Bytes of changes that a watcher may be behind while it takes nothing; one that is further behind is refused with
   * SLOW_CONSUMER. Default 8 MiB.
   */
  maxUnsent?: number;
  /**
   * How long a client may take nothing of what it is sent, in milliseconds; 0 for ever. Default 10,000. A watcher may
   * take longer as long as it is not further behind than `maxUnsent`.
   */
  writeTimeout?: number;
  /** How long a client may take to agree on TLS and to show its token, in milliseconds; 0 for ever. Default 10,000. */
  handshakeTimeout?: number;
  /** Bytes of all states together; what goes beyond is refused with TOO_MUCH_STATE. Default 256 MiB. */
  maxTotalState?: number;
  /** Connections that watch at once; one more is refused with TOO_MANY_CLIENTS. Default 4,096. */
  maxWatchers?: number;
  /** Connections from one address at once; 0, the default, for any number up to `maxClients`. */
  maxPerAddress?: number;
  /** Connections accepted in a second; the others wait in the system's queue. 0, the default, for any number. */
  acceptRate?: number;
  /** Messages a second of one connection; one that sends more is read more slowly. 0, the default, for any number. */
  messageRate?: number;
  /**
   * The tokens of those who may connect; without, everybody may. A function is asked at each Hello, so that tokens can
   * be replaced while the server runs.
   */
  tokens?: Tokens | (() => Tokens);
  /** Networks whose clients need no token, nor a Hello to show it. */
  legacyFrom?: readonly (Network | string)[];
  /** Shuts the server down when aborted. */
  signal?: AbortSignal;
  /** The map to keep. Default a new one. */
  registry?: Registry;
  /** Called with what happens, as it happens. It must not throw. */
  onEvent?: (event: ServerEvent) => void;
}

/**
 * The limits of a server's sessions, with their defaults.
 *
 * @param options What the server was told
 * @returns The limits
 * @throws {TrackerError} BAD_ARGUMENT when one makes no sense
 */
export function limitsOf(options: ServeOptions): SessionLimits {
  const limits = {
    maxState: options.maxState ?? DEFAULT_MAX_STATE,
    messageTimeout: options.messageTimeout ?? DEFAULT_MESSAGE_TIMEOUT,
    idleTimeout: options.idleTimeout ?? 0,
    writeTimeout: options.writeTimeout ?? DEFAULT_WRITE_TIMEOUT,
    handshakeTimeout: options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT,
    maxUnsent: options.maxUnsent ?? DEFAULT_MAX_UNSENT,
    maxTotalState: options.maxTotalState ?? DEFAULT_MAX_TOTAL_STATE,
    maxWatchers: options.maxWatchers ?? DEFAULT_MAX_WATCHERS,
    messageRate: options.messageRate ?? 0,
  };
  for (const [name, value] of Object.entries(limits)) requireInteger(name, value, 0, highestOf(name));
  return { ...limits, dialect: options.dialect ?? "auto", maxSuspects: options.maxClients ?? DEFAULT_MAX_CLIENTS };
}

function highestOf(name: string): number {
  if (name === "maxState") return HIGHEST_MAX_STATE;
  return name.endsWith("Timeout") ? LONGEST_TIMEOUT : Number.MAX_SAFE_INTEGER;
}

/**
 * What a server asks of those who connect.
 *
 * @param options What the server was told
 * @returns The rules; `null` when everybody may do everything
 * @throws {TrackerError} BAD_ARGUMENT when a network is none
 */
export function rulesOf({ tokens, legacyFrom = [] }: ServeOptions): AccessRules | null {
  if (tokens === undefined) return null;
  return {
    tokens: typeof tokens === "function" ? tokens : () => tokens,
    legacyFrom: legacyFrom.map((network) => typeof network === "string" ? Network.parse(network) : network),
  };
}

/**
 * Refuses a number that makes no sense.
 *
 * @param name What it is called
 * @param value The number
 * @param low The least it may be
 * @param high The most it may be
 * @throws {TrackerError} BAD_ARGUMENT when it is no integer, or not between them
 */
export function requireInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new TrackerError(
      "BAD_ARGUMENT",
      `Cannot start server: ${name} is ${value}, not an integer from ${low} to ${high}`,
    );
  }
}
