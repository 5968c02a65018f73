/**
 * A process in which one writer writes, and many WebSockets read: `fan.ts NAME PORT WATCHERS SECONDS`. Prints deliveries a
 * second: every message to every watcher, counted message by message.
 *
 * @module
 */

import { write as print, writeError } from "../output.ts";
import { masked, subscribe, write } from "./client.ts";
import type { ServerName } from "./servers.ts";

const [name, port, watchers, seconds] = Deno.args as [ServerName, string, string, string];

const STATE = 32;

/** Messages in one write, and most that are under way. */
const TOGETHER = 256;
const WINDOW = 4_096;

/** Size of one message as a watcher reads it. */
const SIZES: Readonly<Partial<Record<ServerName, number>>> = {
  tracker: 1 + 8 + 2 + "client1".length + 4 + STATE,
  nats: `MSG a 1 ${STATE}\r\n`.length + STATE + 2,
};

/** Counts messages in the frames of a WebSocket. Tracker's are in frames of its own, whose lengths are no messages. */
class Counter {
  messages = 0;
  /** Bytes left of the present frame of the WebSocket, and of the frame within. */
  #left = 0;
  #inner = 0;
  #header: number[] = [];
  #innerHeader: number[] = [];
  readonly #size = SIZES[name]!;
  readonly #isNested = name === "tracker";
  /** Bytes of messages so far; what comes before the first of them is left out by {@linkcode reset}. */
  #bytes = 0;

  reset(): void {
    this.#bytes = 0;
    this.messages = 0;
  }

  feed(buffer: Uint8Array, count: number): void {
    for (let at = 0; at < count;) {
      if (this.#left === 0) {
        this.#header.push(buffer[at++]!);
        this.#begin();
      } else {
        const length = Math.min(this.#left, count - at);
        this.#take(buffer, at, length);
        this.#left -= length;
        at += length;
      }
    }
    this.messages = Math.floor(this.#bytes / this.#size);
  }

  #begin(): void {
    const [, short = 0] = this.#header;
    const size = this.#header.length < 2 ? 2 : short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#header.length < size) return;
    const long = this.#header.slice(2);
    this.#left = short < 126 ? short : long.reduce((sum, byte) => sum * 256 + byte, 0);
    this.#header = [];
  }

  #take(buffer: Uint8Array, at: number, length: number): void {
    if (!this.#isNested) {
      this.#bytes += length;
      return;
    }
    for (const end = at + length; at < end;) {
      if (this.#inner === 0) {
        this.#innerHeader.push(buffer[at++]!);
        if (this.#innerHeader.length < 8) continue;
        this.#inner = this.#innerHeader.reduce((sum, byte) => sum * 256 + byte, 0);
        this.#innerHeader = [];
      } else {
        const part = Math.min(this.#inner, end - at);
        this.#inner -= part;
        this.#bytes += part;
        at += part;
      }
    }
  }
}

const counters = Array.from({ length: Number(watchers) }, () => new Counter());
let target = Infinity;
let reached = 0;
let wake = () => {};

async function watch(connection: Deno.TcpConn, counter: Counter): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("a watcher was ended");
    const before = counter.messages;
    counter.feed(buffer, count);
    if (before < target && counter.messages >= target && ++reached === counters.length) wake();
  }
}

for (let begun = 0; begun < counters.length; begun += 64) {
  const wave = counters.slice(begun, begun + 64).map(async (counter, at) => {
    const connection = await subscribe(name, Number(port), "websocket", begun + at);
    void watch(connection, counter).catch((error) => {
      writeError(`${error}\n`);
      Deno.exit(1);
    });
  });
  await Promise.all(wave);
}

function message(): Uint8Array {
  const state = new Uint8Array(STATE).fill(46);
  if (name === "nats") {
    const head = new TextEncoder().encode(`PUB a ${STATE}\r\n`);
    return Uint8Array.from([...head, ...state, 13, 10]);
  }
  // Opens that come together are never merged, unlike Updates.
  return Uint8Array.from([42, 0, 0, 0, 0, 0, 0, 0, 0, STATE, ...state]);
}

const one = message();
const batch = new Uint8Array(one.length * TOGETHER);
for (let at = 0; at < batch.length; at += one.length) batch.set(one, at);

/** The writer is what the server likes best: Tracker's own protocol, and a WebSocket for the other. */
const writer = name === "tracker"
  ? await Deno.connect({ port: Number(port) })
  : await subscribe(name, Number(port), "websocket", -1);
const words = name === "tracker" ? batch : masked(batch.subarray(0, one.length));
void (async () => {
  const buffer = new Uint8Array(65_536);
  while (await writer.read(buffer) !== null);
})().catch(() => {});

async function send(): Promise<void> {
  if (name === "tracker") return await write(writer, words);
  const frames = new Uint8Array(words.length * TOGETHER);
  for (let at = 0; at < frames.length; at += words.length) frames.set(words, at);
  await write(writer, frames);
}

// The first message is another event; what was read before is no message.
await write(writer, name === "tracker" ? one : words);
await new Promise((resolve) => setTimeout(resolve, 500));
for (const counter of counters) counter.reset();

let sent = 0;
const startedAt = performance.now();
while (performance.now() - startedAt < Number(seconds) * 1_000) {
  const arrived = new Promise<void>((resolve) => wake = resolve);
  reached = 0;
  target = sent + WINDOW;
  for (let batches = 0; batches < WINDOW / TOGETHER; batches++) await send();
  sent += WINDOW;
  await arrived;
}
const took = (performance.now() - startedAt) / 1_000;
print(JSON.stringify({ rate: sent * counters.length / took }));
Deno.exit(0);
