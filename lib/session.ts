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

import {
  AMBIGUOUS,
  encodeError,
  encodeMapLength,
  INVALID,
  MAP_LENGTH_SIZE,
  MessageParser,
  NEED_MORE,
  type Token,
} from "./codec.ts";
import { Deadline, DeadlineQueue } from "./deadlines.ts";
import type { Duplex } from "./duplex.ts";
import { TrackerError } from "./errors.ts";
import { Pool } from "./pool.ts";
import { CLOSE, type Dialect, DONE, GET, OPEN, SETTLE_TIMEOUT, UPDATE } from "./protocol.ts";
import type { Entry, Registry } from "./registry.ts";

/** Size of a quiet connection's read buffer, in bytes. Most clients never send more at once. */
const QUIET_BUFFER = 512;

/** Size of the read buffer that a busy connection borrows, in bytes. Only a longer message makes a larger one. */
const BUSY_BUFFER = 131_072;

/** How many times larger the next read buffer is while reads fill it. */
const BUFFER_GROWTH = 8;

/** Replies up to this many bytes together go out in one write; a longer map is written from where it lies. */
const GATHERED_BYTES = 8_192;

/** How long a parting client may take for the next sign of progress, in milliseconds. */
const LINGER = 2_000;

/** First size of a buffer for replies, in bytes; it grows with what is gathered. */
const SMALLEST_OUTPUT = 256;

const EMPTY = new Uint8Array(0);
const GOODBYE = Uint8Array.of(DONE);

/** Why a client left the map. */
export type LeaveCause = "close" | "disconnect" | "timeout" | "shutdown" | "error";

/** What a session reports as it happens. */
export type SessionEvent =
  | { kind: "join"; id: string; dialect: Dialect | "unsettled" }
  | { kind: "leave"; id: string; cause: LeaveCause }
  | { kind: "error"; error: TrackerError };

/** What all sessions of a server share. */
export interface SessionContext {
  /** The map they commit to. */
  readonly registry: Registry;
  /** The dialect they insist on, or `"auto"`. */
  readonly dialect: Dialect | "auto";
  /** Longest state they take, in bytes. */
  readonly maxState: number;
  /** How long a message that has begun may take. */
  readonly message: DeadlineQueue;
  /** How long a client may be silent. */
  readonly idle: DeadlineQueue;
  /** How long a connection of undecided dialect may be silent. */
  readonly settle: DeadlineQueue;
  /** How long a parting client may make no progress. */
  readonly linger: DeadlineQueue;
  /** Read buffers for connections that wait. */
  readonly quietBuffers: Pool<Uint8Array<ArrayBuffer>>;
  /** Read buffers on loan to connections while they are busy. */
  readonly busyBuffers: Pool<Uint8Array<ArrayBuffer>>;
  /** Buffers for replies, each on loan only while there is something to write. */
  readonly outputs: Pool<Output>;
}

/** The limits of a {@linkcode SessionContext}. */
export interface SessionLimits {
  /** The dialect to insist on; default `"auto"`. */
  dialect?: Dialect | "auto";
  /** Longest state, in bytes. */
  maxState: number;
  /** How long a message that has begun may take, in milliseconds; 0 for as long as it likes. */
  messageTimeout: number;
  /** How long a client may be silent, in milliseconds; 0 for as long as it likes. */
  idleTimeout: number;
}

/**
 * Makes what the sessions of one server share.
 *
 * @param registry The map they commit to
 * @param limits Their limits
 * @returns The context; {@linkcode clearDeadlines} must be called when the last session has ended
 */
export function createSessionContext(registry: Registry, limits: SessionLimits): SessionContext {
  return {
    registry,
    dialect: limits.dialect ?? "auto",
    maxState: limits.maxState,
    message: new DeadlineQueue(limits.messageTimeout),
    idle: new DeadlineQueue(limits.idleTimeout),
    settle: new DeadlineQueue(SETTLE_TIMEOUT),
    linger: new DeadlineQueue(LINGER),
    quietBuffers: new Pool(256, () => new Uint8Array(QUIET_BUFFER)),
    busyBuffers: new Pool(16, () => new Uint8Array(BUSY_BUFFER)),
    outputs: new Pool(64, () => new Output()),
  };
}

/**
 * Stops the timers of a context.
 *
 * @param context The context whose sessions have all ended
 */
export function clearDeadlines(context: SessionContext): void {
  for (const queue of [context.message, context.idle, context.settle, context.linger]) queue.clear();
}

/** Replies gathered for one write. */
class Output {
  bytes = new Uint8Array(SMALLEST_OUTPUT);
  length = 0;
  #view = EMPTY;

