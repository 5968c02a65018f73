/**
 * The flags of `tracker serve` that set limits.
 *
 * @module
 */

import { DEFAULT_MAX_STATE, HIGHEST_MAX_STATE } from "../../protocol.ts";
import {
  DEFAULT_HANDSHAKE_TIMEOUT,
  DEFAULT_MAX_CLIENTS,
  DEFAULT_MAX_TOTAL_STATE,
  DEFAULT_MAX_UNAUTHORIZED,
  DEFAULT_MAX_UNSENT,
  DEFAULT_MAX_WATCHERS,
  DEFAULT_MESSAGE_TIMEOUT,
  DEFAULT_WRITE_TIMEOUT,
  type ServerOptions,
} from "../../server/options.ts";
import type { Flag, FlagValues } from "./flags.ts";
import { duration, integer } from "./values.ts";

/** Highest value of a limit in bytes that has no other bound. */
const ANY = 2 ** 40;

/** Declares a limit on a number of things. */
function count(standard: number, least: number, description: string): Flag<number> {
  return { placeholder: "COUNT", default: `${standard}`, description, parse: integer(least, 2 ** 31) };
}

/** Declares a limit on a size. */
function bytes(standard: number, most: number, description: string): Flag<number> {
  return { placeholder: "BYTES", default: `${standard}`, description, parse: integer(0, most) };
}

/** Declares a time limit, in milliseconds. */
function time(standard: number, description: string): Flag<number> {
  const written = standard === 0 ? "0" : `${standard / 1_000}s`;
  return { placeholder: "DURATION", default: written, description, parse: duration };
}

/** The flags. */
export const LIMIT_FLAGS = {
  "max-clients": count(DEFAULT_MAX_CLIENTS, 1, "connections at once; further ones are refused"),
  "max-per-address": count(0, 0, "connections at once from one address, of IPv6 from one /64; 0 for no limit"),
  "max-unauthorized": count(
    DEFAULT_MAX_UNAUTHORIZED,
    1,
    "connections at once that have shown no token, where one is needed; the oldest has to go",
  ),
  "max-suspects": {
    placeholder: "COUNT",
    default: "auto",
    description: "names with a grace, a quarter of them for one address or token; auto for four times --max-clients",
    parse: (text: string) => text === "auto" ? undefined : integer(0, 2 ** 33)(text),
  },
  "max-watchers": count(DEFAULT_MAX_WATCHERS, 0, "watching connections at once; further ones are refused"),
  "max-state": bytes(
    DEFAULT_MAX_STATE,
    HIGHEST_MAX_STATE,
    "size of one state; a client that sends a larger one is refused",
  ),
  "max-total-state": bytes(
    DEFAULT_MAX_TOTAL_STATE,
    ANY,
    "size of all states together; a state that would exceed it is refused",
  ),
  "max-unsent": bytes(
    DEFAULT_MAX_UNSENT,
    ANY,
    "changes held for a watcher that does not read; one that needs more is disconnected",
  ),
  "accept-rate": count(0, 0, "connections accepted per second; others wait; 0 for no limit"),
  "message-rate": count(0, 0, "messages per second from one connection; others wait; 0 for no limit"),
  "message-timeout": time(
    DEFAULT_MESSAGE_TIMEOUT,
    "how long a message may take from its first byte to its last; 0 for no limit",
  ),
  "handshake-timeout": time(
    DEFAULT_HANDSHAKE_TIMEOUT,
    "how long a client may take for the TLS handshake and its token; 0 for no limit",
  ),
  "write-timeout": time(DEFAULT_WRITE_TIMEOUT, "how long a client may leave output unread; 0 for no limit"),
  "idle-timeout": time(0, "how long a client may be silent before it is dropped; 0 for no limit"),
} as const;

/**
 * Reads the limits of a server from the flags.
 *
 * @param flags Their values
 * @returns Options for the server
 */
export function limitsFrom(flags: FlagValues<typeof LIMIT_FLAGS>): ServerOptions {
  return {
    maxClients: flags["max-clients"],
    maxPerAddress: flags["max-per-address"],
    maxUnauthorized: flags["max-unauthorized"],
    ...flags["max-suspects"] !== undefined && { maxSuspects: flags["max-suspects"] },
    maxWatchers: flags["max-watchers"],
    maxState: flags["max-state"],
    maxTotalState: flags["max-total-state"],
    maxUnsent: flags["max-unsent"],
    acceptRate: flags["accept-rate"],
    messageRate: flags["message-rate"],
    messageTimeout: flags["message-timeout"],
    handshakeTimeout: flags["handshake-timeout"],
    writeTimeout: flags["write-timeout"],
    idleTimeout: flags["idle-timeout"],
  };
}
