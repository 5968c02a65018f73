/**
 * The flags of `tracker serve` for TLS.
 *
 * @module
 */

import { DEFAULT_TLS_PORT } from "../../protocol.ts";
import type { ServerTlsOptions } from "../../tcp/options.ts";
import { type Flag, type FlagValues, optionalFile } from "./flags.ts";
import { readKeyPair } from "../service/pem_files.ts";
import { UsageError } from "./usage.ts";
import { listeningPort } from "./values.ts";

/** The flags. */
export const TLS_FLAGS = {
  "tls-cert": optionalFile(
    "accept TLS, with the certificate in this file (PEM); plain connections only if --port is given too",
  ),
  "tls-key": optionalFile("the certificate's private key (PEM)"),
  "tls-port": {
    placeholder: "PORT",
    default: `${DEFAULT_TLS_PORT}`,
    description: "port to listen on with TLS; 0 for any free one",
    parse: listeningPort,
  },
} as const satisfies Record<string, Flag<unknown>>;

/**
 * Reads the TLS options of a server from the flags.
 *
 * @param flags Their values
 * @param given The names of the flags on the command line
 * @returns The TLS options; `null` for a server without TLS
 * @throws {UsageError} when the certificate or its key is missing
 * @throws {CommandError} when a file cannot be read
 */
export async function tlsFrom(
  flags: FlagValues<typeof TLS_FLAGS>,
  given: ReadonlySet<string>,
): Promise<ServerTlsOptions | null> {
  const { "tls-cert": cert, "tls-key": key, "tls-port": port } = flags;
  if (cert === undefined && key === undefined && !given.has("tls-port")) return null;
  if (cert === undefined || key === undefined) throw new UsageError("TLS needs both --tls-cert and --tls-key");
  return { port, ...await readKeyPair(cert, key) };
}
