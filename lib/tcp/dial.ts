/**
 * Connecting over TCP.
 *
 * @module
 */

import { abortedError } from "../client/calls.ts";
import { messageOf, TrackerError } from "../errors.ts";
import { formatAddress } from "../transport/listener.ts";
import { isSameAddress, setNoDelay } from "./address.ts";

/**
 * Makes a TCP connection, for programs that put something of their own between it and a `Connection`. It has a deadline
 * of its own: the system's is minutes.
 *
 * @param hostname The server's address
 * @param port The server's port
 * @param signal Stops connecting when aborted
 * @param timeout How long to try, in milliseconds; 0 for as long as the system does
 * @returns The connection
 * @throws {TrackerError} CONNECTION_REFUSED when nothing listens there; CONNECTION_FAILED, PERMISSION_DENIED, TIMEOUT
 *   or ABORTED when it cannot connect
 */
export async function dial(
  hostname: string,
  port: number,
  signal: AbortSignal | undefined,
  timeout: number,
): Promise<Deno.TcpConn> {
  const address = formatAddress({ hostname, port });
  const late = new AbortController();
  const timer = timeout === 0 ? undefined : setTimeout(() => late.abort(), timeout);
  const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
  try {
    either.throwIfAborted();
    const connection = await Deno.connect({ hostname, port, signal: either });
    // Where nobody listens, the system can give both ends the same port, and everything sent would come back.
    if (isSameAddress(connection.localAddr, connection.remoteAddr)) {
      connection.close();
      throw new Deno.errors.ConnectionRefused("connected to itself");
    }
    setNoDelay(connection);
    return connection;
  } catch (cause) {
    if (signal?.aborted) throw abortedError(`connect to ${address}`, signal);
    if (late.signal.aborted) throw lateError(address, `no answer within ${timeout} ms`, cause);
    throw dialError(address, cause);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The error of a server that did not answer in time.
 *
 * @param address The server's address, as people write it
 * @param why What it did not do
 * @param cause What the runtime said
 * @returns TIMEOUT
 */
export function lateError(address: string, why: string, cause: unknown): TrackerError {
  return new TrackerError("TIMEOUT", `Cannot connect to ${address}: ${why}`, { cause, reason: "unreachable" });
}

function dialError(address: string, cause: unknown): TrackerError {
  const action = `Cannot connect to ${address}`;
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new TrackerError("CONNECTION_REFUSED", `${action}: nothing listens there`, { cause });
  }
  if (cause instanceof Deno.errors.NotCapable) {
    const why = "Deno was not given the permission (-N grants it)";
    return new TrackerError("PERMISSION_DENIED", `${action}: ${why}`, { cause });
  }
  return new TrackerError("CONNECTION_FAILED", `${action}: ${messageOf(cause)}`, { cause, reason: "unreachable" });
}
