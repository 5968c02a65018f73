/**
 * Options for a server.
 *
 * @module
 */

import type { AccessRules, Authorize } from "../auth/access.ts";
import { Cidr } from "../auth/cidr.ts";
import type { Tokens } from "../auth/tokens.ts";
import { LONGEST_TIMEOUT } from "../base/deadlines.ts";
import { TrackerError } from "../errors.ts";
import type { Registry } from "../map/registry.ts";
import { DEFAULT_MAX_STATE, type Dialect, HIGHEST_MAX_STATE } from "../protocol.ts";
import type { SocketAddress } from "../transport/listener.ts";
import type { HelloRequest } from "../wire/requests.ts";
import type { AdmissionLimits } from "./admission.ts";
import type { SessionLimits } from "./context.ts";
import type { ServerEvent } from "./events.ts";

/** Default for the most connections at once. */
export const DEFAULT_MAX_CLIENTS = 16_384;

/** Default for how long a message may take from its first byte to its last, in milliseconds. */
export const DEFAULT_MESSAGE_TIMEOUT = 10_000;

/** Default for how far behind a watcher may be while it reads nothing, in bytes of changes. */
export const DEFAULT_MAX_UNSENT = 8_388_608;

/** Default for how long a client may leave output unread, in milliseconds. */
export const DEFAULT_WRITE_TIMEOUT = 10_000;

/** Default for how long a client may take to agree on TLS and to show its token, in milliseconds. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

/** Default for the size of all states together, in bytes (256 MiB). */
export const DEFAULT_MAX_TOTAL_STATE = 268_435_456;

/** Default for the most watchers at once. */
export const DEFAULT_MAX_WATCHERS = 4_096;

/** Default for the most connections that have shown no token. */
export const DEFAULT_MAX_UNAUTHORIZED = 2_048;

/** Default for the most names with a grace, as a multiple of the most connections. */
const SUSPECTS_PER_CLIENT = 4;

/** Connections that may always be saying their last at once, and the share of the most connections that may be. */
const LEAST_PARTING = 256;
const PARTING_SHARE = 4;

/** Options for a server, wherever its connections come from. Every member has a default. */
export interface ServerOptions {
  /** The dialect to insist on. Default `"auto"`: told from each connection's first bytes. */
  dialect?: Dialect | "auto";
  /**
   * Most connections at once; one more is refused with TOO_MANY_CLIENTS. Default 16,384. Where a token is needed, those
   * that have shown none count towards `maxUnauthorized` instead.
   */
  maxClients?: number;
  /** Longest state, in bytes; a longer one is refused with STATE_TOO_LARGE. Default 65,536, at most 2^30. */
  maxState?: number;
  /** How long a message may take from first byte to last, in milliseconds; 0 for no limit. Default 10,000. */
  messageTimeout?: number;
  /** How long a client may be silent, in milliseconds; 0, the default, for no limit. */
  idleTimeout?: number;
  /**
   * How far behind a watcher may be while it reads nothing, in bytes of changes; one that is further behind is refused
   * with SLOW_CONSUMER. Default 8 MiB.
   */
  maxUnsent?: number;
  /**
   * How long a client may leave output unread, in milliseconds; 0 for no limit. Default 10,000. A watcher may take
   * longer as long as it is not further behind than `maxUnsent`.
   */
  writeTimeout?: number;
  /** How long a client may take to agree on TLS and to show its token, in milliseconds; 0 for no limit. Default 10,000. */
  handshakeTimeout?: number;
  /** Size of all states together, in bytes; what goes beyond is refused with TOO_MUCH_STATE. Default 256 MiB. */
  maxTotalState?: number;
  /** Most watchers at once; one more is refused with TOO_MANY_CLIENTS. Default 4,096. */
  maxWatchers?: number;
  /**
   * Most names with a grace, whether their connections have ended or not; one more is refused with TOO_MANY_CLIENTS. One
   * address, and one token, may have a quarter of them. Default four times `maxClients`.
   */
  maxSuspects?: number;
  /**
   * Most connections that have shown no token, where one is needed. For one more the oldest is refused with RATE_LIMITED;
   * an address that has a quarter of them makes room for itself. Default 2,048.
   */
  maxUnauthorized?: number;
  /** Most connections at once from one address, of IPv6 from one /64; 0, the default, for no limit below `maxClients`. */
  maxPerAddress?: number;
  /** Most connections accepted in a second; the others wait in the system's queue. 0, the default, for no limit. */
  acceptRate?: number;
  /** Most messages a second of one connection; one that sends more is read more slowly. 0, the default, for no limit. */
  messageRate?: number;
  /**
   * The tokens that let clients in; without, every client may do everything. A function is called at each Hello, so that
   * tokens can be replaced while the server runs.
   */
  tokens?: Tokens | (() => Tokens);
  /**
   * Decides which clients come in, in place of `tokens`, and what each may do. It may take its time: only the client waits
   * for it, for at most `handshakeTimeout`.
   */
  authorize?: Authorize<HelloRequest, SocketAddress>;
  /** Networks whose clients need no token, nor a Hello to show it, and may do everything. */
  trustedNetworks?: readonly (Cidr | string)[];
  /** @deprecated Use `trustedNetworks`. */
  legacyFrom?: readonly (Cidr | string)[];
  /** Shuts the server down when aborted. */
  signal?: AbortSignal;
  /** The map to keep. Default a new one. */
  registry?: Registry;
  /** Called with what happens, as it happens. It must not throw. */
  onEvent?: (event: ServerEvent) => void;
}

