/**
 * What a session is made of.
 *
 * @module
 */

import { accessOf } from "../auth/access.ts";
import type { Grant, Permission } from "../auth/tokens.ts";
import type { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { Dialect } from "../protocol.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import type { SessionContext } from "./context.ts";
import type { EventObserver, SessionEvent } from "./events.ts";
import { Presence, type PresenceOwner } from "./presence.ts";
import { type ReplySource, ReplyWriter } from "./reply_writer.ts";
import { SessionTimers, type TimerName, type TimerOwner } from "./session_timers.ts";

/** The parts of a session, most of which are created on first use: an idle client needs none of them. */
export abstract class SessionParts implements PresenceOwner, ReplySource, TimerOwner {
  /** @internal What it shares with the server's other sessions. */
  readonly context: SessionContext;
  /** @internal The connection. */
  readonly connection: Incoming;
  /** @internal What the client may do. */
  permission: Permission | "none";
  /** @internal What its token allows; `null` without one. */
  grant: Grant | null = null;
  /** The parts that have been created. */
  protected openPresence: Presence | null = null;
  protected openReplies: ReplyWriter | null = null;
  protected openTimers: SessionTimers | null = null;

  constructor(connection: Incoming, context: SessionContext) {
    this.connection = connection;
    this.context = context;
    this.permission = accessOf(context.rules, connection.remoteAddr.hostname);
  }

  /** Where the client is. */
  get peer(): SocketAddress {
    return this.connection.remoteAddr;
  }

  /** @internal The watcher that tells it of changes; `null` until the client watches. */
  get watcher(): Watcher | null {
    return this.openReplies?.watcher ?? null;
  }

  /** @internal Whether enough replies have gathered to be written before more are made. */
  get hasFullOutput(): boolean {
    return this.openReplies?.isFull === true;
  }

  /** @internal The client's place in the map. */
  get presence(): Presence {
    return this.openPresence ??= new Presence(this);
  }

  /** @internal The writer of everything that is sent. */
  get replies(): ReplyWriter {
    return this.openReplies ??= new ReplyWriter(this);
  }

  /** @internal The timers that end a client that takes too long. */
  get timers(): SessionTimers {
    return this.openTimers ??= new SessionTimers(this);
  }

  /** @internal Hears what happens. */
  abstract readonly observer: EventObserver;
  /** @internal Whether the client may still be in the map. */
  abstract readonly isOpen: boolean;
  /** @internal The dialect that the client speaks. */
  abstract readonly dialect: Dialect | "unsettled";
  abstract close(error: TrackerError): void;
  abstract report(event: SessionEvent): void;
  abstract onProgress(): void;
  abstract onExpired(name: TimerName, duration: number): void;
}
