/**
 * What the server and the client have to say about a TCP connection alike.
 *
 * @module
 */

/** The address that only this machine has. */
export const LOOPBACK = "127.0.0.1";

/**
 * Sends small pieces at once: each is waited for, so none may be held back to gather more.
 *
 * @param connection The connection, which may have ended already: then the first read says so
 */
export function setNoDelay(connection: Deno.TcpConn): void {
  try {
    connection.setNoDelay(true);
  } catch {
    // The peer is gone.
  }
}

/**
 * Compares two addresses. The port alone would not do: all of 127.0.0.0/8 is this machine, and another program may have
 * the same port on 127.0.0.2.
 *
 * @param one An address
 * @param other Another
 * @returns Whether they are the same
 */
export function isSameAddress(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  return one.port === other.port && one.hostname === other.hostname;
}
