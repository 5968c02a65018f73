/**
 * A WebSocket as a stream of bytes.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { ignore } from "../base/async.ts";
import { Deadline, type Deadlines } from "../base/deadlines.ts";
import { Pool } from "../base/pool.ts";
import { writeAll } from "../transport/duplex.ts";
import type { Incoming, SocketAddress } from "../transport/listener.ts";
import {
  BINARY,
  checkClose,
  CLOSE,
  closePayload,
  controlFrame,
  FrameError,
  type FrameHeader,
  FrameHeaders,
  MAX_CONTROL,
  MAX_FRAME_HEADER,
  NORMAL,
  PING,
  PONG,
  writeFrameHeader,
} from "./websocket_frame.ts";

/** Most bytes that one write takes. A client that takes less is noticed between two. */
const MAX_WRITE = 49_152;

/** How often the client is pinged, in milliseconds: a proxy such as nginx cuts a connection that is silent for 60 s. */
const PING_INTERVAL = 25_000;

/** Frames that are being written: header and payload go out in one write. */
const buffers = new Pool(64, () => new Uint8Array(MAX_FRAME_HEADER + MAX_WRITE));

/** Options for {@linkcode WebSocketConnection}. */
export interface WebSocketOptions {
  /** What times the pings. */
  readonly deadlines: Deadlines;
  /** Longest message that a client may send, in bytes. */
  readonly maxMessage: number;
}

/**
 * The server's end of a WebSocket that has been agreed on. What the client sends in binary frames is what is read, wherever
 * its frames end; it is unmasked in the reader's own buffer, so a connection that waits needs none besides.
 */
export class WebSocketConnection implements Incoming {
  readonly remoteAddr: SocketAddress;
  readonly isSecure: boolean;
  readonly #connection: Incoming;
  readonly #deadlines: Deadlines;
  readonly #headers: FrameHeaders;
  readonly #ping = new Deadline(() => this.#sendPing());
  /** The frame whose payload is being read; `null` between two. */
  #frame: FrameHeader | null = null;
  /** How much of that payload has been read, in bytes. */
  #read = 0;
  /** The payload of a frame that controls the connection. */
  #control: Uint8Array = EMPTY;
  /** Whether a pong has come since the last read. */
  #isAlive = false;
  /** *Closed* by the client, or *failed*: it has sent what it must not, which turns to *refused* when the reader knows. */
  #state: "open" | "closed" | "failed" | "refused" = "open";
  /** Frames that control the connection, which wait for the end of the write under way. */
  #waiting: Uint8Array[] = [];
  /** The write under way; `null` when there is none. */
  #writing: Promise<void> | null = null;
  #isCloseSent = false;

