/**
 * One connection's conversation: bytes in, the registry changed, replies out. It knows the codec, the registry and a
 * {@linkcode Duplex}, and no sockets.
 *
 * A session goes through three states and never back. *Open*: it reads, parses, commits and answers. *Parting*: the
 * client has left the map; what is still to be said is written, and whatever else arrives is read and thrown away,
 * since closing a connection with unread input would reset it and could destroy the last reply on its way. *Ended*:
 * the connection is closed, no deadline runs.
 *
 * @module
 */

import { accessOf, grantOf, unauthorized } from "../auth/access.ts";
import {
  AMBIGUOUS,
  encodeError,
  encodeMapLength,
  INVALID,
  MAP_LENGTH_SIZE,
  MessageParser,
  NEED_MORE,
  type Token,
} from "../codec.ts";
import { Deadline } from "../base/deadlines.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import { leaveCauseOf, messageOf, TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { Stats } from "../wire/stats.ts";
import { type Claim, type ClaimOwner, type NameEvent, takenError } from "../map/names.ts";
import type { ByteBuffer } from "../base/byte_buffer.ts";
import {
  CLOSE,
  type Dialect,
  DONE,
  GET,
  HEARTBEAT_PATIENCE,
  HELLO,
  type LeaveCause,
  LIST,
  MESSAGE_NAMES,
  OPEN,
  PING,
  SETTLE_TIMEOUT,
  STATS,
  UPDATE,
  WATCH,
} from "../protocol.ts";
import type { Entry } from "../map/entry.ts";
import { type Greeting, parseHello, parseList, parseWatch } from "../wire/requests.ts";
import { encodeJson } from "../wire/json.ts";
import { BUSY_BUFFER, QUIET_BUFFER, type SessionContext, statsOf, trackSession } from "./context.ts";
import { Throttle } from "./throttle.ts";
import type { Permission } from "../auth/tokens.ts";
import { VERSION } from "../version.ts";

/** How many times larger the next read buffer is while reads fill it. */
const BUFFER_GROWTH = 8;

/** Replies up to this many bytes together go out in one write; a longer map is written from where it lies. */
const GATHERED_BYTES = 8_192;

/** How long a parting client may take for the next sign of progress, in milliseconds. */
const LINGER = 2_000;

const EMPTY = new Uint8Array(0);
const GOODBYE = Uint8Array.of(DONE);

/** What a session reports as it happens. */
export type SessionEvent =
  | { kind: "join"; id: string; dialect: Dialect | "unsettled" }
  | NameEvent
  | { kind: "error"; error: TrackerError }
  | { kind: "tls-error"; error: TrackerError };

/** What a server hears of its sessions. One object serves them all: closures of its own would cost each client memory. */
export interface SessionObserver {
  /** Something happened to a session's client. */
  onEvent?(session: Session, event: SessionEvent): void;
  /** A session's connection is closed. */
  onEnd?(session: Session): void;
}

const NOBODY: SessionObserver = {};

type State = "open" | "parting" | "ended";

/** The server's side of one connection. */
export class Session implements ClaimOwner {
  readonly #duplex: Incoming;
  readonly #context: SessionContext;
  readonly #parser: MessageParser;
  readonly #observer: SessionObserver;
  #state: State = "open";
  #entry: Entry | null = null;
  #claim: Claim | null = null;
  #watcher: Watcher | null = null;
  /** What the client may do. */
  #access: Permission | "none";
  /** Counts its messages by type, in its dialect. */
  #counts: Float64Array;
  /** When it left, on the monotonic clock, and how long it had been silent by then, in milliseconds. */
  #leftAt = 0;
  #silence = 0;
  /** Holds it to a rate of messages, if there is one. */
  readonly #throttle: Throttle | null;

  /** Bytes `#from..#to` of the buffer have arrived and are not parsed yet. */
  #buffer: Uint8Array<ArrayBuffer>;
  #from = 0;
  #to = 0;
  /** What the parser found last. */
  #token: Token = NEED_MORE;

  /** Replies not yet written: short ones gathered, then at most one long one, then frames, then the last words. */
  #output: ByteBuffer | null = null;
  #longReply: Uint8Array | null = null;
  #lastWords: Uint8Array | null = null;
  /** Settles when the writing that is under way is done. */
  #writing: Promise<void> | null = null;
  #farewell: Promise<void> | null = null;
  /** How many writes there have been, and how many when somebody last looked, and when that number was new. */
  #writes = 0;
  #writesSeen = 0;
  #stuckSince = 0;
  /** Settles when all that a watcher has sent is handled, while its replies hold that up. */
  #catchingUp: PromiseWithResolvers<void> | null = null;

