/**
 * The seam between a server and other protocols that are spoken on its ports, such as HTTP and TLS.
 *
 * A connection begins as a session, which knows nothing of them. Only when its very first byte begins no message of
 * Tracker is there a look whether another protocol begins like that; so they cost a client of Tracker nothing.
 *
 * @module
 */

import type { Grant, Permission } from "../auth/tokens.ts";
import type { TrackerError } from "../errors.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import type { SessionContext } from "./context.ts";
import type { EventObserver } from "./events.ts";

/** The place that a conversation takes at a server: what a session does for it. */
export interface Place {
  /** What all connections share. */
  readonly context: SessionContext;
  /** Where the client is. */
  readonly peer: SocketAddress;
  /** Hears what happens. */
  readonly observer: EventObserver;
  /** What the client may do without a token. */
  readonly permission: Permission | "none";
  /**
   * Gives the client a place among those that have shown a token, and notes what that allows: if it is removed, so is the
   * client.
   *
   * @param grant What its token allows
   * @throws {TrackerError} TOO_MANY_CLIENTS
   */
  admit(grant: Grant): void;
  /** Gives up the place, because only the last answer is left to be taken. Doing it again is safe. */
  depart(): void;
  /** Ends the connection at once. Doing it again is safe. */
  abort(): void;
}

/** A connection on which another protocol is spoken. */
export interface Conversation {
  /**
   * Serves the connection until it ends.
   *
   * @returns What is spoken on the connection from now on, which the server takes for a new one; `null` if nothing is.
   *   Never rejects.
   */
  run(): Promise<Incoming | null>;
  /** Ends it in order, and tells the client why if there is a way. Doing it again is safe. */
  end(error: TrackerError): void;
  /** Gives the client up if it has left its output unread for too long. */
  checkProgress(): void;
}

/** Another protocol. */
export interface OtherProtocol {
  /** Its name, by which a listener says that nothing else is spoken on its connections. */
  readonly name: string;
  /** A port on which nothing else is spoken; `null` if it is spoken on the server's own. */
  readonly port?: number | null;
  /** The address to listen on for that port; the server's unless given. */
  readonly hostname?: string | undefined;
  /** @internal Whether a connection on which anything may be spoken speaks it if it begins with this byte. */
  isBegunBy(byte: number): boolean;
  /**
   * Takes a connection over.
   *
   * @internal
   * @param connection The connection
   * @param bytes What has come on it already, in memory of its own
   * @param place Its place at the server
   * @returns The conversation, which is not running yet
   */
  converse(connection: Incoming, bytes: Uint8Array, place: Place): Conversation;
}
