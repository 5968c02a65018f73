import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ByteBuffer } from "../../lib/base/byte_buffer.ts";
import type { Pieces } from "../../lib/base/pieces.ts";
import { Pool } from "../../lib/base/pool.ts";
import { Turns } from "../../lib/base/turns.ts";
import { TrackerError } from "../../lib/errors.ts";
import { Counters } from "../../lib/server/counters.ts";
import { GATHERED_BYTES, type ReplySource, ReplyWriter } from "../../lib/server/reply_writer.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import type { Duplex } from "../../lib/transport/duplex.ts";
import { bytesOf, textOf } from "../support/bytes.ts";

/** Takes writes, each as slowly and as little as told. */
class Sink implements Duplex {
  /** What each write has taken. */
  readonly taken: string[] = [];
  /** The bytes of the last write, as they were given. */
  given: Uint8Array | null = null;
  /** Most bytes that one write takes. */
  capacity = Infinity;
  /** What every write waits for. */
  gate: Promise<void> = Promise.resolve();
  mostAtOnce = 0;
  /** How many writes succeed before the connection breaks. */
  limit = Infinity;
  /** Whether the stream has ended in this direction. */
  isEnded = false;
  #underWay = 0;

  async write(bytes: Uint8Array): Promise<number> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    this.given = bytes;
    await this.gate;
    if (this.taken.length === this.limit) throw new Error("broken pipe");
    const taken = bytes.subarray(0, this.capacity);
    this.taken.push(textOf(taken));
    this.#underWay--;
    return taken.length;
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  closeWrite(): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }

  close(): void {}
}

/** Frames in a row. */
class Frames {
  isLost = false;
  readonly #frames: string[];

  constructor(...frames: string[]) {
    this.#frames = frames;
  }

  get hasNews(): boolean {
    return this.#frames.length !== 0;
  }

  close(): void {}

  next(): Uint8Array | null {
    const frame = this.#frames.shift();
    return frame === undefined ? null : bytesOf(frame);
  }
}

/** A writer, and what it reports to its session. */
class Bench {
  readonly sink = new Sink();
  readonly counters = new Counters();
  readonly outputs = new Pool(4, () => new ByteBuffer());
  readonly reports: string[] = [];
  /** How often others have had their turn. */
  turned = 0;
  readonly turns = new Turns(() => {
    this.turned++;
    return Promise.resolve();
  });
  /** Called when the session is closed with an error. */
  onClose: () => void = () => {};
  readonly writer: ReplyWriter;

  constructor() {
    const source: ReplySource = {
      context: this,
      connection: this.sink,
      close: (error) => {
        this.reports.push(error.code);
        this.onClose();
      },
      onProgress: () => void this.reports.push("progress"),
    };
    this.writer = new ReplyWriter(source);
  }

  watch(frames: Frames): void {
    this.writer.watcher = frames as unknown as Watcher;
  }

  add(...replies: string[]): void {
    for (const reply of replies) this.writer.add(bytesOf(reply));
  }

  /** Holds up writes until the returned function is called. */
  holdUp(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.sink.gate = promise;
    return resolve;
  }
}

const LONG = "l".repeat(GATHERED_BYTES + 1);

Deno.test("without output nothing is written", () => {
  const bench = new Bench();
  bench.watch(new Frames());
  assertEquals([bench.writer.flush(), bench.writer.writing], [null, null]);
  assertEquals(bench.sink.taken, []);
});

Deno.test("short replies go out in one write", async () => {
  const bench = new Bench();
  bench.add("a", "b", "c");
  await bench.writer.flush();
  assertEquals(bench.sink.taken, ["abc"]);
  assertEquals(bench.writer.writing, null);
});

Deno.test("a long reply is written from where it is, without a copy", async () => {
  const { writer, sink } = new Bench();
  const long = bytesOf(LONG);
  writer.add(long);
  await writer.flush();
  assertStrictEquals(sink.given, long);
});

Deno.test("short replies, a long one, frames and the final reply go out in this order", async () => {
  const bench = new Bench();
  bench.watch(new Frames("frame 1", "frame 2"));
  bench.add("short", LONG);
  await bench.writer.finish(bytesOf("final"));
  assert(bench.sink.isEnded);
  assertEquals(bench.sink.taken, ["short", LONG, "frame 1", "frame 2", "final"]);
});

