/**
 * Making a connection with TLS.
 *
 * @module
 */

import { within } from "../client/calls.ts";
import { dial } from "./dial.ts";
import { TrackerError } from "../errors.ts";
import { formatAddress } from "./address.ts";
import { type ClientTlsOptions, serverHandshakeError } from "./tls_errors.ts";

/**
 * Makes a TCP connection and agrees on TLS, for whoever puts something of its own between it and a `Connection`. The
 * time limit is for both.
 *
 * It is first the one and then the other, not `Deno.connectTls`: that knows no signal, and on its connection there is no
 * sending small pieces at once.
 *
 * @param hostname The server's address
 * @param port The server's port
 * @param tls Whom to trust, and for what name
 * @param signal Stops the connecting when aborted
 * @param timeout How long to try, in milliseconds; 0 for as long as the system does
 * @returns The connection, on which both sides have agreed
 * @throws {TrackerError} BAD_CERTIFICATE when the server's is not to be trusted; TLS_FAILED when it speaks no TLS;
 *   BAD_ARGUMENT when an option makes no sense; and as `dial`
 */
export async function dialTls(
  hostname: string,
  port: number,
  tls: ClientTlsOptions,
  signal: AbortSignal | undefined,
  timeout: number,
): Promise<Deno.TlsConn> {
  checkTls(tls);
  const start = performance.now();
  const connection = await startTls(await dial(hostname, port, signal, timeout), hostname, tls);
  const address = formatAddress({ hostname, port });
  const rest = timeout === 0 ? 0 : Math.max(1, Math.round(timeout - (performance.now() - start)));
  try {
    await within(`connect to ${address}`, connection.handshake(), { signal }, rest);
    return connection;
  } catch (cause) {
    // Deno keeps the socket of a handshake that is given up until the server ends it, or the system does.
    connection.close();
    if (!(cause instanceof TrackerError)) throw serverHandshakeError(address, cause);
    if (cause.code !== "TIMEOUT") throw cause;
    const why = `the server did not agree on TLS within ${timeout} ms; perhaps it speaks none on this port`;
    throw new TrackerError("TIMEOUT", `Cannot connect to ${address}: ${why}`);
  }
}

/**
 * Looks over what a client is told of TLS. Of what is no certificate Deno would say nothing, and trust nobody.
 *
 * @param tls What it is told
 * @throws {TrackerError} BAD_ARGUMENT when it makes no sense
 */
export function checkTls({ caCerts = [] }: ClientTlsOptions): void {
  for (const caCert of caCerts) {
    if (caCert.includes("-----BEGIN CERTIFICATE-----")) continue;
    throw badTls("a member of caCerts is no certificate in PEM (-----BEGIN CERTIFICATE-----)");
  }
}

async function startTls(
  connection: Deno.TcpConn,
  hostname: string,
  // The zone of an address, as in fe80::1%eth0, is this machine's own affair.
  { caCerts = [], serverName = hostname.replace(/%.*$/, "") }: ClientTlsOptions,
): Promise<Deno.TlsConn> {
  try {
    return await Deno.startTls(connection, { hostname: serverName, caCerts: [...caCerts] });
  } catch (cause) {
    closeQuietly(connection);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw badTls(/certificate/.test(why) ? `a member of caCerts is damaged (${why})` : why, cause);
  }
}

/** Deno has taken the connection from its first owner, or not yet. */
function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}

function badTls(why: string, cause?: unknown): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot speak TLS: ${why}`, { cause });
}