  #messageDeadline: Deadline | null = null;
  #idleDeadline: Deadline | null = null;
  #heartbeatDeadline: Deadline | null = null;
  /** How long a client that has promised a heartbeat may be silent, in milliseconds. */
  #patience = 0;
  #settleDeadline: Deadline | null = null;
  #lingerDeadline: Deadline | null = null;
  #handshakeDeadline: Deadline | null = null;
  /** Whether the two sides understand each other's bytes. */
  #agreed: boolean;

  /**
   * @param duplex The connection; the session closes it in the end
   * @param context What it shares with the server's other sessions
   * @param observer Hears what happens
   */
  constructor(duplex: Incoming, context: SessionContext, observer: SessionObserver = NOBODY) {
    this.#duplex = duplex;
    this.#agreed = duplex.handshake === undefined;
    this.#context = context;
    this.#buffer = context.quietBuffers.take();
    this.#parser = new MessageParser(context);
    this.#observer = observer;
    this.#access = accessOf(context.rules, duplex.remoteAddr.hostname);
    this.#counts = context.counters.unsettled;
    this.#throttle = context.messageRate === 0 ? null : new Throttle(context.messageRate, context.deadlines);
    trackSession(context, this);
  }

  /** Where the client is. */
  get peer(): SocketAddress {
    return this.#duplex.remoteAddr;
  }

  /** Whether it is told of changes. */
  get isWatching(): boolean {
    return this.#watcher !== null;
  }

  /** How many bytes the read buffer holds room for. */
  get bufferSize(): number {
    return this.#buffer.length;
  }

