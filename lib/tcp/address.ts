/**
 * What the server and the client have to say about a TCP connection alike.
 *
 * @module
 */

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
 * Writes an address as people do.
 *
 * @param address A host name or an address, and a port
 * @returns `host:port`, an address of IPv6 in brackets
 */
export function formatAddress({ hostname, port }: { hostname: string; port: number }): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
