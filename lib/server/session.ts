/**
 * The life of one connection: bytes in, changes of the map, replies out. It knows the codec, the registry and a duplex,
 * and no sockets.
 *
 * A session moves through its states in one direction. *Handshaking*: both sides agree on TLS, where there is any. *Open*:
 * it reads, parses, commits and replies. *Closing*: the client has left the map; the final replies are written, and input
 * is read and discarded, because closing a connection with unread input would reset it and could destroy the last reply on
 * its way. *Closed*: the connection is closed, and no timer runs.
 *
 * @module
 */

import type { Grant } from "../auth/tokens.ts";
import { encodeError } from "../wire/replies.ts";
import { leaveCauseOf, messageOf, TrackerError } from "../errors.ts";
import { type Dialect, DONE, type LeaveCause } from "../protocol.ts";
import type { Incoming } from "../transport/listener.ts";
import { type SessionContext, type Sweepable, trackSession } from "./context.ts";
import type { EventObserver } from "./events.ts";
import { type InputOwner, InputProcessor } from "./input_processor.ts";
import type { Conversation, OtherProtocol } from "./other_protocol.ts";
import type { PresenceOwner } from "./presence.ts";
import type { ReplySource } from "./reply_writer.ts";
import { SessionParts } from "./session_parts.ts";
import { expiredError, timeoutError, type TimerName, type TimerOwner } from "./session_timers.ts";
import { lostError } from "./stall.ts";

const GOODBYE = Uint8Array.of(DONE);

/** Observes the sessions of a server. One object serves all of them: closures per session would cost every client memory. */
export interface SessionObserver extends EventObserver {
  /** Other protocols that are spoken on the same ports. */
  readonly protocols?: readonly OtherProtocol[];
  /**
   * Called when a session's client has shown its token.
   *
   * @returns Why it cannot come in all the same; `null` if it can
   */
  onAuthorized?(session: Session): TrackerError | null;
  /** Called when a session's client is about to leave, and only its last replies are still to be written. */
  onPart?(session: Session): void;
  /** Called when a session's connection is closed, or goes on as another. */
  onEnd?(session: Session): void;
  /** Called with what is spoken from now on on the connection of a session that has ended. */
  onHandedOn?(connection: Incoming): void;
}

const NO_OBSERVER: SessionObserver = {};

/** The server's side of one connection. */
export class Session extends SessionParts implements InputOwner, PresenceOwner, ReplySource, Sweepable, TimerOwner {
  /** @internal Hears what happens. */
  readonly observer: SessionObserver;
  readonly #input: InputProcessor;
  #state: "handshaking" | "open" | "closing" | "closed";
  /** Settles when the final reply is written. */
  #farewell: Promise<void> | null = null;
  /**
   * @param connection The connection; the session closes it in the end
   * @param context What it shares with the server's other sessions
   * @param observer Hears what happens
   * @param protocol The protocol that is spoken on it, if that is known to be another
   */
  constructor(
    connection: Incoming,
    context: SessionContext,
    observer: SessionObserver = NO_OBSERVER,
    protocol: OtherProtocol | null = null,
  ) {
    super(connection, context, protocol);
    this.observer = observer;
    this.#input = new InputProcessor(this);
    this.#state = connection.handshake === undefined ? "open" : "handshaking";
    trackSession(context, this);
  }

  /** How many bytes the read buffer holds room for. */
  get bufferSize(): number {
    return this.#input.bufferSize;
  }

  /** @internal Whether the client may still be in the map. */
  get isOpen(): boolean {
    return this.#state === "open" || this.#state === "handshaking";
  }

  /** @internal The dialect that the client speaks. */
  get dialect(): Dialect | "unsettled" {
    return this.#input.dialect;
  }