  /** What was gathered. Replies are often as long as the last ones were, so the view is kept. */
  get gathered(): Uint8Array {
    if (this.#view.length !== this.length) this.#view = this.bytes.subarray(0, this.length);
    return this.#view;
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = EMPTY;
  }
}

type State = "open" | "parting" | "ended";

/** The server's side of one connection. */
export class Session {
  readonly #duplex: Duplex;
  readonly #context: SessionContext;
  readonly #parser: MessageParser;
  readonly #report: ((event: SessionEvent) => void) | undefined;
  readonly #onEnd: ((session: Session) => void) | undefined;
  #state: State = "open";
  #entry: Entry | null = null;

  /** Bytes `#from..#to` of the buffer have arrived and are not parsed yet. */
  #buffer: Uint8Array<ArrayBuffer>;
  #from = 0;
  #to = 0;
  /** What the parser found last. */
  #token: Token = NEED_MORE;

  /** Replies not yet written: short ones gathered, then at most one long map, then the last words of all. */
  #output: Output | null = null;
  #map: Uint8Array | null = null;
  #lastWords: Uint8Array | null = null;
  /** Settles when the writing that is under way is done. */
  #writing: Promise<void> | null = null;
  #farewell: Promise<void> | null = null;

  #messageDeadline: Deadline | null = null;
  #idleDeadline: Deadline | null = null;
  #settleDeadline: Deadline | null = null;
  #lingerDeadline: Deadline | null = null;

