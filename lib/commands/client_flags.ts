/**
 * The flags that commands which connect to a server have in common, and what they mean to a client. Each command takes
 * those it needs into its own table.
 *
 * @module
 */

import { DEFAULT_CALL_TIMEOUT } from "../calls.ts";
import type { ConnectOptions } from "../client.ts";
import { DEFAULT_PORT, type Dialect, DIALECTS } from "../protocol.ts";
import type { Flag, FlagValues } from "./flags.ts";
import { findToken } from "./own_token.ts";
import { type Address, address, anyText, choice, duration } from "./values.ts";

/** Where the server is. */
export const serverFlag: Flag<Address> = {
  placeholder: "HOST:PORT",
  default: `127.0.0.1:${DEFAULT_PORT}`,
  environment: "TRACKER_SERVER",
  description: "where the server is; IPv6 as [::1]:6789",
  parse: address,
};

/** What to speak. */
export const dialectFlag: Flag<Dialect> = {
  placeholder: "DIALECT",
  default: "wide",
  description: "how messages are framed: compact, wide or java",
  ...choice(DIALECTS),
};

/** How long to wait. */
export const timeoutFlag: Flag<number> = {
  placeholder: "DURATION",
  default: `${DEFAULT_CALL_TIMEOUT / 1_000}s`,
  description: "how long to wait for the connection and for each reply; 0 for ever",
  parse: duration,
};

/** Where the token is. */
export const tokenFileFlag: Flag<string | undefined> = {
  placeholder: "FILE",
  default: "",
  description: "a file that holds the token to show, and nothing else; without, $TRACKER_TOKEN is shown if it is set",
  parse: anyText,
};

/** Whom to show. */
export const prefixFlag: Flag<string | undefined> = {
  placeholder: "TEXT",
  default: "",
  description: "only clients whose identifier begins with this",
  parse: anyText,
};

/** What every command needs to find the server, and to be let in. */
export const CLIENT_FLAGS = { server: serverFlag, "token-file": tokenFileFlag, timeout: timeoutFlag } as const;

/**
 * What the flags that commands have in common mean to a client.
 *
 * @param flags Their values
 * @returns The client's options
 * @throws {TrackerError} BAD_ARGUMENT when there is to be a token and is none
 */
export async function clientOptions(flags: FlagValues<typeof CLIENT_FLAGS>): Promise<ConnectOptions> {
  const token = await findToken(flags["token-file"]);
  return { ...flags.server, timeout: flags.timeout, ...token !== undefined && { token } };
}