  /**
   * Serves the connection until it has ended, for whatever reason.
   *
   * @returns Resolves when the connection is closed and the client is out of the map; never rejects
   */
  async run(): Promise<void> {
    let heir: Incoming | null = null;
    try {
      this.#noteHeard();
      if (this.permission === "none" || this.#state === "handshaking") this.timers.arm("handshake");
      if (this.#state === "handshaking") await this.#handshake();
      // One flat loop: every async function in between would cost a waiting connection another frame.
      while (this.isOpen && this.conversation === null) {
        const count = await this.connection.read(this.#input.room);
        if (!this.isOpen) break;
        if (count === 0) {
          this.#noteHeard();
          continue;
        }
        // A timer that expired first may still be writing: its replies go out before those to the new input. A watcher
        // is always being written to, and is read from all the same.
        if (this.watcher === null && this.openReplies !== null && this.openReplies.writing !== null) {
          await this.openReplies.writing;
          if (!this.isOpen) break;
        }
        this.#noteRead(count);
        const answering = this.#answer();
        if (answering !== null) await answering;
        if (count === null) {
          // No call has waited for the frames of a watcher: those that are under way are written to their end.
          if (this.watcher !== null) this.#part("disconnect", 0);
          break;
        }
        if (this.isOpen) this.#input.awaitMore();
        const wait = this.isOpen ? this.#input.waitToRead() : null;
        if (wait !== null) await (this.#input.isBusy ? this.#pause(wait) : wait);
      }
      if (!this.isOpen) await readToEnd(this.connection, this.#input.scratch).then(() => this.#farewell);
      else if (this.conversation !== null) heir = await this.#converse(this.conversation);
    } catch {
      // A broken connection is one way to end, with no peer left to tell.
    } finally {
      this.#end(heir);
    }
  }

  /**
   * Ends the session with an error reply. The client leaves the map at once.
   *
   * @param error What to tell the client
   * @param silence How long nothing was heard of it, in milliseconds
   */
  close(error: TrackerError, silence = 0): void {
    if (!this.isOpen) return;
    if (this.conversation !== null) return this.conversation.end(error);
    this.context.counters.countError(error);
    this.report({ kind: "error", error });
    this.#part(leaveCauseOf(error.code), silence, encodeError(error));
  }

  /** @internal Ends the session as its client has asked, with a final reply. */
  leave(): void {
    this.#part("close", 0, GOODBYE);
  }

  /** Closes the connection at once, without a word. Idempotent: it is the last thing that happens to a session. */
  abort(): void {
    if (this.#state === "closed") return;
    this.#giveUp();
    this.connection.close();
  }

  /** @internal Lets the client in. */
  admit(grant: Grant): void {
    this.grant = grant;
    const error = this.observer.onAuthorized?.(this) ?? null;
    if (error !== null) throw error;
    this.permission = grant.access;
  }

  /** @internal Called when a timer has expired. */
  onExpired(name: TimerName, duration: number): void {
    if (name === "linger") return this.abort();
    if (name === "settle") {
      this.#input.settle();
      // A read is under way, so nothing may move in the buffer.
      return void this.#answer()?.catch(() => this.abort());
    }
    if (name === "handshake" && this.#state === "handshaking") {
      return this.#failHandshake(timeoutError(`it did not agree on TLS within ${duration} ms`));
    }
    this.close(expiredError(name, duration), name === "idle" || name === "heartbeat" ? duration : 0);
  }

  /** @internal Sends the frames of the watcher. Nothing awaits the write: if it fails, the session ends. */
  sendNews(): void {
    if (this.isOpen && this.replies.writing === null) this.#flush()?.catch(() => this.abort());
  }

  /**
   * @internal Called when the client has taken some bytes. A client that reads is not silent: this side was too busy to
   * listen. Only a watcher is read from meanwhile, so its reading does not stand for the heartbeat that it has promised.
   */
  onProgress(): void {
    if (!this.isOpen) return this.#armLinger();
    if (this.watcher === null) this.#noteHeard();
    else this.openTimers?.arm("idle");
  }

  /** @internal Gives up its place: in another protocol only the last answer is left to be taken. */
  depart(): void {
    if (!this.isOpen) return;
    this.#state = "closing";
    this.observer.onPart?.(this);
  }

  /** Lets another protocol go on. Returns what is spoken on the connection afterwards; `null` if nothing is. */
  #converse(conversation: Conversation): Promise<Incoming | null> {
    this.openTimers?.close();
    this.#input.retire();
    return conversation.run();
  }

  /** Ends, and lets go on what is spoken on the connection afterwards. */
  #end(heir: Incoming | null): void {
    // One that was ended meanwhile has nothing to hand on.
    const isHandedOn = heir !== null && this.isOpen;
    if (isHandedOn) this.#giveUp();
    else this.abort();
    this.#input.release();
    this.observer.onEnd?.(this);
    if (isHandedOn) this.observer.onHandedOn?.(heir);
  }

  /** Gives up its place, and everything but the connection. */
  #giveUp(): void {
    if (this.isOpen) this.observer.onPart?.(this);
    this.#state = "closed";
    this.#release("disconnect", 0);
    this.openTimers?.disarm("linger");
    this.openReplies?.close();
    this.context.sessions.delete(this);
  }

  /** Agrees on TLS. A session that closes meanwhile still has an error to tell, so it goes on trying, but not for long. */
  async #handshake(): Promise<void> {
    try {
      await this.connection.handshake?.();
    } catch (error) {
      this.#failHandshake(error instanceof TrackerError ? error : new TrackerError("TLS_FAILED", messageOf(error)));
      throw error;
    }
    if (this.#state === "handshaking") this.#state = "open";
    if (this.permission !== "none") this.timers.disarm("handshake");
  }

  /** Ends the session without a reply: without TLS there is no way to tell the client why. */
  #failHandshake(error: TrackerError): void {
    if (!this.isOpen) return;
    // Checks of health, and scans, connect and say nothing: on a plain port they leave no trace either.
    if (error.reason !== "silent-peer") {
      const isTls = error.code !== "BAD_MAGIC";
      if (isTls) this.context.counters.tlsErrors++;
      else this.context.counters.countError(error);
      this.report({ kind: isTls ? "tls-error" : "error", error });
    }
    this.abort();
  }

  /** Notes that bytes have arrived, or that the stream has ended: then nothing follows, and the dialect is settled. */
  #noteRead(count: number | null): void {
    if (count === null) return this.#input.settle();
    this.#input.note(count);
    this.#noteHeard();
    this.openTimers?.disarm("settle");
  }

  /** Restarts the timers of silence. Creates none for a client whose silence has no limit. */
  #noteHeard(): void {
    if (this.openTimers !== null || this.context.idleTimeout !== 0) this.timers.heard();
  }

