/**
 * The flags shared by commands that connect to a server, and the client options they stand for. Each command takes the
 * ones it needs into its own table.
 *
 * @module
 */

import { DEFAULT_CALL_TIMEOUT } from "../../client/calls.ts";
import { DEFAULT_PORT, DEFAULT_TLS_PORT, type Dialect, DIALECTS } from "../../protocol.ts";
import { type ConnectOptions, dialer } from "../../tcp/connect.ts";
import type { ClientTlsOptions } from "../../tcp/options.ts";
import { findToken, rereadToken } from "../service/own_token.ts";
import { readPem } from "../service/pem_files.ts";
import { type Flag, type FlagValues, optionalFile, optionalText, toggle } from "./flags.ts";
import { type Address, address, choice, duration } from "./values.ts";

/** The server's address. */
const serverFlag: Flag<Address> = {
  placeholder: "HOST:PORT",
  default: "127.0.0.1",
  environment: "TRACKER_SERVER",
  description: `where the server is; IPv6 as [::1]:${DEFAULT_PORT}; the port is ${DEFAULT_PORT} unless given, ` +
    `with --tls ${DEFAULT_TLS_PORT}`,
  parse: address,
};

/** The authorities to trust. */
const caFlag = optionalFile(
  "certificates of authorities to trust besides the usual ones (PEM); implies --tls",
);

/** The flags that find the server. */
export const SERVER_FLAGS = { server: serverFlag, tls: toggle("connect with TLS"), ca: caFlag } as const;

/** The framing of messages. */
export const dialectFlag: Flag<Dialect> = {
  placeholder: "DIALECT",
  default: "wide",
  description: "how messages are framed: compact, wide or java",
  ...choice(DIALECTS),
};

/** The time limit for the connection and for each reply. */
export const timeoutFlag: Flag<number> = {
  placeholder: "DURATION",
  default: `${DEFAULT_CALL_TIMEOUT / 1_000}s`,
  description: "how long to wait for the connection and for each reply; 0 for no limit",
  parse: duration,
};

/** The client's own token. */
const tokenFileFlag = optionalFile(
  "a file with the token to show, and nothing else; without it, $TRACKER_TOKEN is shown if set",
);

/** The clients to show. */
export const prefixFlag: Flag<string | undefined> = {
  ...optionalText("TEXT", "only clients whose identifier begins with this"),
  // Every identifier begins with nothing.
  mayBeEmpty: true,
};

/** The flags that find the server, and get a client accepted there. */
export const CLIENT_FLAGS = { ...SERVER_FLAGS, "token-file": tokenFileFlag, timeout: timeoutFlag } as const;

/** The values of {@linkcode CLIENT_FLAGS}. */
export type ClientFlags = FlagValues<typeof CLIENT_FLAGS>;

/** A server's address, and how to connect to it. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  /** Options for TLS; `false` for a connection without it. */
  readonly tls: ClientTlsOptions | false;
}

/**
 * Reads the server's address from the flags.
 *
 * @param flags Their values
 * @returns The address, with a port, and how to connect to it
 * @throws {CommandError} when a file cannot be read
 */
export async function targetFrom({ server, tls, ca }: FlagValues<typeof SERVER_FLAGS>): Promise<Target> {
  const { hostname, port } = server;
  if (ca === undefined && !tls) return { hostname, port: port ?? DEFAULT_PORT, tls: false };
  const options = ca === undefined ? {} : { caCerts: [await readPem("certificates", ca)] };
  return { hostname, port: port ?? DEFAULT_TLS_PORT, tls: options };
}

/**
 * Reads the options of a client from the flags.
 *
 * @param flags Their values
 * @returns The client's options
 * @throws {TrackerError} BAD_ARGUMENT when a token was named and cannot be had
 * @throws {CommandError} when a file of certificates cannot be read
 */
export async function clientOptions(flags: ClientFlags): Promise<ConnectOptions> {
  const path = flags["token-file"];
  const token = await findToken(path);
  // Files may be replaced while the client runs, so each attempt to connect reads them again.
  return {
    ...await targetFrom(flags),
    timeout: flags.timeout,
    ...flags.ca !== undefined &&
      { dial: async (signal, timeout) => await dialer(await targetFrom(flags))(signal, timeout) },
    ...token !== undefined && { token: path === undefined ? token : () => rereadToken(path, token) },
  };
}

/**
 * Reads from {@linkcode prefixFlag} which clients to ask for.
 *
 * @param flags The values of a command's flags
 * @returns The request; without a member for all clients
 */
export function prefixFrom({ prefix }: { readonly prefix: string | undefined }): { prefix?: string } {
  return prefix === undefined ? {} : { prefix };
}
