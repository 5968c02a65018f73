/**
 * The seam between a server and the ways into it.
 *
 * @module
 */

import type { Duplex } from "./duplex.ts";

/** Where a socket is. It has the shape of Deno's own type, so that either can stand for the other. */
export interface SocketAddress {
  /** The transport protocol. */
  readonly transport: "tcp" | "udp";
  /** The host's address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** By which way something came, if it was not Tracker's own protocol on a connection of its own. */
  readonly via?: "ws" | "http";
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

/**
 * Reads the host out of an address.
 *
 * @param address What {@linkcode formatAddress} has written
 * @returns The host
 */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** A server's certificate, and the key that proves that it is its own. */
export interface KeyPair {
  /** The certificate in PEM, followed by its intermediate certificates, if any. */
  cert: string;
  /** Its private key in PEM, without a passphrase. */
  key: string;
}

/** A connection that a client has made: a byte stream, and where it comes from. */
export interface Incoming extends Duplex {
  /** Where the client is. */
  readonly remoteAddr: SocketAddress;
  /** Whether nobody on the way can read it. */
  readonly isSecure?: boolean;
}

/**
 * A source of connections: TCP, TLS and WebSocket are equals at one server, with one map and one set of limits.
 *
 * A listener brings what it has accepted and knows nothing of what is said on it.
 */
export interface Listener {
  /** Where it listens. */
  readonly addr: SocketAddress;
  /** Whether its connections are encrypted. */
  readonly isSecure: boolean;
  /** The only protocol that is spoken on its connections, such as `"http"`; Tracker's, or any that the server knows, unless given. */
  readonly speaks?: string | undefined;
  /**
   * Waits for the next connection.
   *
   * @returns The connection. Rejects when the listener is closed, and when the system cannot hand a connection over,
   *   such as for want of descriptors: then it is worth trying again after a pause. A connection that broke before it
   *   was accepted is no reason to reject.
   */
  accept(): Promise<Incoming>;
  /**
   * Waits for a turn of the event loop: until the runtime has served its timers and looked at every socket. Only of a
   * listener that knows a better way than a timer.
   *
   * @returns Resolves then; never rejects
   */
  turn?(): Promise<void>;
  /** Accepts nothing more. The connections it has brought go on. */
  close(): void;
  /** Ends at once whatever its connections have left behind. */
  abort(): void;
  /** Resolves once it is closed and nothing of its connections is left. */
  finish(): Promise<void>;
  /**
   * Uses another certificate for the connections to come; those that exist keep theirs. Only of a secure listener.
   *
   * @param pair The certificate and its key
   * @throws {TrackerError} BAD_CERTIFICATE when it cannot be used; the old one then stays in use
   */
  reloadTls?(pair: KeyPair): void;
}
