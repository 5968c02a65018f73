/**
 * Frames of WebSocket, read by us and by the package ws, and those that we write.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Deadlines } from "../../../lib/base/deadlines.ts";
import { equals } from "../../../lib/base/bytes.ts";
import { WebSocketConnection } from "../../../lib/http/websocket.ts";
import { bytesOf } from "../../support/bytes.ts";
import { Receiver } from "../../support/packages/ws.ts";
import type { Random } from "../../support/random.ts";
import { join, type Tally, Violation } from "./tally.ts";

/** Longest message in the inputs, in bytes. */
const MAX_MESSAGE = 500;

const [BINARY, CLOSE, PING, PONG] = [2, 8, 9, 10];

/** Codes with which only we close: text, and a length that is longer than it must be. */
const OURS_ONLY: ReadonlySet<number> = new Set([1_002, 1_003]);

/** What was read of some frames. */
interface Reading {
  /** What messages carried. */
  readonly payload: Uint8Array;
  /** Payloads of pings. */
  readonly pings: readonly string[];
  /** Why the connection is closed; 0 if it is not. */
  readonly closed: number;
  /** Whether that is because of something that must not be sent. */
  readonly isRefused: boolean;
}

/**
 * Makes frames as a client sends them, most of them right.
 *
 * @param random The source
 * @returns Their bytes
 */
export function makeFrames(random: Random): Uint8Array {
  const frames: Uint8Array[] = [];
  let isOpen = false;
  for (let count = random.integer(1, 5); count > 0; count--) {
    const isControl = random.next() < 0.3;
    const isFinal = isControl ? random.next() < 0.98 : random.next() < 0.7;
    let opcode = isControl ? random.pick([CLOSE, PING, PONG]) : isOpen ? 0 : BINARY;
    if (random.next() < 0.03) opcode = random.integer(0, 15);
    if (!isControl) isOpen = !isFinal;
    frames.push(makeFrame(random, opcode, isFinal, makePayload(random, opcode)));
  }
  const bytes = join(frames);
  if (random.next() < 0.1) return bytes.subarray(0, random.integer(0, bytes.length));
  if (random.next() < 0.1) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
  return bytes;
}

function makePayload(random: Random, opcode: number): Uint8Array {
  if (opcode === CLOSE && random.next() < 0.9) {
    const code = random.pick([1_000, 1_001, 1_005, 1_011, 3_000, 4_999, 5_000, 999, 0]);
    return bytesOf(code >>> 8, code & 255, random.pick(["", "bye", "\u00e9"]), ...random.next() < 0.1 ? [0xff] : []);
  }
  const most = opcode >= CLOSE ? random.pick([5, 125, 126, 130]) : random.pick([5, 130, 300, 600]);
  return random.bytes(random.integer(0, most));
}

function makeFrame(random: Random, opcode: number, isFinal: boolean, payload: Uint8Array): Uint8Array {
  const reserved = random.next() < 0.02 ? random.pick([0x10, 0x20, 0x40]) : 0;
  const first = (isFinal ? 0x80 : 0) | reserved | opcode;
  const isMasked = random.next() < 0.98;
  const mask = random.bytes(4);
  const form = payload.length < 126 && random.next() < 0.98 ? 0 : random.next() < 0.95 ? 2 : 8;
  const short = form === 0 ? payload.length : form === 2 ? 126 : 127;
  const length = Array.from({ length: form }, (_, at) => Math.floor(payload.length / 256 ** (form - 1 - at)) % 256);
  const masked = isMasked ? payload.map((byte, at) => byte ^ mask[at & 3]!) : payload;
  return bytesOf(first, (isMasked ? 0x80 : 0) | short, ...length, ...isMasked ? [mask] : [], masked);
}

/** A stream that brings some bytes, in parts of any size, and keeps what is written. */
class Stream {
  readonly remoteAddr = { transport: "tcp" as const, hostname: "memory", port: 0 };
  readonly written: Uint8Array[] = [];
  readonly #bytes: Uint8Array;
  readonly #random: Random;
  #at = 0;