  #process(): void {
    if (this.#input.process()) this.openTimers?.disarm("message");
  }

  /** Processes what has arrived. Returns what to wait for before the next read; `null` if there is nothing. */
  #answer(): Promise<void> | null {
    this.#process();
    const writing = this.#send();
    return this.#input.isCaughtUp || !this.isOpen ? writing : this.#answerRest(writing);
  }

  /** Processes the rest of what has arrived, in turns with other sessions. */
  async #answerRest(writing: Promise<void> | null): Promise<void> {
    while (this.isOpen && !this.#input.isCaughtUp) {
      await writing;
      await this.openReplies?.untilDrained();
      const wait = this.isOpen ? this.#input.waitToGoOn() : null;
      if (wait !== null) await this.#pause(wait);
      if (!this.isOpen) return;
      this.#process();
      writing = this.#send();
    }
    await writing;
  }

  /** Writes whatever is pending. Returns what to wait for before more is processed; `null` if there is nothing. */
  #send(): Promise<void> | null {
    const writing = this.#flush();
    if (this.watcher === null) return writing;
    // There may always be more to tell a watcher, so nothing waits for the end of the write: if it fails, the session ends.
    writing?.catch(() => this.abort());
    return null;
  }

  /** Writes whatever is pending. A watcher that cannot catch up any more is closed before a write begins. */
  #flush(): Promise<void> | null {
    if (this.openReplies === null) return null;
    if (this.openReplies.writing === null && this.watcher?.isLost) this.close(lostError());
    return this.openReplies.flush();
  }

  /** Takes the client out of the map. The connection lives on only until the final replies are written. */
  #part(cause: LeaveCause, silence: number, reply?: Uint8Array): void {
    if (!this.isOpen) return;
    this.#state = "closing";
    this.observer.onPart?.(this);
    this.watcher?.endFrames(cause === "close" || cause === "disconnect");
    this.#release(cause, silence);
    this.#armLinger();
    // If the client is gone already, reading would wait for an end of stream that cannot come.
    this.#farewell = this.replies.finish(reply).then(() => this.#armLinger(), () => this.abort());
  }

  /** Gives up the client's place in the map, and stops all timers and waits. */
  #release(cause: LeaveCause, silence: number): void {
    this.openPresence?.leave(cause, silence);
    this.openTimers?.close();
    this.#input.close();
    this.endSuspension();
    this.openReplies?.resolveDraining();
  }

  /** Reads nothing until the client may go on. Its silence meanwhile does not count. */
  async #pause(wait: Promise<void>): Promise<void> {
    this.openTimers?.excuse();
    await wait;
    if (!this.isOpen) return;
    this.#noteHeard();
    if (this.#input.hasRest) this.timers.arm("message");
  }

  #armLinger(): void {
    if (this.#state !== "closed") this.timers.arm("linger");
  }
}

/** Reads and discards until the client ends its stream, or the timer closes the connection. */
async function readToEnd(connection: Incoming, scratch: Uint8Array): Promise<void> {
  while (await connection.read(scratch) !== null);
}