  /**
   * Holds the conversation until the connection has ended, however that comes about.
   *
   * @returns Resolves when the connection is closed and the client is out of the map; never rejects
   */
  async run(): Promise<void> {
    try {
      this.#armIdle();
      if (this.#access === "none" || !this.#agreed) this.#armHandshake();
      if (!this.#agreed) await this.#agree();
      // One flat loop: each async function in between would cost a waiting connection a frame of its own.
      while (this.#isOpen) {
        // Reading into the whole buffer, which is the common case, makes no view.
        const count = await this.#duplex.read(this.#to === 0 ? this.#buffer : this.#buffer.subarray(this.#to));
        if (!this.#isOpen) break;
        // A deadline that came first may be writing still; its replies go before those to what has just arrived.
        // A watcher is written to all the time, and is listened to all the same.
        if (this.#writing !== null && this.#watcher === null) {
          await this.#writing;
          if (!this.#isOpen) break;
        }
        if (count === null) this.#parser.settle();
        else this.#note(count);
        const answering = this.#answer();
        if (answering !== null) await answering;
        if (count === null) {
          // Nobody has waited for what a watcher is being told: what has been begun is said to its end.
          if (this.#watcher !== null) this.#part("disconnect", EMPTY);
          break;
        }
        if (this.#isOpen) this.#awaitMore();
        if (this.#throttle?.isExceeded) await this.#hold(this.#throttle);
      }
      if (!this.#isOpen) await this.#linger();
    } catch {
      // A connection that broke is one way for it to end: nobody is left to be told.
    } finally {
      this.#end();
      this.#returnBuffer();
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
    if (!this.#isOpen) return;
    this.#silence = silence;
    this.#context.counters.countError(error.code);
    if (error.limit !== undefined) this.#context.counters.countRefusal(error.limit);
    this.#observer.onEvent?.(this, { kind: "error", error });
    this.#part(leaveCauseOf(error.code), encodeError(error));
  }

  /** Gives the client's name, and its entry with it, up to another connection. */
  onTakenOver(error: TrackerError): void {
    this.#entry = null;
    this.#claim = null;
    this.close(error);
  }

  /** Tells of what happens to the client, also after the connection has ended. */
  report(event: SessionEvent): void {
    if (event.kind === "leave" && UNCLEAN_CAUSES.has(event.cause)) {
      this.#context.counters.countGhost(this.#silence + performance.now() - this.#leftAt);
    }
    this.#observer.onEvent?.(this, event);
  }

  /** Gives the client up if it has taken nothing of what it is sent for too long. A watcher may, if it owes little. */
  checkProgress(): void {
    const now = this.#context.deadlines.now();
    if (this.#writing === null || this.#writes !== this.#writesSeen || !this.#isOpen) {
      this.#writesSeen = this.#writes;
      this.#stuckSince = now;
    } else if (now - this.#stuckSince >= this.#context.writeTimeout) {
      this.#giveUpStuck();
    }
  }

  #giveUpStuck(): void {
    const { writeTimeout, maxUnsent } = this.#context;
    if (this.#watcher === null) {
      return this.close(timeoutError(`it has taken nothing of what it was sent for ${writeTimeout} ms`));
    }
    const pending = this.#watcher.pendingBytes(maxUnsent);
    // A watcher that owes little may stay, but the memory it holds is of more use to watchers that read.
    if (pending <= maxUnsent) return this.#watcher.releaseMemory();
    this.close(slowError(`${pending} bytes of changes wait, and the limit is ${maxUnsent}`));
  }

  /** Closes the connection at once, telling nothing. */
  abort(): void {
    this.#end();
  }

  /** Agrees on TLS. A session that is to end meanwhile has something to say, and goes on trying, but not for long. */
  async #agree(): Promise<void> {
    try {
      await this.#duplex.handshake?.();
    } catch (error) {
      this.#failHandshake(error instanceof TrackerError ? error : new TrackerError("TLS_FAILED", messageOf(error)));
      throw error;
    }
    this.#agreed = true;
    if (this.#access !== "none") this.#handshakeDeadline?.disarm();
  }

  /** Where nothing is agreed on there is no telling the client why. */
  #failHandshake(error: TrackerError): void {
    if (!this.#isOpen) return;
    this.#context.counters.tlsErrors++;
    this.#observer.onEvent?.(this, { kind: "tls-error", error });
    this.#end();
  }

  #note(count: number): void {
    this.#to += count;
    this.#context.counters.received += count;
    this.#armIdle();
    if (this.#patience !== 0) this.#armHeartbeat();
    this.#settleDeadline?.disarm();
  }

  /** Parses, commits and answers all that is complete; `null` when there is no writing to wait for. */
  #answer(): Promise<void> | null {
    this.#commit();
    if (this.#hasOutput) this.#writing ??= this.#write();
    if (this.#watcher === null) return this.#writing;
    // Nobody waits for this: that it broke ends the session all the same.
    this.#writing?.catch(() => this.#end());
    if (this.#isCaughtUp) return null;
    // There may always be more to tell a watcher, so it is not the end of the writing that it waits for.
    this.#catchingUp = Promise.withResolvers();
    return this.#catchingUp.promise;
  }

  /** Tells a watcher what is new, unless it is being told already. */
  #tellNews(): void {
    if (!this.#isOpen || this.#writing !== null) return;
    if (this.#watcher?.isLost) return this.close(lostError());
    this.#writing = this.#write();
    this.#writing.catch(() => this.#end());
  }

  /**
   * The hot path: walks the arrived bytes once. Stops early when enough output has gathered, so that a client that
   * asks without reading is held up by its own silence and not by the server's memory. Leaves the last token: it is
   * `NEED_MORE` or `AMBIGUOUS` when all that is complete has been handled.
   */
  #commit(): void {
    const parser = this.#parser;
    const buffer = this.#buffer;
    const to = this.#to;
    let mayWrite = this.#mayWrite;
    let mayAsk = this.#mayAsk;
    let completed = false;
    for (;;) {
      const token = this.#token = parser.next(buffer, this.#from, to);
      if (token >= 0) this.#count(token, parser.count);
      if (token === UPDATE && mayWrite) {
        this.#setState(parser.stateStart, parser.stateEnd);
      } else if (token === GET && mayAsk) {
        this.#answerMap();
      } else if (token === OPEN && mayWrite && mayAsk) {
        this.#setState(parser.stateStart, parser.stateEnd);
        if (this.#isOpen) this.#answerDone();
      } else if (!this.#commitRare(token)) {
        if (completed) this.#messageDeadline?.disarm();
        return;
      } else {
        // A Hello may have given rights, a Watch have taken some.
        mayWrite = this.#mayWrite;
        mayAsk = this.#mayAsk;
      }
      // Whoever listens to the registry or to the server's events may have ended the session just now.
      if (!this.#isOpen) return;
      completed = true;
      this.#from = parser.position;
      if (this.#longReply !== null || (this.#output !== null && this.#output.length >= GATHERED_BYTES)) {
        this.#messageDeadline?.disarm();
        return;
      }
    }
  }

  /** Whether the client may be in the map. */
  get #mayWrite(): boolean {
    return this.#access === "write";
  }

  /** Whether the client may send what is answered with something else than a frame. */
  get #mayAsk(): boolean {
    return this.#access !== "none" && this.#watcher === null;
  }

  #count(type: number, count: number): void {
    const { counters } = this.#context;
    if (this.#counts === counters.unsettled) this.#counts = counters.messagesOf(this.#parser.dialect);
    this.#counts[type]! += count;
    this.#throttle?.spend(count);
  }

  /** Handles what a busy connection does not send all the time; `false` when that was the last for now. */
  #commitRare(token: Token): boolean {
    try {
      if (token === CLOSE) this.#part("close", GOODBYE);
      else if (token === INVALID && this.#parser.error !== null) throw this.#parser.error;
      if (token < 0 || token === CLOSE) return false;
      this.#answerRequest(token);
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      this.close(error);
      return false;
    }
    return true;
  }

  #answerRequest(token: Token): void {
    if (token !== HELLO) this.#authorize(token);
    if (this.#watcher !== null && token !== PING) throw watchingError(token);
    const payload = this.#buffer.subarray(this.#parser.stateStart, this.#parser.stateEnd);
    if (token === HELLO) this.#greet(payload);
    else if (token === WATCH) this.#watch(payload);
    else if (token === LIST) this.#answerList(payload);
    else if (token === PING) this.#answerPing();
    else if (token === STATS) this.#answerJson(statsOf(this.#context));
  }

  /** Without a token a client may ask for nothing, and with one to read it may not be in the map. */
  #authorize(token: Token): void {
    if (this.#access === "none") throw unauthorized("a connection has to begin with a Hello that has a token");
    if (this.#access === "read" && (token === OPEN || token === UPDATE)) {
      throw unauthorized("the token is for reading");
    }
  }

  #greet(payload: Uint8Array): void {
    const request = parseHello(payload);
    const { registry, names, maxState, rules } = this.#context;
    if (rules !== null && this.#access === "none") this.#access = grantOf(rules, request.token).access;
    this.#handshakeDeadline?.disarm();
    if (this.#access === "read" && request.name !== undefined) throw unauthorized("the token is for reading");
    if (request.name !== undefined) {
      const claim = names.claim(request.name, request, this);
      // Whoever was told of the takeover or the return may have ended this session meanwhile.
      if (!this.#isOpen) return names.release(claim, "disconnect");
      this.#claim = claim;
      this.#entry = claim.entry;
    }
    const { heartbeat = 0 } = request;
    this.#patience = heartbeat * 1_000 * HEARTBEAT_PATIENCE;
    if (this.#patience !== 0) this.#armHeartbeat();
    const greeting: Greeting = {
      server: "tracker",
      version: VERSION,
      incarnation: registry.incarnation,
      id: this.#claim?.name ?? null,
      resume: this.#claim?.key ?? null,
      heartbeat,
      grace: this.#claim === null ? 0 : request.grace ?? 0,
      maxState,
    };
    this.#answerDone();
    this.#answerJson(greeting);
  }

  #answerJson(value: Greeting | Stats): void {
    const json = encodeJson(value);
    const output = this.#makeOutput();
    output.reserve(MAP_LENGTH_SIZE);
    output.length = encodeMapLength(output.bytes, output.length, json.length, "wide");
    output.append(json);
  }

  #watch(payload: Uint8Array): void {
    const request = parseWatch(payload);
    const { feed, maxWatchers } = this.#context;
    if (feed.size >= maxWatchers) {
      const message = `Cannot watch: the limit of ${maxWatchers} watchers is reached`;
      throw new TrackerError("TOO_MANY_CLIENTS", message, { limit: "watchers" });
    }
    this.#answerDone();
    this.#watcher = feed.watch(request, () => this.#tellNews());
  }

  #answerList(payload: Uint8Array): void {
    const { prefix = "" } = parseList(payload);
    const { registry, builder } = this.#context;
    builder.beginList(registry.revision);
    for (const entry of registry.entries()) {
      if (entry.id.startsWith(prefix)) builder.record(entry);
    }
    const list = builder.finish();
    if (list.length > GATHERED_BYTES) this.#longReply = list;
    else this.#makeOutput().append(list);
  }

  #answerPing(): void {
    if (this.#watcher === null) return this.#answerDone();
    const { builder } = this.#context;
    builder.pong(this.#watcher.revision);
    this.#makeOutput().append(builder.finish());
  }

  #makeOutput(): ByteBuffer {
    return this.#output ??= this.#context.outputs.take();
  }

  #setState(start: number, end: number): void {
    const { registry, maxTotalState } = this.#context;
    if (registry.stateBytes + end - start > maxTotalState && this.#exceedsTotal(end - start)) return;
    if (this.#entry !== null && registry.update(this.#entry, this.#buffer, start, end)) return;
    const id = this.#claim?.name;
    if (id !== undefined && registry.get(id) !== undefined) return this.close(takenError(id));
    const entry = registry.open(this.#buffer, id === undefined ? { start, end } : { start, end, id });
    if (!this.#isOpen) {
      registry.close(entry, "disconnect");
      return;
    }
    this.#entry = entry;
    if (this.#claim !== null) this.#claim.entry = entry;
    this.#observer.onEvent?.(this, { kind: "join", id: entry.id, dialect: this.#parser.dialect });
  }

  /** A state that does not fit is refused whole, and the map stays as it was; one that shrinks always fits. */
  #exceedsTotal(length: number): boolean {
    const { registry, maxTotalState } = this.#context;
    const before = this.#entry?.stateLength ?? 0;
    if (length <= before && this.#entry !== null || registry.stateBytes - before + length <= maxTotalState) {
      return false;
    }
    const why = `all states together would be above the limit of ${maxTotalState} bytes`;
    this.close(new TrackerError("TOO_MUCH_STATE", `Cannot take state: ${why}`));
    return true;
  }

  #answerDone(): void {
    const output = this.#makeOutput();
    output.reserve(1);
    output.bytes[output.length++] = DONE;
  }

  #answerMap(): void {
    const output = this.#makeOutput();
    const map = this.#context.registry.flatten();
    const isShort = map.length <= GATHERED_BYTES;
    output.reserve(MAP_LENGTH_SIZE + (isShort ? map.length : 0));
    output.length = encodeMapLength(output.bytes, output.length, map.length, this.#parser.dialect);
    if (isShort) {
      output.bytes.set(map, output.length);
      output.length += map.length;
    } else {
      this.#longReply = map;
    }
  }

  /** Moves an unfinished message to the front of a buffer fit for what is to come, and sets the deadline for it. */
  #awaitMore(): void {
    const rest = this.#to - this.#from;
    const size = this.#nextBufferSize(rest);
    if (size !== this.#buffer.length) this.#changeBuffer(size);
    else if (this.#from !== 0 && rest !== 0) this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#from = 0;
    this.#to = rest;
    if (this.#token === AMBIGUOUS) {
      this.#messageDeadline?.disarm();
      this.#armSettle();
    } else if (rest !== 0 && !this.#messageDeadline?.armed) {
      this.#armMessage();
    }
  }

  /**
   * A connection that waits has a small buffer, so that ten thousand quiet clients cost little. While reads fill it a
   * larger one takes its place, and in the end one on loan, until a read leaves room in that. Room for a long message
   * is made as its bytes arrive, not when its length is claimed.
   */
  #nextBufferSize(rest: number): number {
    const size = this.#buffer.length;
    // One byte more than the message: a read that completes it then leaves room, and shows no busy connection.
    if (rest === size) return Math.min(size * 2, this.#parser.needed + 1);
    if (this.#to === size) return Math.max(size, Math.min(size * BUFFER_GROWTH, BUSY_BUFFER));
    return rest < QUIET_BUFFER ? QUIET_BUFFER : Math.min(size, rest * 2);
  }

  #changeBuffer(size: number): void {
    const { quietBuffers, busyBuffers } = this.#context;
    let buffer: Uint8Array<ArrayBuffer>;
    if (size === QUIET_BUFFER) buffer = quietBuffers.take();
    else buffer = size === BUSY_BUFFER ? busyBuffers.take() : new Uint8Array(size);
    buffer.set(this.#buffer.subarray(this.#from, this.#to));
    this.#returnBuffer();
    this.#buffer = buffer;
  }

  /** To be called when nothing reads into the buffer any more. */
  #returnBuffer(): void {
    const { quietBuffers, busyBuffers } = this.#context;
    if (this.#buffer.length === QUIET_BUFFER) quietBuffers.give(this.#buffer);
    else if (this.#buffer.length === BUSY_BUFFER) busyBuffers.give(this.#buffer);
  }

  get #isOpen(): boolean {
    return this.#state === "open";
  }

  get #hasOutput(): boolean {
    return this.#hasReply || this.#lastWords !== null || this.#watcher?.hasNews === true;
  }

  get #hasReply(): boolean {
    return this.#output !== null || this.#longReply !== null;
  }

  /** Whether parsing stopped for want of bytes, and not because enough output had gathered. */
  get #isCaughtUp(): boolean {
    return this.#token === NEED_MORE || this.#token === AMBIGUOUS;
  }

  /**
   * Writes all output, and parses on where a full output had stopped it. The only writer: two on one connection would
   * interleave. To be called with output waiting, so that it does not end before `#writing` has been set.
   */
  async #write(): Promise<void> {
    do {
      const output = this.#output;
      // Whoever adds a reply while this is being written gathers it apart.
      this.#output = null;
      const bytes = output === null ? this.#takeLargeOutput() : output.gathered;
      for (let written = 0; written < bytes.length;) {
        const count = await this.#duplex.write(written === 0 ? bytes : bytes.subarray(written));
        written += count;
        this.#context.counters.sent += count;
        this.#noteProgress();
      }
      if (output !== null) this.#returnOutput(output);
      if (!this.#hasReply && this.#isOpen && !this.#isCaughtUp) this.#commit();
      if (this.#isCaughtUp) this.#catchUp();
    } while (this.#hasOutput);
    this.#writing = null;
  }

  #catchUp(): void {
    this.#catchingUp?.resolve();
    this.#catchingUp = null;
  }

  /**
   * A client that takes what it is sent is not silent; it is this side that was too busy to listen. Only a watcher is
   * listened to meanwhile, so its taking does not stand for the heartbeat that it has promised.
   */
  #noteProgress(): void {
    this.#writes++;
    if (!this.#isOpen) return this.#armLinger();
    this.#armIdle();
    if (this.#watcher === null && this.#patience !== 0) this.#armHeartbeat();
  }

  #returnOutput(output: ByteBuffer): void {
    output.length = 0;
    this.#context.outputs.give(output);
  }

  /** A long reply, or else a frame, or else the last words: none of them is gathered with other replies. */
  #takeLargeOutput(): Uint8Array {
    const reply = this.#longReply;
    if (reply !== null) {
      this.#longReply = null;
      return reply;
    }
    if (this.#watcher?.hasNews) return this.#takeFrame(this.#watcher);
    const lastWords = this.#lastWords;
    this.#lastWords = null;
    return lastWords ?? EMPTY;
  }

  #takeFrame(watcher: Watcher): Uint8Array {
    if (!watcher.isLost) return watcher.next() ?? EMPTY;
    this.close(lostError());
    return EMPTY;
  }

  /** From here on the client is out of the map; the connection lives on only to say the last words. */
  #part(cause: LeaveCause, lastWords: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#state = "parting";
    const news = this.#watcher?.drain() ?? [];
    this.#leave(cause);
    this.#disarm();
    this.#catchUp();
    this.#lastWords = news.length === 0 ? lastWords : concat([...news, lastWords]);
    this.#armLinger();
    this.#farewell = this.#sayFarewell();
  }

  async #sayFarewell(): Promise<void> {
    try {
      await (this.#writing ??= this.#write());
      await this.#duplex.closeWrite?.();
      this.#armLinger();
    } catch {
      // The client is gone already: reading would only wait for what cannot come.
      this.#end();
    }
  }

  /** Reads and throws away until the client ends its stream, or the deadline closes the connection. */
  async #linger(): Promise<void> {
    while (await this.#duplex.read(this.#buffer) !== null);
    await this.#farewell;
  }

  /** Idempotent: the last thing that happens to a session. */
  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#leave("disconnect");
    this.#disarm();
    this.#catchUp();
    this.#lingerDeadline?.disarm();
    this.#context.sessions.delete(this);
    this.#duplex.close();
  }

  #leave(cause: LeaveCause): void {
    this.#leftAt = performance.now();
    this.#watcher?.close();
    this.#watcher = null;
    const claim = this.#claim;
    const entry = this.#entry;
    this.#claim = null;
    this.#entry = null;
    if (claim !== null) {
      this.#context.names.release(claim, cause);
    } else if (entry !== null && this.#context.registry.close(entry, cause)) {
      this.report({ kind: "leave", id: entry.id, cause });
    }
  }

  /** While a client has to wait it is not listened to: its silence is none of its own. */
  async #hold(throttle: Throttle): Promise<void> {
    this.#messageDeadline?.disarm();
    this.#idleDeadline?.disarm();
    this.#heartbeatDeadline?.disarm();
    await throttle.pause();
    if (!this.#isOpen) return;
    this.#armIdle();
    if (this.#patience !== 0) this.#armHeartbeat();
    if (this.#to !== this.#from) this.#armMessage();
  }

  #disarm(): void {
    this.#throttle?.release();
    this.#handshakeDeadline?.disarm();
    this.#messageDeadline?.disarm();
    this.#idleDeadline?.disarm();
    this.#heartbeatDeadline?.disarm();
    this.#settleDeadline?.disarm();
  }

  #armMessage(): void {
    const { deadlines, messageTimeout } = this.#context;
    if (messageTimeout === 0) return;
    this.#messageDeadline ??= new Deadline(() => {
      this.close(timeoutError(`a message was not complete ${messageTimeout} ms after it began`));
    });
    deadlines.arm(this.#messageDeadline, messageTimeout);
  }

  #armIdle(): void {
    const { deadlines, idleTimeout } = this.#context;
    if (idleTimeout === 0) return;
    this.#idleDeadline ??= new Deadline(() => {
      this.close(timeoutError(`nothing was heard for ${idleTimeout} ms`), idleTimeout);
    });
    deadlines.arm(this.#idleDeadline, idleTimeout);
  }

  #armHeartbeat(): void {
    if (!this.#isOpen) return;
    this.#heartbeatDeadline ??= new Deadline(() => {
      const patience = this.#patience;
      const why = `nothing was heard for ${patience} ms, ${HEARTBEAT_PATIENCE} times the heartbeat`;
      this.close(timeoutError(why), patience);
    });
    this.#context.deadlines.arm(this.#heartbeatDeadline, this.#patience);
  }

  #armHandshake(): void {
    const { deadlines, handshakeTimeout } = this.#context;
    this.#handshakeDeadline ??= new Deadline(() => {
      if (this.#agreed) this.close(timeoutError(`no Hello with a token came within ${handshakeTimeout} ms`));
      else this.#failHandshake(timeoutError(`it did not agree on TLS within ${handshakeTimeout} ms`));
    });
    deadlines.arm(this.#handshakeDeadline, handshakeTimeout);
  }

  #armSettle(): void {
    this.#settleDeadline ??= new Deadline(() => {
      this.#parser.settle();
      // The read that is under way stays where it is in the buffer: nothing is moved here.
      this.#answer()?.catch(() => this.#end());
    });
    this.#context.deadlines.arm(this.#settleDeadline, SETTLE_TIMEOUT);
  }

  #armLinger(): void {
    if (this.#state === "ended") return;
    this.#lingerDeadline ??= new Deadline(() => this.#end());
    this.#context.deadlines.arm(this.#lingerDeadline, LINGER);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function timeoutError(why: string): TrackerError {
  return new TrackerError("TIMEOUT", `Cannot keep connection: ${why}`);
}

/** Causes of leaves that the client did not bring about by a message: until then it was in the map as a ghost. */
const UNCLEAN_CAUSES: ReadonlySet<LeaveCause> = new Set(["disconnect", "timeout"]);

function slowError(why: string): TrackerError {
  return new TrackerError("SLOW_CONSUMER", `Cannot keep up: ${why}`);
}

function lostError(): TrackerError {
  return slowError("leaves that it was not told of are forgotten");
}

function watchingError(token: Token): TrackerError {
  const message = `${MESSAGE_NAMES[token]} cannot be sent on a connection that watches`;
  return new TrackerError("BAD_TYPE", `Cannot take message: ${message}`);
}