  constructor(bytes: Uint8Array, random: Random) {
    this.#bytes = bytes;
    this.#random = random;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#at === this.#bytes.length) return Promise.resolve(null);
    const part = this.#bytes.subarray(this.#at, this.#at + Math.min(buffer.length, this.#random.integer(1, 64)));
    buffer.set(part);
    this.#at += part.length;
    return Promise.resolve(part.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    const count = this.#random.integer(1, bytes.length);
    this.written.push(bytes.slice(0, count));
    return Promise.resolve(count);
  }

  close(): void {}
}

async function readOurs(bytes: Uint8Array, random: Random, deadlines: Deadlines): Promise<Reading> {
  const stream = new Stream(bytes, random);
  const socket = new WebSocketConnection(stream, { deadlines, maxMessage: MAX_MESSAGE });
  const buffer = new Uint8Array(random.pick([16, 64, 512]));
  const parts: Uint8Array[] = [];
  for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  await socket.closeWrite();
  socket.close();
  const { pings, closed } = await readWritten(join(stream.written));
  const isRefused = closed !== 0 && closed !== 1_000;
  return { payload: join(parts), pings, closed, isRefused };
}

/** Reads what a server has written with the package ws, which is to find nothing wrong with it. */
async function readWritten(bytes: Uint8Array): Promise<{ payload: Uint8Array; pings: string[]; closed: number }> {
  const { payload, pongs, closed, isRefused } = await readWithPackage(bytes, false);
  if (isRefused) throw new Violation("what we have written is refused", bytes, { closed });
  return { payload, pings: pongs, closed };
}

function readWithPackage(bytes: Uint8Array, isServer: boolean): Promise<Reading & { pongs: string[] }> {
  const receiver = new Receiver({
    isServer,
    maxPayload: MAX_MESSAGE,
    allowSynchronousEvents: true,
    binaryType: "nodebuffer",
  });
  const parts: Uint8Array[] = [];
  const pings: string[] = [];
  const pongs: string[] = [];
  let closed = 0;
  let isRefused = false;
  receiver.on("message", (data: Uint8Array) => parts.push(new Uint8Array(data)));
  receiver.on("ping", (data: Uint8Array) => pings.push(String.fromCharCode(...data)));
  receiver.on("pong", (data: Uint8Array) => pongs.push(String.fromCharCode(...data)));
  receiver.on("conclude", (code: number) => closed = code === 1_005 ? 1_000 : code);
  // deno-lint-ignore no-explicit-any
  receiver.on("error", (error: any) => {
    const symbol = Object.getOwnPropertySymbols(error).find(({ description }) => description === "status-code");
    closed = symbol === undefined ? 1_002 : error[symbol];
    isRefused = true;
  });
  return new Promise((resolve) => {
    const finish = () => resolve({ payload: join(parts), pings, pongs, closed, isRefused });
    // The package may handle one frame a turn. It reads an empty piece as none, and never calls back.
    if (bytes.length === 0) finish();
    else receiver.write(bytes, () => setImmediate(finish));
  });
}

/**
 * Compares the two on the frames of a client.
 *
 * @param bytes The frames
 * @param random How they are cut
 * @param deadlines What times pings
 * @param tally Counts what they have decided
 * @throws {Violation} if they differ where they must not
 */
export async function compareFrames(
  bytes: Uint8Array,
  random: Random,
  deadlines: Deadlines,
  tally: Tally,
): Promise<void> {
  const [ours, theirs] = [await readOurs(bytes, random, deadlines), await readWithPackage(bytes, true)];
  const complain = (what: string) => new Violation(what, bytes, { ours, theirs });
  if (theirs.isRefused && !ours.isRefused) throw complain("taken here, and refused by ws");
  if (ours.isRefused && !theirs.isRefused) {
    if (!OURS_ONLY.has(ours.closed)) throw complain("refused here for no stated reason, and taken by ws");
    return tally.count(`stricter: ${ours.closed}`);
  }
  if (ours.isRefused && ours.closed !== theirs.closed && !OURS_ONLY.has(ours.closed)) {
    throw complain("refused for another reason");
  }
  // A message that is not complete is handed on here, and not by ws; what is refused here sooner, ws may have handed on.
  const most = ours.isRefused ? Math.min(ours.payload.length, theirs.payload.length) : theirs.payload.length;
  if (!equals(ours.payload.subarray(0, most), theirs.payload.subarray(0, most))) throw complain("read differently");
  tally.count(ours.isRefused ? "both refuse it" : "both take it");
}

/**
 * Checks that what we write is what the package ws reads.
 *
 * @param random The source
 * @param deadlines What times pings
 * @param tally Counts
 * @throws {Violation} if it is not
 */
export async function compareWritten(random: Random, deadlines: Deadlines, tally: Tally): Promise<void> {
  const stream = new Stream(new Uint8Array(0), random);
  const socket = new WebSocketConnection(stream, { deadlines, maxMessage: MAX_MESSAGE });
  const sent: Uint8Array[] = [];
  for (let count = random.integer(1, 4); count > 0; count--) {
    const bytes = random.bytes(random.integer(1, random.pick([10, 130, 400])));
    for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
    sent.push(bytes);
  }
  await socket.closeWrite();
  socket.close();
  const { payload, closed } = await readWritten(join(stream.written));
  if (!equals(payload, join(sent)) || closed !== 1_000) {
    throw new Violation("what we have written is read differently", join(stream.written), { closed });
  }
  tally.count("written and read");
}