/**
 * Checks a server's options.
 *
 * @param options The options
 * @throws {TrackerError} BAD_ARGUMENT when one cannot be used
 */
export function checkOptions(options: ServerOptions): void {
  admissionLimitsOf(options);
  maxUnauthorizedOf(options);
  limitsOf(options);
  rulesOf(options);
}

/**
 * Completes the limits of a server's sessions with their defaults.
 *
 * @param options The server's options
 * @returns The limits
 * @throws {TrackerError} BAD_ARGUMENT when one is out of its range
 */
export function limitsOf(options: ServerOptions): SessionLimits {
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
    maxSuspects: options.maxSuspects ?? (options.maxClients ?? DEFAULT_MAX_CLIENTS) * SUSPECTS_PER_CLIENT,
  };
  for (const [name, value] of Object.entries(limits)) requireInteger(name, value, 0, highestOf(name));
  return { ...limits, dialect: options.dialect ?? "auto" };
}

function highestOf(name: string): number {
  if (name === "maxState") return HIGHEST_MAX_STATE;
  return name.endsWith("Timeout") ? LONGEST_TIMEOUT : Number.MAX_SAFE_INTEGER;
}

/**
 * Completes the limits on who comes in with their defaults.
 *
 * @param options The server's options
 * @returns The limits
 * @throws {TrackerError} BAD_ARGUMENT when one is out of its range
 */
export function admissionLimitsOf(options: ServerOptions): AdmissionLimits {
  const { maxClients = DEFAULT_MAX_CLIENTS, maxPerAddress = 0, acceptRate = 0 } = options;
  requireInteger("maxClients", maxClients, 1, 2 ** 31);
  requireInteger("maxPerAddress", maxPerAddress, 0, 2 ** 31);
  requireInteger("acceptRate", acceptRate, 0, 2 ** 31);
  return { maxClients, maxPerAddress, acceptRate };
}

/**
 * Completes the limit on connections that have shown no token with its default.
 *
 * @param options The server's options
 * @returns The limit
 * @throws {TrackerError} BAD_ARGUMENT when it is out of its range
 */
export function maxUnauthorizedOf({ maxUnauthorized = DEFAULT_MAX_UNAUTHORIZED }: ServerOptions): number {
  requireInteger("maxUnauthorized", maxUnauthorized, 1, 2 ** 31);
  return maxUnauthorized;
}

/**
 * Computes how many connections may be saying their last at once: each has given up its place, but still takes memory.
 *
 * @param options The server's options
 * @returns The limit
 */
export function maxPartingOf({ maxClients = DEFAULT_MAX_CLIENTS }: ServerOptions): number {
  return Math.max(LEAST_PARTING, Math.ceil(maxClients / PARTING_SHARE));
}

/**
 * Makes the rules of access.
 *
 * @param options The server's options
 * @returns The rules; `null` when every client may do everything
 * @throws {TrackerError} BAD_ARGUMENT when a network cannot be parsed
 */
export function rulesOf(
  { tokens, authorize, legacyFrom = [], trustedNetworks = legacyFrom }: ServerOptions,
): AccessRules | null {
  if (tokens === undefined && authorize === undefined) return null;
  if (tokens !== undefined && authorize !== undefined) {
    throw new TrackerError("BAD_ARGUMENT", "Cannot start server: tokens and authorize cannot both decide who comes in");
  }
  return {
    tokens: tokens === undefined ? null : typeof tokens === "function" ? tokens : () => tokens,
    authorize: authorize ?? null,
    trustedNetworks: trustedNetworks.map((network) => typeof network === "string" ? Cidr.parse(network) : network),
  };
}

/**
 * Checks an option that is a number.
 *
 * @param name The option's name
 * @param value Its value
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