  /**
   * @param connection The connection, on which nothing has come since the request
   * @param options What times the pings, and the longest message
   */
  constructor(connection: Incoming, { deadlines, maxMessage }: WebSocketOptions) {
    this.remoteAddr = { ...connection.remoteAddr, via: "ws" };
    this.isSecure = connection.isSecure === true;
    this.#connection = connection;
    this.#deadlines = deadlines;
    this.#headers = new FrameHeaders(maxMessage);
    deadlines.arm(this.#ping, PING_INTERVAL);
  }

  /**
   * Waits for bytes.
   *
   * @param buffer Where they go
   * @returns How many came; 0 if nothing came but a sign of life; `null` when the client has closed the WebSocket, or was
   *   told that it will be closed for what it has sent
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#state === "open") {
      const count = await this.#connection.read(buffer);
      if (count === null) return null;
      const length = this.#take(buffer, count);
      if (length !== 0) return length;
      if (this.#isAlive && this.#state === "open") {
        this.#isAlive = false;
        return 0;
      }
    }
    if (this.#state === "refused") return await this.#readToEnd(buffer);
    // What a client sends that was refused has no meaning any more, but it is read: unread input would reset the connection.
    if (this.#state === "failed") this.#state = "refused";
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const count = Math.min(bytes.length, MAX_WRITE);
    await this.#writeFrames(count === bytes.length ? bytes : bytes.subarray(0, count));
    return count;
  }

  /** Tells the client that nothing more comes, with a Close frame. */
  async closeWrite(): Promise<void> {
    this.#sendClose(NORMAL);
    while (this.#writing !== null) await this.#writing;
  }

  close(): void {
    this.#ping.disarm();
    this.#connection.close();
  }

  /** Takes frames apart in the buffer, and moves what they carry to its front. Returns how much that is. */
  #take(buffer: Uint8Array, count: number): number {
    let length = 0;
    try {
      for (let at = 0; at < count && this.#state === "open";) {
        if (this.#frame === null) {
          this.#begin(this.#headers.push(buffer[at++]!));
          continue;
        }
        const end = Math.min(count, at + this.#frame.length - this.#read);
        if (this.#frame.opcode >= CLOSE) this.#takeControl(buffer, at, end);
        else length = this.#unmask(this.#frame, buffer, at, end, length);
        at = end;
        if (this.#frame.length === this.#read) this.#finish(this.#frame);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#state = "failed";
      this.#sendClose(error.code, error.message);
    }
    return length;
  }

  #begin(frame: FrameHeader | null): void {
    if (frame === null) return;
    this.#frame = frame;
    this.#read = 0;
    if (frame.opcode >= CLOSE) this.#control = new Uint8Array(frame.length);
    if (frame.length === 0) this.#finish(frame);
  }

  #unmask({ mask }: FrameHeader, buffer: Uint8Array, from: number, to: number, target: number): number {
    let read = this.#read;
    for (let at = from; at < to; at++) buffer[target++] = buffer[at]! ^ mask[read++ & 3]!;
    this.#read = read;
    return target;
  }

  #takeControl(buffer: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++, this.#read++) {
      this.#control[this.#read] = buffer[at]! ^ this.#frame!.mask[this.#read & 3]!;
    }
  }

  #finish({ opcode }: FrameHeader): void {
    const payload = this.#control;
    this.#frame = null;
    if (opcode < CLOSE) return;
    this.#control = EMPTY;
    this.#isAlive = true;
    if (opcode === PING) this.#answerPing(payload);
    if (opcode !== CLOSE) return;
    checkClose(payload);
    this.#state = "closed";
    this.#sendClose(NORMAL);
  }

  /** Only the latest of several pings has to be answered, so a client that sends many fills no memory. */
  #answerPing(payload: Uint8Array): void {
    const pong = controlFrame(PONG, payload.subarray(0, MAX_CONTROL));
    this.#waiting = this.#waiting.filter((frame) => (frame[0]! & 0x0f) !== PONG);
    this.#send(pong);
  }

  #sendPing(): void {
    this.#deadlines.arm(this.#ping, PING_INTERVAL);
    // What is being written is as good as a ping, once it is taken.
    if (this.#writing === null) this.#send(controlFrame(PING, EMPTY));
  }

  /** Sends the one Close frame. */
  #sendClose(code: number, reason = ""): void {
    if (this.#isCloseSent) return;
    this.#send(controlFrame(CLOSE, closePayload(code, reason)));
    this.#isCloseSent = true;
  }

  /** Sends a frame that controls the connection, after the write under way. Nothing follows a Close frame. */
  #send(frame: Uint8Array): void {
    if (this.#isCloseSent) return;
    this.#waiting.push(frame);
    if (this.#writing === null) void this.#writeFrames(EMPTY).catch(ignore);
  }

  /** Writes what waits, then a frame with some bytes, if there are any, and what has come to wait meanwhile. */
  async #writeFrames(bytes: Uint8Array): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writing = promise;
    try {
      await this.#writeWaiting();
      if (bytes.length !== 0) await this.#writeBinary(bytes);
      await this.#writeWaiting();
    } finally {
      this.#writing = null;
      // A frame that came after the last look must not wait for the next write, which may never be.
      if (this.#waiting.length !== 0) void this.#writeFrames(EMPTY).catch(ignore);
      resolve();
    }
  }

  async #writeWaiting(): Promise<void> {
    for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
      await writeAll(this.#connection, frame);
    }
  }

  async #writeBinary(bytes: Uint8Array): Promise<void> {
    const frame = buffers.take();
    const start = writeFrameHeader(frame, BINARY, bytes.length);
    frame.set(bytes, start);
    await writeAll(this.#connection, frame.subarray(0, start + bytes.length));
    buffers.give(frame);
  }

  /** Discards what comes, until the client ends the connection. */
  async #readToEnd(buffer: Uint8Array): Promise<null> {
    while (await this.#connection.read(buffer) !== null);
    return null;
  }
}
