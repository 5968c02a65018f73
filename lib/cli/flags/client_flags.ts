/**
 * The flags that commands which connect to a server have in common, and what they mean to a client. Each command takes
 * those it needs into its own table.
 *
 * @module
 */

import { DEFAULT_CALL_TIMEOUT } from "../../client/calls.ts";
import type { ConnectOptions } from "../../tcp/connect.ts";
import { DEFAULT_PORT, DEFAULT_TLS_PORT, type Dialect, DIALECTS } from "../../protocol.ts";
import type { ClientTlsOptions } from "../../tcp/options.ts";
import { type Flag, type FlagValues, toggle } from "./flags.ts";
import { findToken } from "../service/own_token.ts";
import { readPem } from "../service/pem_files.ts";
import { type Address, address, anyText, choice, duration } from "./values.ts";

/** Where the server is. */
const serverFlag: Flag<Address> = {
  placeholder: "HOST:PORT",
  default: "127.0.0.1",
  environment: "TRACKER_SERVER",
  description: `where the server is; IPv6 as [::1]:${DEFAULT_PORT}; the port is ${DEFAULT_PORT} unless given, ` +
    `with --tls ${DEFAULT_TLS_PORT}`,
  parse: address,
};

/** Whom to trust. */
const caFlag: Flag<string | undefined> = {
  placeholder: "FILE",
  default: "",
  description: "certificates of authorities to trust besides the usual ones (PEM); means --tls",
  parse: anyText,
};

/** What every command needs to find the server. */
export const SERVER_FLAGS = { server: serverFlag, tls: toggle("speak TLS with the server"), ca: caFlag } as const;

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
export const CLIENT_FLAGS = { ...SERVER_FLAGS, "token-file": tokenFileFlag, timeout: timeoutFlag } as const;

/** Where a server is, and how to get there. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  /** How to speak TLS; `false` for not at all. */
  readonly tls: ClientTlsOptions | false;
}

/**
 * What the flags say of the server.
 *
 * @param flags Their values
 * @returns Where it is, the port included, and how to get there
 * @throws {CommandError} when a file cannot be read
 */
export async function targetFrom({ server, tls, ca }: FlagValues<typeof SERVER_FLAGS>): Promise<Target> {
  const { hostname, port } = server;
  if (ca === undefined && !tls) return { hostname, port: port ?? DEFAULT_PORT, tls: false };
  const options = ca === undefined ? {} : { caCerts: [await readPem("certificates", ca)] };
  return { hostname, port: port ?? DEFAULT_TLS_PORT, tls: options };
}

/**
 * What the flags that commands have in common mean to a client.
 *
 * @param flags Their values
 * @returns The client's options
 * @throws {TrackerError} BAD_ARGUMENT when there is to be a token and is none
 * @throws {CommandError} when a file of certificates cannot be read
 */
export async function clientOptions(flags: FlagValues<typeof CLIENT_FLAGS>): Promise<ConnectOptions> {
  const token = await findToken(flags["token-file"]);
  return { ...await targetFrom(flags), timeout: flags.timeout, ...token !== undefined && { token } };
}