Deno.test("replies added during a write go out after it, ahead of frames", async () => {
  const bench = new Bench();
  const release = bench.holdUp();
  bench.add("first");
  const writing = bench.writer.flush();
  bench.watch(new Frames("frame"));
  bench.add("second", "third");
  release();
  await writing;
  assertEquals(bench.sink.taken, ["first", "secondthird", "frame"]);
});

/** A long reply in pieces, and how often it was released. */
class TextPieces implements Pieces {
  released = 0;
  readonly #pieces: (string | null | Error)[];

  constructor(...pieces: (string | null | Error)[]) {
    this.#pieces = pieces;
  }

  next(): Uint8Array | null {
    const piece = this.#pieces.shift() ?? null;
    if (piece instanceof Error) throw piece;
    return piece === null ? null : bytesOf(piece);
  }

  release(): void {
    this.released++;
  }
}

Deno.test("a long reply in pieces goes out piece by piece, and nothing in between", async () => {
  const bench = new Bench();
  const release = bench.holdUp();
  const pieces = new TextPieces("one", "two", "", "three");
  bench.writer.add(pieces);
  assert(bench.writer.isFull);
  const writing = bench.writer.flush();
  bench.add("late");
  release();
  await writing;
  assertEquals(bench.sink.taken, ["one", "two", "three", "late"]);
  assertEquals([pieces.released, bench.writer.isFull], [1, false]);
});

Deno.test("between two pieces others have their turn once the slice of time is used up", async () => {
  const bench = new Bench();
  const slow = new TextPieces("one", "", "two");
  const next = slow.next.bind(slow);
  const rests: number[] = [];
  slow.next = () => {
    rests.push(bench.turned);
    // Longer than a slice.
    for (const end = performance.now() + 2; performance.now() < end;);
    return next();
  };
  bench.writer.add(slow);
  await bench.writer.flush();
  assertEquals(bench.sink.taken, ["one", "two"]);
  assertEquals(rests, [0, 1, 2, 3]);
});

Deno.test("a reply in pieces that cannot be completed ends the session, and no final reply follows", async () => {
  const bench = new Bench();
  const pieces = new TextPieces("one", new TrackerError("SLOW_CONSUMER", "Cannot keep up"));
  bench.writer.add(pieces);
  await assertRejects(() => bench.writer.finish(bytesOf("final")), Error, "Cannot complete a reply");
  assertEquals([bench.sink.taken, bench.sink.isEnded, pieces.released], [["one"], false, 1]);
  assert(bench.reports.includes("SLOW_CONSUMER"));
});

Deno.test("a reply in pieces is released when the session ends, begun or not", async () => {
  for (const isBegun of [false, true]) {
    const bench = new Bench();
    bench.sink.gate = isBegun ? Promise.reject(new Error("broken pipe")) : Promise.resolve();
    const pieces = new TextPieces("one", "two");
    bench.writer.add(pieces);
    if (isBegun) await assertRejects(async () => await bench.writer.flush(), Error, "broken pipe");
    for (let twice = 0; twice < 2; twice++) bench.writer.close();
    assertEquals(pieces.released, 1);
  }
});

Deno.test("a writer is full with a long reply, or with enough short ones", () => {
  const long = new Bench();
  assert(!long.writer.isFull);
  long.add(LONG);
  assert(long.writer.isFull);
  const short = new Bench();
  short.add("s".repeat(GATHERED_BYTES - 1));
  assert(!short.writer.isFull);
  short.add("s");
  assert(short.writer.isFull);
});

Deno.test("a reply is written whole, however little each write takes", async () => {
  const bench = new Bench();
  bench.sink.capacity = 3;
  bench.add("a short reply");
  await bench.writer.finish(bytesOf("final"));
  assertEquals(bench.sink.taken, ["a s", "hor", "t r", "epl", "y", "fin", "al"]);
  assertEquals(bench.counters.sent, 18);
  assertEquals(bench.reports.filter((report) => report === "progress").length, 7);
});

Deno.test("there is one write at a time, and flushing during it waits for all of the output", async () => {
  const bench = new Bench();
  const release = bench.holdUp();
  bench.add("a");
  const writing = bench.writer.flush();
  bench.add("b");
  assertStrictEquals(bench.writer.flush(), writing);
  assertStrictEquals(bench.writer.writing, writing);
  release();
  await writing;
  assertEquals([bench.sink.taken, bench.sink.mostAtOnce], [["a", "b"], 1]);
  assertEquals(bench.writer.flush(), null);
});

