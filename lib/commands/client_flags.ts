/**
 * The flags that commands which connect to a server have in common. Each takes those it needs into its own table.
 *
 * @module
 */

import { DEFAULT_CALL_TIMEOUT } from "../calls.ts";
import { DEFAULT_PORT, type Dialect, DIALECTS } from "../protocol.ts";
import type { Flag } from "./flags.ts";
import { type Address, address, choice, duration } from "./values.ts";

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
