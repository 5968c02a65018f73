/**
 * What a session is made of.
 *
 * @module
 */

import { accessOf } from "../auth/access.ts";
import type { Grant, Permission } from "../auth/tokens.ts";
import { EMPTY } from "../base/bytes.ts";
import type { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { Dialect } from "../protocol.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import type { SessionContext } from "./context.ts";
import type { EventObserver, SessionEvent } from "./events.ts";
import type { Conversation, OtherProtocol, Place } from "./other_protocol.ts";
import { Presence, type PresenceOwner } from "./presence.ts";
import { type ReplySource, ReplyWriter } from "./reply_writer.ts";
import { stallError } from "./stall.ts";
import { SessionTimers, type TimerName, type TimerOwner } from "./session_timers.ts";

/** The parts of a session, most of which are created on first use: an idle client needs none of them. */
export abstract class SessionParts implements Place, PresenceOwner, ReplySource, TimerOwner {
  /** @internal What it shares with the server's other sessions. */
  readonly context: SessionContext;
  /** @internal The connection. */
  readonly connection: Incoming;
  /** @internal What the client may do. */
  permission: Permission | "none";
  /** @internal What its token allows; `null` without one. */
  grant: Grant | null = null;
  /** What is spoken on the connection in another protocol; `null` unless that is so. */
  protected conversation: Conversation | null;
  /** Settles when what the client has asked for is decided; `null` when nothing is to be. */
  #pending: PromiseWithResolvers<void> | null = null;
  /** The parts that have been created. */
  protected openPresence: Presence | null = null;
  protected openReplies: ReplyWriter | null = null;
  protected openTimers: SessionTimers | null = null;

  constructor(connection: Incoming, context: SessionContext, protocol: OtherProtocol | null) {
    this.connection = connection;
    this.context = context;
    this.permission = accessOf(context.rules, connection.remoteAddr.hostname);
    this.conversation = protocol?.converse(connection, EMPTY, this) ?? null;
  }

  /** @internal Settles when what the client has asked for is decided; `null` when nothing is to be. */
  get pending(): Promise<void> | null {
    return this.#pending?.promise ?? null;
  }

  /** @internal Holds the client up until something is decided, or the session ends. */
  suspend(decision: Promise<void>): void {
    const pending = this.#pending = Promise.withResolvers<void>();
    void decision.then(pending.resolve);
    void pending.promise.then(() => {
      this.#pending = null;
      // Whoever goes on waits until the answer is written.
      this.sendNews();
    });
  }

  /** Lets the client go on, because the session ends. */
  protected endSuspension(): void {
    this.#pending?.resolve();
  }

  /** @internal Lets another protocol have the connection, if it begins with one. */
  handOver(bytes: Uint8Array): boolean {
    const other = this.observer.protocols?.find((protocol) => protocol.isBegunBy(bytes[0]!));
    if (other === undefined) return false;
    this.conversation = other.converse(this.connection, bytes.slice(), this);
    return true;
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

  /** @internal Gives up a client that has left output unread for too long, or a watcher that cannot catch up any more. */
  checkProgress(): void {
    this.conversation?.checkProgress();
    const error = this.isOpen && this.openReplies !== null ? stallError(this.openReplies, this.context) : null;
    if (error !== null) this.close(error);
  }

  /** @internal Reports what happens to the client, also after the connection has ended. */
  report(event: SessionEvent): void {
    this.observer.onEvent?.(this.peer, event);
  }

  /** @internal Hears what happens, and knows what other protocols there are. */
  abstract readonly observer: EventObserver & { readonly protocols?: readonly OtherProtocol[] };
  /** @internal Whether the client may still be in the map. */
  abstract readonly isOpen: boolean;
  /** @internal The dialect that the client speaks. */
  abstract readonly dialect: Dialect | "unsettled";
  abstract close(error: TrackerError): void;
  abstract onProgress(): void;
  abstract onExpired(name: TimerName, duration: number): void;
  abstract admit(grant: Grant): void;
  abstract abort(): void;
  abstract depart(): void;
  abstract sendNews(): void;
}