Deno.test("the session can wait until every reply is written, however many frames follow", async () => {
  const bench = new Bench();
  assertEquals(bench.writer.untilDrained(), null);
  bench.watch(new Frames("one", "two"));
  bench.add("short", LONG);
  const release = bench.holdUp();
  const writing = bench.writer.flush();
  let takenThen: string[] = [];
  const drained = bench.writer.untilDrained()!.then(() => takenThen = [...bench.sink.taken]);
  assert(bench.writer.untilDrained() !== null);
  release();
  await Promise.all([drained, writing]);
  assert(takenThen.includes(LONG));
  assertEquals(bench.sink.taken, ["short", LONG, "one", "two"]);
  assertEquals(bench.writer.untilDrained(), null);
});

Deno.test("that wait ends with the session", async () => {
  const bench = new Bench();
  bench.add("short");
  bench.holdUp();
  void bench.writer.flush();
  bench.add("more");
  const drained = bench.writer.untilDrained();
  bench.writer.resolveDraining();
  await drained;
});

Deno.test("a buffer for short replies is on loan only until they are written", async () => {
  const bench = new Bench();
  const { gathered } = bench.writer;
  assertStrictEquals(bench.writer.gathered, gathered);
  bench.add("a");
  await bench.writer.flush();
  assertEquals(gathered.length, 0);
  assertStrictEquals(bench.outputs.take(), gathered);
});

Deno.test("a watcher that cannot catch up gets no frame, but the final reply", async () => {
  const bench = new Bench();
  const frames = new Frames("frame");
  frames.isLost = true;
  bench.watch(frames);
  let finished: Promise<void> | undefined;
  bench.onClose = () => {
    bench.writer.watcher = null;
    finished = bench.writer.finish(bytesOf("SLOW_CONSUMER"));
  };
  bench.add("due");
  await bench.writer.flush();
  await finished;
  assertEquals(bench.sink.taken, ["due", "SLOW_CONSUMER"]);
  assertEquals(bench.reports.filter((report) => report === "SLOW_CONSUMER").length, 1);
});

Deno.test("once the connection is broken, every flush rejects", async () => {
  const bench = new Bench();
  bench.sink.gate = Promise.reject(new Error("broken pipe"));
  for (const reply of ["a", "b"]) {
    bench.add(reply);
    await assertRejects(async () => await bench.writer.flush(), Error, "broken pipe");
  }
  assertEquals(bench.sink.taken, []);
});

Deno.test("a writer with nothing to write is never stuck", async () => {
  const bench = new Bench();
  assertEquals([bench.writer.stuckFor(0), bench.writer.stuckFor(1_000_000)], [0, 0]);
  bench.add("a");
  await bench.writer.flush();
  assertEquals([bench.writer.stuckFor(2_000_000), bench.writer.stuckFor(3_000_000)], [0, 0]);
});

Deno.test("a writer whose first write is under way is stuck since the first look at it", async () => {
  const bench = new Bench();
  const release = bench.holdUp();
  bench.add("a");
  const writing = bench.writer.flush();
  assertEquals([1_000_000, 1_000_010, 1_000_500].map((now) => bench.writer.stuckFor(now)), [0, 10, 500]);
  release();
  await writing;
  assertEquals(bench.writer.stuckFor(1_000_600), 0);
});

Deno.test("a client that takes a few bytes is not stuck", async () => {
  const bench = new Bench();
  bench.sink.capacity = 1;
  let release = bench.holdUp();
  bench.add("ab");
  const writing = bench.writer.flush();
  assertEquals([100, 150].map((now) => bench.writer.stuckFor(now)), [0, 50]);
  const taking = release;
  release = bench.holdUp();
  taking();
  while (bench.sink.taken.length === 0) await Promise.resolve();
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  assertEquals([200, 270].map((now) => bench.writer.stuckFor(now)), [0, 70]);
  release();
  await writing;
});

Deno.test("the time before a write does not count as stuck", async () => {
  const bench = new Bench();
  assertEquals(bench.writer.stuckFor(250), 0);
  const release = bench.holdUp();
  bench.add("a");
  const writing = bench.writer.flush();
  assertEquals([500, 750].map((now) => bench.writer.stuckFor(now)), [0, 250]);
  release();
  await writing;
});

Deno.test("final replies that are taken in part are counted as far as they were taken", async () => {
  const bench = new Bench();
  bench.sink.capacity = 3;
  bench.sink.limit = 2;
  await assertRejects(() => bench.writer.finish(bytesOf("a final reply")), Error, "broken pipe");
  assertEquals(bench.counters.sent, 6);
});
