import { assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { Pool } from "../../lib/base/pool.ts";
import { BUSY_BUFFER, QUIET_BUFFER, ReadBuffer } from "../../lib/server/read_buffer.ts";

/** A buffer with pools of its own, and what a connection does with it. */
class Bench {
  readonly pools = {
    quietBuffers: new Pool(4, () => new Uint8Array(QUIET_BUFFER)),
    busyBuffers: new Pool(4, () => new Uint8Array(BUSY_BUFFER)),
  };
  readonly buffer = new ReadBuffer(this.pools);
  #next = 0;

  get size(): number {
    return this.buffer.bytes.length;
  }

  /** Reads as many bytes as asked for and fit, each one more than the one before. */
  read(count = Infinity): void {
    const { room } = this.buffer;
    const read = Math.min(count, room.length);
    for (let i = 0; i < read; i++) room[i] = this.#next++;
    this.buffer.to += read;
  }

  /** Parses bytes, and makes the buffer fit for the rest. */
  parse(count: number, needed = 0): number {
    this.buffer.from += count;
    this.buffer.compact(needed, this.pools);
    return this.buffer.to;
  }

  /** Parses all bytes that have arrived. */
  parseAll(): void {
    assertEquals(this.parse(this.buffer.to - this.buffer.from), 0);
  }

  /** Fills the buffer until it is a busy one. */
  growBusy(): void {
    while (this.size < BUSY_BUFFER) {
      this.read();
      this.parseAll();
    }
  }

  /** Expects what is not parsed to be the bytes read last. */
  expectRest(length: number): void {
    const { bytes, from, to } = this.buffer;
    const expected = Uint8Array.from({ length }, (_, index) => this.#next - length + index);
    assertEquals(bytes.slice(from, to), expected);
  }
}

Deno.test("a read buffer begins small and empty", () => {
  const bench = new Bench();
  assertEquals(bench.size, QUIET_BUFFER);
  assertStrictEquals(bench.buffer.room, bench.buffer.bytes);
});

Deno.test("room is what follows the bytes that have arrived", () => {
  const bench = new Bench();
  bench.read(100);
  const { room } = bench.buffer;
  assertEquals([room.byteOffset, room.length], [100, QUIET_BUFFER - 100]);
});

Deno.test("compacting moves what is not parsed to the front, and returns its length", () => {
  const bench = new Bench();
  bench.read(100);
  assertEquals(bench.parse(60), 40);
  assertEquals([bench.buffer.from, bench.buffer.to], [0, 40]);
  bench.expectRest(40);
  bench.read(10);
  bench.expectRest(50);
});

Deno.test("reads that fill the buffer make it grow, up to a busy buffer", () => {
  const bench = new Bench();
  const sizes: number[] = [];
  for (let round = 0; round < 5; round++) {
    bench.read();
    bench.parseAll();
    sizes.push(bench.size);
  }
  assertEquals(sizes, [4_096, 32_768, BUSY_BUFFER, BUSY_BUFFER, BUSY_BUFFER]);
});

Deno.test("a buffer that grows keeps what is not parsed", () => {
  const bench = new Bench();
  for (let round = 0; round < 4; round++) {
    bench.read();
    assertEquals(bench.parse(bench.buffer.to - 7), 7);
    bench.expectRest(7);
  }
  assertEquals(bench.size, BUSY_BUFFER);
});

Deno.test("a read that leaves room makes the buffer small again", () => {
  const bench = new Bench();
  bench.growBusy();
  bench.read(BUSY_BUFFER - 1);
  assertEquals(bench.parse(BUSY_BUFFER - 10), 9);
  bench.expectRest(9);
  assertEquals(bench.size, QUIET_BUFFER);
});

Deno.test("a rest too long for a small buffer keeps twice its length at most", () => {
  const bench = new Bench();
  bench.growBusy();
  bench.read(10_000);
  assertEquals(bench.parse(9_000), 1_000);
  assertEquals(bench.size, 2_000);
  bench.expectRest(1_000);
});

Deno.test("a long message gets room as it arrives, and never more than one byte beyond its end", () => {
  const bench = new Bench();
  const needed = 3_000;
  const sizes: number[] = [];
  for (let arrived = 0; arrived < needed;) {
    const { room } = bench.buffer;
    const count = Math.min(room.length, needed - arrived);
    bench.read(count);
    arrived += count;
    if (arrived === needed) break;
    bench.parse(0, needed);
    assertLessOrEqual(bench.size, 2 * arrived);
    sizes.push(bench.size);
  }
  assertEquals(sizes, [1_024, 2_048, needed + 1]);
  bench.expectRest(needed);
  bench.parseAll();
  assertEquals(bench.size, QUIET_BUFFER);
});

Deno.test("a message longer than a busy buffer gets a larger one", () => {
  const bench = new Bench();
  bench.growBusy();
  bench.read();
  assertEquals(bench.parse(0, 2 ** 20), BUSY_BUFFER);
  assertEquals(bench.size, 2 * BUSY_BUFFER);
  bench.expectRest(BUSY_BUFFER);
});

Deno.test("a buffer that is replaced returns to its pool", () => {
  const bench = new Bench();
  const quiet = bench.buffer.bytes;
  bench.read();
  bench.parseAll();
  assertStrictEquals(bench.pools.quietBuffers.take(), quiet);
});

Deno.test("a busy buffer is on loan until a read leaves room in it", () => {
  const bench = new Bench();
  bench.growBusy();
  const busy = bench.buffer.bytes;
  bench.read(1);
  bench.parseAll();
  assertStrictEquals(bench.pools.busyBuffers.take(), busy);
});

Deno.test("releasing returns the buffer to its pool, unless it was made for one message", () => {
  const bench = new Bench();
  const quiet = bench.buffer.bytes;
  bench.buffer.release(bench.pools);
  assertStrictEquals(bench.pools.quietBuffers.take(), quiet);
  const other = new ReadBuffer(bench.pools);
  other.to = QUIET_BUFFER;
  other.compact(600, bench.pools);
  assertEquals(other.bytes.length, 601);
  const given = [bench.pools.quietBuffers.take(), bench.pools.busyBuffers.take()].map(({ length }) => length);
  other.release(bench.pools);
  assertEquals(given, [QUIET_BUFFER, BUSY_BUFFER]);
  assertEquals(bench.pools.quietBuffers.take().length, QUIET_BUFFER);
  assertEquals(bench.pools.busyBuffers.take().length, BUSY_BUFFER);
});
