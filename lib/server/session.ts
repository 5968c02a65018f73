/**
 * One connection's conversation: bytes in, the registry changed, replies out. It knows the codec, the registry and a
 * {@linkcode Duplex}, and no sockets.
 *
 * A session goes through three states and never back. *Open*: it reads, parses, commits and answers. *Closing*: the
 * client has left the map; what is left to say is written, and whatever else arrives is read and thrown away, since
 * closing a connection with unread input would reset it and could destroy the last reply on its way. *Closed*: the
 * connection is closed, no timer runs.
 *
 * @module
 */

import { accessOf } from "../auth/access.ts";
import type { Permission } from "../auth/tokens.ts";
import { encodeError } from "../wire/replies.ts";
import { leaveCauseOf, messageOf, TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import { DONE, type LeaveCause } from "../protocol.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import { type SessionContext, type Sweepable, trackSession } from "./context.ts";
import type { SessionEvent } from "./events.ts";
import { type InputOwner, InputProcessor } from "./input_processor.ts";
import { Presence, type PresenceOwner } from "./presence.ts";
import { type ReplySource, ReplyWriter } from "./reply_writer.ts";
import { expiredError, SessionTimers, timeoutError, type TimerName, type TimerOwner } from "./session_timers.ts";

const GOODBYE = Uint8Array.of(DONE);

/** What a server hears of its sessions. One object serves them all: closures of its own would cost each client memory. */
export interface SessionObserver {
  /** Something happened to a session's client. */
  onEvent?(session: Session, event: SessionEvent): void;
  /** A session's connection is closed. */
  onEnd?(session: Session): void;
}

const NO_OBSERVER: SessionObserver = {};

/** The server's side of one connection. */
export class Session implements InputOwner, PresenceOwner, ReplySource, Sweepable, TimerOwner {
  /** @internal What it shares with the server's other sessions. */
  readonly context: SessionContext;
  /** @internal What the client may do. */
  permission: Permission | "none";
  /** @internal The connection. */
  readonly connection: Incoming;
  readonly #observer: SessionObserver;
  readonly #input: InputProcessor;
  #state: "handshaking" | "open" | "closing" | "closed";
  /** Settles when the final reply is written. */
  #farewell: Promise<void> | null = null;
  // Made on first use: an idle client needs none of them.
  #presence: Presence | null = null;
  #replies: ReplyWriter | null = null;
  #timers: SessionTimers | null = null;

  /**
   * @param connection The connection; the session closes it in the end
   * @param context What it shares with the server's other sessions
   * @param observer Hears what happens
   */
  constructor(connection: Incoming, context: SessionContext, observer: SessionObserver = NO_OBSERVER) {
    this.connection = connection;
    this.context = context;
    this.permission = accessOf(context.rules, connection.remoteAddr.hostname);
    this.#observer = observer;
    this.#input = new InputProcessor(this);
    this.#state = connection.handshake === undefined ? "open" : "handshaking";
    trackSession(context, this);
  }

  /** Where the client is. */
  get peer(): SocketAddress {
    return this.connection.remoteAddr;
  }

  /** How many bytes the read buffer holds room for. */
  get bufferSize(): number {
    return this.#input.bufferSize;
  }

  /** @internal Whether the client may still be in the map. */
  get isOpen(): boolean {
    return this.#state === "open" || this.#state === "handshaking";
  }

  /** @internal What tells it of changes; `null` until it watches. */
  get watcher(): Watcher | null {
    return this.#replies === null ? null : this.#replies.watcher;
  }

  /** @internal Whether so many replies wait that they must be written before more are made. */
  get hasFullOutput(): boolean {
    return this.#replies !== null && this.#replies.isFull;
  }

  /** @internal The client's place in the map. */
  get presence(): Presence {
    return this.#presence ??= new Presence(this);
  }

  /** @internal Everything that is sent. */
  get replies(): ReplyWriter {
    return this.#replies ??= new ReplyWriter(this);
  }

  /** @internal What ends a client that takes too long. */
  get timers(): SessionTimers {
    return this.#timers ??= new SessionTimers(this, this.context);
  }

  /**
   * Holds the conversation until the connection has ended, however that comes about.
   *
   * @returns Resolves when the connection is closed and the client is out of the map; never rejects
   */
  async run(): Promise<void> {
    try {
      this.#noteHeard();
      if (this.permission === "none" || this.#state === "handshaking") this.timers.arm("handshake");
      if (this.#state === "handshaking") await this.#handshake();
      // One flat loop: each async function in between would cost a waiting connection a frame of its own.
      while (this.isOpen) {
        const count = await this.connection.read(this.#input.room);
        if (!this.isOpen) break;
        // A timer that expired first may be writing still; its replies go before those to what has just arrived.
        // A watcher is written to all the time, and is listened to all the same.
        if (this.watcher === null && this.#replies !== null && this.#replies.writing !== null) {
          await this.#replies.writing;
          if (!this.isOpen) break;
        }
        this.#noteRead(count);
        const answering = this.#answer();
        if (answering !== null) await answering;
        if (count === null) {
          // Nobody has waited for what a watcher is being told: what has been begun is said to its end.
          if (this.watcher !== null) this.#part("disconnect", 0);
          break;
        }
        if (this.isOpen) this.#awaitMore();
        if (this.#input.isThrottled) await this.#hold();
      }
      if (!this.isOpen) await readToEnd(this.connection, this.#input.scratch);
      if (!this.isOpen) await this.#farewell;
    } catch {
      // A connection that broke is one way for it to end: nobody is left to be told.
    } finally {
      this.abort();
      this.#input.release();
      this.#observer.onEnd?.(this);
    }
  }

  /**
   * Ends the conversation with an error reply, which takes the client out of the map at once.
   *
   * @param error What to tell the client
   * @param silence How long nothing was heard of it, in milliseconds
   */
  close(error: TrackerError, silence = 0): void {
    if (!this.isOpen) return;
    this.context.counters.countError(error);
    this.report({ kind: "error", error });
    this.#part(leaveCauseOf(error.code), silence, encodeError(error));
  }

  /** @internal The client takes its leave. */
  leave(): void {
    this.#part("close", 0, GOODBYE);
  }

  /** Closes the connection at once, telling nothing. Idempotent: it is the last thing that happens to a session. */
  abort(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#release("disconnect", 0);
    this.#timers?.disarm("linger");
    this.context.sessions.delete(this);
    this.connection.close();
  }

  /** @internal Reports what happens to the client, also after the connection has ended. */
  report(event: SessionEvent): void {
    this.#observer.onEvent?.(this, event);
  }

  /** @internal Gives the client up if it has left its output unread for too long. A watcher may, if it owes little. */
  checkProgress(): void {
    const { deadlines, writeTimeout, maxUnsent } = this.context;
    if (!this.isOpen || this.#replies === null || this.#replies.stuckFor(deadlines.now()) < writeTimeout) return;
    if (this.watcher === null) {
      return this.close(timeoutError(`it has taken nothing of what it was sent for ${writeTimeout} ms`));
    }
    const pending = this.watcher.pendingBytes(maxUnsent);
    if (pending <= maxUnsent) return this.watcher.releaseMemory();
    this.close(slowError(`${pending} bytes of changes wait, and the limit is ${maxUnsent}`));
  }

  /** @internal A timer has expired. */
  onExpired(name: TimerName, duration: number): void {
    if (name === "linger") return this.abort();
    if (name === "settle") {
      this.#input.settle();
      // The read under way stays where it is in the buffer: no byte is moved here.
      return void this.#answer()?.catch(() => this.abort());
    }
    if (name === "handshake" && this.#state === "handshaking") {
      return this.#failHandshake(timeoutError(`it did not agree on TLS within ${duration} ms`));
    }
    this.close(expiredError(name, duration), name === "idle" || name === "heartbeat" ? duration : 0);
  }

  /** @internal Sends what the watcher is told. Nobody waits for the write: if it breaks, the session ends. */
  sendNews(): void {
    if (this.isOpen && this.replies.writing === null) this.#flush()?.catch(() => this.abort());
  }

  /** @internal The watcher cannot catch up any more. */
  onLost(): void {
    this.close(slowError("leaves that it was not told of are forgotten"));
  }

  /**
   * @internal A client that takes what it is sent is not silent; it is this side that was too busy to listen. Only a
   * watcher is listened to meanwhile, so its taking does not stand for the heartbeat that it has promised.
   */
  onProgress(): void {
    if (!this.isOpen) return this.#armLinger();
    if (this.watcher === null) this.#noteHeard();
    else this.#timers?.arm("idle");
  }

  /** @internal All replies are written: what a full output had stopped goes on. */
  onDrained(): void {
    if (this.isOpen && !this.#input.isCaughtUp) this.#process();
    if (this.#input.isCaughtUp) this.#input.resolveCatchingUp();
  }

  /** Agrees on TLS. A session that is to end meanwhile has something to say, and goes on trying, but not for long. */
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

  /** Where nothing is agreed on there is no telling the client why. */
  #failHandshake(error: TrackerError): void {
    if (!this.isOpen) return;
    this.context.counters.tlsErrors++;
    this.report({ kind: "tls-error", error });
    this.abort();
  }

  /** Takes note of bytes, or of the end of the stream: nothing follows, so the dialect is settled. */
  #noteRead(count: number | null): void {
    if (count === null) return this.#input.settle();
    this.#input.note(count);
    this.#noteHeard();
    this.#timers?.disarm("settle");
  }

  /** Makes no timers for a client whose silence nothing limits. */
  #noteHeard(): void {
    if (this.#timers !== null || this.context.idleTimeout !== 0) this.timers.heard();
  }

  #process(): void {
    if (this.#input.process()) this.#timers?.disarm("message");
  }

  /** Parses, commits and answers all that is complete; `null` when there is no writing to wait for. */
  #answer(): Promise<void> | null {
    this.#process();
    const writing = this.#flush();
    if (this.watcher === null) return writing;
    // There may always be more to tell a watcher, so it is not the end of the writing that it waits for, but that all it
    // has sent is handled. Nobody waits for the write: if it breaks, the session ends.
    writing?.catch(() => this.abort());
    return this.#input.untilCaughtUp();
  }

  /** Writes whatever waits. A watcher that cannot catch up any more is told so before a write begins. */
  #flush(): Promise<void> | null {
    if (this.#replies === null) return null;
    if (this.#replies.writing === null && this.watcher?.isLost) this.onLost();
    return this.#replies.flush();
  }

  /** Makes the buffer fit for what is to come, and starts the timer for a message that has begun. */
  #awaitMore(): void {
    this.#input.compact();
    if (this.#input.isAmbiguous) {
      this.timers.disarm("message");
      this.timers.arm("settle");
    } else if (this.#input.hasRest && !this.timers.isArmed("message")) {
      this.timers.arm("message");
    }
  }

  /** From here on the client is out of the map; the connection lives on only to say what is left to say. */
  #part(cause: LeaveCause, silence: number, reply?: Uint8Array): void {
    if (!this.isOpen) return;
    this.#state = "closing";
    const final = this.watcher?.drain() ?? [];
    if (reply !== undefined) final.push(reply);
    this.#release(cause, silence);
    this.#armLinger();
    // A client that is gone already takes nothing more: reading would only wait for what cannot come.
    this.#farewell = this.replies.finish(final).then(() => this.#armLinger(), () => this.abort());
  }

  /** Gives up the client's place in the map, and whatever waits or runs. */
  #release(cause: LeaveCause, silence: number): void {
    this.watcher?.close();
    if (this.#replies !== null) this.#replies.watcher = null;
    this.#presence?.leave(cause, silence);
    this.#timers?.close();
    this.#input.close();
  }

  /** While a client has to wait it is not listened to: its silence is none of its own. */
  async #hold(): Promise<void> {
    this.#timers?.excuse();
    await this.#input.pause();
    if (!this.isOpen) return;
    this.#noteHeard();
    if (this.#input.hasRest) this.timers.arm("message");
  }

  #armLinger(): void {
    if (this.#state !== "closed") this.timers.arm("linger");
  }
}

/** Reads and throws away until the client ends its stream, or the timer closes the connection. */
async function readToEnd(connection: Incoming, scratch: Uint8Array): Promise<void> {
  while (await connection.read(scratch) !== null);
}

function slowError(why: string): TrackerError {
  return new TrackerError("SLOW_CONSUMER", `Cannot keep up: ${why}`);
}
