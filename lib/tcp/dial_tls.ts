/**
 * Connecting with TLS.
 *
 * @module
 */

import { timeLeft, withTimeout } from "../base/async.ts";
import { abortedError } from "../client/calls.ts";
import { messageOf, TrackerError } from "../errors.ts";
import { formatAddress } from "../transport/listener.ts";
import { dial, lateError } from "./dial.ts";
import { badTls, checkTls, type ClientTlsOptions } from "./options.ts";
import { serverHandshakeError } from "./tls_errors.ts";

/**
 * Makes a TCP connection and agrees on TLS, for programs that put something of their own between it and a `Connection`.
 * The time limit is for both.
 *
 * It is first the one and then the other, not `Deno.connectTls`: that knows no signal, and on its connection there is no
 * sending small pieces at once.
 *
 * @param hostname The server's address
 * @param port The server's port
 * @param tls Which authorities to trust, and for what name
 * @param signal Stops connecting when aborted
 * @param timeout How long to try, in milliseconds; 0 for as long as the system does
 * @returns The connection, on which both sides have agreed
 * @throws {TrackerError} BAD_CERTIFICATE when the server's is not to be trusted; TLS_FAILED when it speaks no TLS;
 *   BAD_ARGUMENT when an option cannot be used; and as `dial`
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
  try {
    await withTimeout(connection.handshake(), {
      signal,
      timeout: timeLeft(timeout, start),
      onTimeout: () => {
        const why = `the server did not agree on TLS within ${timeout} ms; perhaps it speaks none on this port`;
        return lateError(address, why, undefined);
      },
      onAbort: () => abortedError(`connect to ${address}`, signal),
    });
    return connection;
  } catch (cause) {
    // Deno keeps the socket of a handshake that is given up until the server ends it, or the system does.
    connection.close();
    throw cause instanceof TrackerError ? cause : serverHandshakeError(address, cause);
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
    const why = messageOf(cause);
    throw badTls(/certificate/.test(why) ? `a member of caCerts is damaged (${why})` : why, cause);
  }
}

/** Deno may have taken the connection from its first owner already, or not yet. */
function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
