/**
 * Options for reaching, and being reached, over TCP and TLS.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { KeyPair } from "../transport/listener.ts";

/** How a server speaks TLS. */
export interface ServerTlsOptions extends KeyPair {
  /** The port for TLS; 0 takes a free one, which `tlsAddr` then tells. Default 6790. */
  port?: number;
  /** The address to listen on for TLS. Default the server's `hostname`. */
  hostname?: string;
}

/** How a client speaks TLS. */
export interface ClientTlsOptions {
  /** Certificates of authorities, in PEM, to trust besides those that Deno trusts. */
  caCerts?: readonly string[];
  /** The name or address that the server's certificate must be for. Default the one connected to. */
  serverName?: string;
}

/**
 * Checks a client's TLS options. Deno accepts anything for a certificate, says nothing, and then trusts nobody.
 *
 * @param tls The options
 * @throws {TrackerError} BAD_ARGUMENT when a certificate is not in PEM
 */
export function checkTls({ caCerts = [] }: ClientTlsOptions): void {
  for (const caCert of caCerts) {
    if (caCert.includes("-----BEGIN CERTIFICATE-----")) continue;
    throw badTls("a member of caCerts is no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  }
}

/**
 * The error of TLS options that cannot be used.
 *
 * @param why What is wrong with them
 * @param cause What the runtime said
 * @returns BAD_ARGUMENT
 */
export function badTls(why: string, cause?: unknown): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot speak TLS: ${why}`, { cause });
}