  /**
   * @param duplex The connection; the session closes it in the end
   * @param context What it shares with the server's other sessions
   * @param report Called with what happens, as it happens
   * @param onEnd Called when the connection is closed; a server shares one function among all its sessions, where a
   *   reaction to the promise of `run` would cost each of them a closure and a promise more
   */
  constructor(
    duplex: Duplex,
    context: SessionContext,
    report?: (event: SessionEvent) => void,
    onEnd?: (session: Session) => void,
  ) {
    this.#duplex = duplex;
    this.#context = context;
    this.#buffer = context.quietBuffers.take();
    this.#parser = new MessageParser(context);
    this.#report = report;
    this.#onEnd = onEnd;
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
      // One flat loop: each async function in between would cost a waiting connection a frame of its own.
      while (this.#isOpen) {
        // Reading into the whole buffer, which is the common case, makes no view.
        const count = await this.#duplex.read(this.#to === 0 ? this.#buffer : this.#buffer.subarray(this.#to));
        if (!this.#isOpen) break;
        // A deadline that came first may be writing still; its replies go before those to what has just arrived.
        if (this.#writing !== null) {
          await this.#writing;
          if (!this.#isOpen) break;
        }
        if (count === null) this.#parser.settle();
        else this.#note(count);
        const answering = this.#answer();
        if (answering !== null) await answering;
        if (count === null) break;
        if (this.#isOpen) this.#awaitMore();
      }
      if (!this.#isOpen) await this.#linger();
    } catch {
      // A connection that broke is one way for it to end: nobody is left to be told.
    } finally {
      this.#end();
      this.#returnBuffer();
      this.#onEnd?.(this);
    }
  }

  /**
   * Ends the conversation with an error reply, which takes the client out of the map at once.
   *
   * @param error What to tell the client
   */
  refuse(error: TrackerError): void {
    if (!this.#isOpen) return;
    this.#report?.({ kind: "error", error });
    this.#part(causeOf(error), encodeError(error));
  }

  /** Closes the connection at once, telling nothing. */
  abort(): void {
    this.#end();
  }

  #note(count: number): void {
    this.#to += count;
    this.#armIdle();
    this.#settleDeadline?.disarm();
  }

  /** Parses, commits and answers all that is complete; `null` when that needs no writing. */
  #answer(): Promise<void> | null {
    this.#commit();
    if (this.#hasOutput) this.#writing ??= this.#write();
    return this.#writing;
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
    let completed = false;
    for (;;) {
      const token = this.#token = parser.next(buffer, this.#from, to);
      if (token === UPDATE) {
        this.#setState(parser.stateStart, parser.stateEnd);
      } else if (token === GET) {
        this.#answerMap();
      } else if (token === OPEN) {
        this.#setState(parser.stateStart, parser.stateEnd);
        if (this.#isOpen) this.#answerDone();
      } else {
        if (completed) this.#messageDeadline?.disarm();
        if (token === CLOSE) this.#part("close", GOODBYE);
        else if (token === INVALID && parser.error !== null) this.refuse(parser.error);
        return;
      }
      // Whoever listens to the registry or to the server's events may have ended the session just now.
      if (!this.#isOpen) return;
      completed = true;
      this.#from = parser.position;
      if (this.#map !== null || (this.#output !== null && this.#output.length >= GATHERED_BYTES)) {
        this.#messageDeadline?.disarm();
        return;
      }
    }
  }

  #setState(start: number, end: number): void {
    const { registry } = this.#context;
    if (this.#entry === null) {
      const entry = registry.open(this.#buffer, { start, end });
      if (!this.#isOpen) {
        registry.close(entry);
        return;
      }
      this.#entry = entry;
      this.#report?.({ kind: "join", id: entry.id, dialect: this.#parser.dialect });
    } else {
      registry.update(this.#entry, this.#buffer, start, end);
    }
  }

  #answerDone(): void {
    const output = this.#output ??= this.#context.outputs.take();
    output.reserve(1);
    output.bytes[output.length++] = DONE;
  }

  #answerMap(): void {
    const output = this.#output ??= this.#context.outputs.take();
    const map = this.#context.registry.flatten();
    const isShort = map.length <= GATHERED_BYTES;
    output.reserve(MAP_LENGTH_SIZE + (isShort ? map.length : 0));
    output.length = encodeMapLength(output.bytes, output.length, map.length, this.#parser.dialect);
    if (isShort) {
      output.bytes.set(map, output.length);
      output.length += map.length;
    } else {
      this.#map = map;
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
    return this.#output !== null || this.#map !== null || this.#lastWords !== null;
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
        written += await this.#duplex.write(written === 0 ? bytes : bytes.subarray(written));
        this.#noteProgress();
      }
      if (output !== null) this.#returnOutput(output);
      if (!this.#hasOutput && this.#isOpen && !this.#isCaughtUp) this.#commit();
    } while (this.#hasOutput);
    this.#writing = null;
  }

  /** A client that takes what it is sent is not silent; it is this side that was too busy to listen. */
  #noteProgress(): void {
    if (this.#isOpen) this.#armIdle();
    else this.#armLinger();
  }

  #returnOutput(output: Output): void {
    output.length = 0;
    this.#context.outputs.give(output);
  }

  /** A long map, or else the last words: neither is gathered with other replies. */
  #takeLargeOutput(): Uint8Array {
    const bytes = this.#map ?? this.#lastWords ?? EMPTY;
    if (this.#map !== null) this.#map = null;
    else this.#lastWords = null;
    return bytes;
  }

  /** From here on the client is out of the map; the connection lives on only to say the last words. */
  #part(cause: LeaveCause, lastWords: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#state = "parting";
    this.#leave(cause);
    this.#disarm();
    this.#lastWords = lastWords;
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
    this.#lingerDeadline?.disarm();
    this.#duplex.close();
  }

  #leave(cause: LeaveCause): void {
    const entry = this.#entry;
    if (entry === null) return;
    this.#entry = null;
    this.#context.registry.close(entry);
    this.#report?.({ kind: "leave", id: entry.id, cause });
  }

  #disarm(): void {
    this.#messageDeadline?.disarm();
    this.#idleDeadline?.disarm();
    this.#settleDeadline?.disarm();
  }

  #armMessage(): void {
    const { message } = this.#context;
    this.#messageDeadline ??= new Deadline(() => {
      this.refuse(timeoutError(`a message was not complete ${message.duration} ms after it began`));
    });
    message.arm(this.#messageDeadline);
  }

  #armIdle(): void {
    const { idle } = this.#context;
    if (idle.duration === 0) return;
    this.#idleDeadline ??= new Deadline(() => {
      this.refuse(timeoutError(`nothing was heard for ${idle.duration} ms`));
    });
    idle.arm(this.#idleDeadline);
  }

  #armSettle(): void {
    this.#settleDeadline ??= new Deadline(() => {
      this.#parser.settle();
      // The read that is under way stays where it is in the buffer: nothing is moved here.
      this.#answer()?.catch(() => this.#end());
    });
    this.#context.settle.arm(this.#settleDeadline);
  }

  #armLinger(): void {
    if (this.#state === "ended") return;
    this.#lingerDeadline ??= new Deadline(() => this.#end());
    this.#context.linger.arm(this.#lingerDeadline);
  }
}

function timeoutError(why: string): TrackerError {
  return new TrackerError("TIMEOUT", `Cannot keep connection: ${why}`);
}

function causeOf(error: TrackerError): LeaveCause {
  if (error.code === "TIMEOUT") return "timeout";
  return error.code === "SHUTTING_DOWN" ? "shutdown" : "error";
}
