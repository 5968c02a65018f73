/**
 * A session, as the handlers of requests see it.
 *
 * @module
 */

import { mayWrite, unauthorized } from "../auth/access.ts";
import type { Grant, Permission } from "../auth/tokens.ts";
import type { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import { type Dialect, DONE, DROP, KICK, type MessageType, OPEN, PUT, STATS, UPDATE } from "../protocol.ts";
import type { SocketAddress } from "../transport/listener.ts";
import { encodeJson } from "../wire/json.ts";
import { encodeMapLength, MAP_LENGTH_SIZE } from "../wire/replies.ts";
import type { SessionContext } from "./context.ts";
import type { EventObserver } from "./events.ts";
import type { Presence } from "./presence.ts";
import type { ReplyWriter } from "./reply_writer.ts";
import type { SessionTimers } from "./session_timers.ts";

/** Whoever asks for something: a session, or a request that came another way. */
export interface Actor {
  /** What all connections share. */
  readonly context: SessionContext;
  /** What it may do. */
  readonly permission: Permission | "none";
  /** What its token allows; `null` without one. */
  readonly grant: Grant | null;
  /** Where it is. */
  readonly peer: SocketAddress;
  /** The dialect that it speaks. */
  readonly dialect: Dialect | "unsettled";
  /** Hears what happens. */
  readonly observer: EventObserver;
}

/** The session that a request came in on, as its handler sees it. */
export interface Requester extends Actor {
  /** The client's place in the map. */
  readonly presence: Presence;
  /** Where replies go. */
  readonly replies: ReplyWriter;
  /** Whether enough replies have gathered to be written before more are made. */
  readonly hasFullOutput: boolean;
  /** The session's timers. */
  readonly timers: SessionTimers;
  /** Whether the client may still be in the map. A handler can end that. */
  readonly isOpen: boolean;
  /** The watcher that tells it of changes; `null` until the client watches. */
  readonly watcher: Watcher | null;
  /** Settles when what the client has asked for is decided; `null` when nothing is to be. Nothing is parsed before. */
  readonly pending: Promise<void> | null;
  /** Sends the frames of the watcher, unless a write is under way. */
  sendNews(): void;
  /** Ends the session with an error reply. */
  close(error: TrackerError): void;
  /**
   * Lets the client in.
   *
   * @param grant What its token allows
   * @throws {TrackerError} TOO_MANY_CLIENTS
   */
  admit(grant: Grant): void;
  /**
   * Holds the client up until something is decided, or the session ends.
   *
   * @param decision Settles then; it must not reject
   */
  suspend(decision: Promise<void>): void;
}

/**
 * Makes sure that a client whose token is bound to a prefix keeps to it.
 *
 * @param actor Whoever asks
 * @param id The identifier that it asks for
 * @throws {TrackerError} UNAUTHORIZED if it does not begin with the prefix
 */
export function requireUnder({ grant }: Pick<Actor, "grant">, id: string): void {
  if (id.startsWith(grant?.prefix ?? "")) return;
  throw unauthorized("the token is bound to identifiers of another beginning");
}

/** Requests that change the map. */
const WRITING: ReadonlySet<MessageType> = new Set([OPEN, UPDATE, PUT, DROP, KICK]);

/**
 * Checks the rights of whoever asks: without a token it may ask for nothing, and with one for reading change nothing.
 *
 * @param actor Whoever asks
 * @param type The type of the message that asks for it, whichever way it came
 * @throws {TrackerError} UNAUTHORIZED
 */
export function requireRight({ permission, grant }: Pick<Actor, "permission" | "grant">, type: MessageType): void {
  if (permission === "none") throw strangerError();
  if (WRITING.has(type) && !mayWrite(permission)) throw unauthorized("the token is for reading");
  if (type === KICK && permission !== "admin") throw unauthorized("the token does not allow ending others");
  if (type === STATS && grant?.prefix !== undefined) throw unauthorized("the token is bound to a part of the map");
}

/**
 * The error of a client that sends anything but a Hello before it has shown a token.
 *
 * @returns UNAUTHORIZED
 */
export function strangerError(): TrackerError {
  return unauthorized("a connection has to begin with a Hello that has a token");
}

/** Adds the one-byte reply to a request that is done. */
export function replyDone({ gathered }: ReplyWriter): void {
  gathered.reserve(1);
  gathered.bytes[gathered.length++] = DONE;
}

/** Adds a reply of JSON, with its length in front. */
export function replyJson({ gathered }: ReplyWriter, value: object): void {
  const json = encodeJson(value);
  gathered.reserve(MAP_LENGTH_SIZE);
  gathered.length = encodeMapLength(gathered.bytes, gathered.length, json.length, "wide");
  gathered.append(json);
}
