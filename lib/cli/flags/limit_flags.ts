/**
 * The flags of `tracker serve` that set its limits.
 *
 * @module
 */

import { DEFAULT_MAX_STATE, HIGHEST_MAX_STATE } from "../../protocol.ts";
import {
  DEFAULT_HANDSHAKE_TIMEOUT,
  DEFAULT_MAX_CLIENTS,
  DEFAULT_MAX_TOTAL_STATE,
  DEFAULT_MAX_UNSENT,
  DEFAULT_MAX_WATCHERS,
  DEFAULT_MESSAGE_TIMEOUT,
  DEFAULT_WRITE_TIMEOUT,
  type ServerOptions,
} from "../../server/options.ts";
import type { Flag, FlagValues } from "./flags.ts";
import { duration, integer } from "./values.ts";

/** The most that a limit can be set to where there is no other bound. */
const ANY = 2 ** 40;

/** A limit on a number of things. */
function count(standard: number, least: number, description: string): Flag<number> {
  return { placeholder: "COUNT", default: `${standard}`, description, parse: integer(least, 2 ** 31) };
}

/** A limit on a size. */
function bytes(standard: number, most: number, description: string): Flag<number> {
  return { placeholder: "BYTES", default: `${standard}`, description, parse: integer(0, most) };
}

/** A limit on a time, in milliseconds. */
function time(standard: number, description: string): Flag<number> {
  const written = standard === 0 ? "0" : `${standard / 1_000}s`;
  return { placeholder: "DURATION", default: written, description, parse: duration };
}

/** The flags. */
export const LIMIT_FLAGS = {
  "max-clients": count(DEFAULT_MAX_CLIENTS, 1, "connections held at once; one more is refused"),
  "max-per-address": count(0, 0, "connections held at once from one address; 0 for any number"),
  "max-watchers": count(DEFAULT_MAX_WATCHERS, 0, "connections that watch at once; one more is refused"),
  "max-state": bytes(
    DEFAULT_MAX_STATE,
    HIGHEST_MAX_STATE,
    "longest state; a client that sends a longer one is refused",
  ),
  "max-total-state": bytes(DEFAULT_MAX_TOTAL_STATE, ANY, "all states together; what goes beyond is refused"),
  "max-unsent": bytes(
    DEFAULT_MAX_UNSENT,
    ANY,
    "changes that a watcher that takes nothing may be behind; one further behind is cut off",
  ),
  "accept-rate": count(0, 0, "connections accepted a second; the others wait; 0 for any number"),
  "message-rate": count(0, 0, "messages a second of one connection; the others wait; 0 for any number"),
  "message-timeout": time(DEFAULT_MESSAGE_TIMEOUT, "how long a message may take from first byte to last; 0 for ever"),
  "handshake-timeout": time(
    DEFAULT_HANDSHAKE_TIMEOUT,
    "how long a client may take to agree on TLS and to show its token; 0 for ever",
  ),
  "write-timeout": time(DEFAULT_WRITE_TIMEOUT, "how long a client may take nothing of what it is sent; 0 for ever"),
  "idle-timeout": time(0, "how long a client may be silent before it is given up; 0 for ever"),
} as const;

/**
 * What the flags mean to a server.
 *
 * @param flags Their values
 * @returns The server's options
 */
export function limitsFrom(flags: FlagValues<typeof LIMIT_FLAGS>): ServerOptions {
  return {
    maxClients: flags["max-clients"],
    maxPerAddress: flags["max-per-address"],
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
