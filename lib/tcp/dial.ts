/**
 * Making a connection.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { formatAddress, setNoDelay } from "./address.ts";

/**
 * Makes a TCP connection, for whoever puts something of its own between it and a `Connection`. It has a deadline of
 * its own: the system's is minutes.
 *
 * @param hostname The server's address
 * @param port The server's port
 * @param signal Stops the connecting when aborted
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
    setNoDelay(connection);
    return connection;
  } catch (cause) {
    if (signal?.aborted) {
      throw new TrackerError("ABORTED", `Cannot connect to ${address}: the call was aborted`, { cause: signal.reason });
    }
    if (late.signal.aborted) {
      throw new TrackerError("TIMEOUT", `Cannot connect to ${address}: no answer within ${timeout} ms`, { cause });
    }
    throw dialError(address, cause);
  } finally {
    clearTimeout(timer);
  }
}

function dialError(address: string, cause: unknown): TrackerError {
  if (cause instanceof Deno.errors.ConnectionRefused) {
    return new TrackerError("CONNECTION_REFUSED", `Cannot connect to ${address}: nothing listens there`, { cause });
  }
  if (cause instanceof Deno.errors.NotCapable) {
    const why = "Deno was not given the permission (-N grants it)";
    return new TrackerError("PERMISSION_DENIED", `Cannot connect to ${address}: ${why}`, { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackerError("CONNECTION_FAILED", `Cannot connect to ${address}: ${why}`, { cause });
}
