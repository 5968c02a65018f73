import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { EMPTY, equals, readU64, timingSafeEqual, toBytes, writeU64 } from "../../lib/base/bytes.ts";

Deno.test("toBytes encodes text as UTF-8 and returns bytes as they are", () => {
  const bytes = Uint8Array.of(1, 2);
  assertStrictEquals(toBytes(bytes), bytes);
  assertEquals(toBytes("ä€🦕"), Uint8Array.of(0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xa6, 0x95));
  assertEquals(toBytes("").length, 0);
});

for (const compare of [equals, timingSafeEqual]) {
  Deno.test(`${compare.name} compares bytes and lengths`, () => {
    const bytes = Uint8Array.of(1, 0, 255);
    assert(compare(bytes, bytes.slice()));
    assert(compare(EMPTY, EMPTY));
    for (const other of [[1, 0, 254], [2, 0, 255], [1, 0], [1, 0, 255, 0], []]) {
      assert(!compare(bytes, Uint8Array.from(other)), `${other}`);
      assert(!compare(Uint8Array.from(other), bytes), `${other}`);
    }
  });
}

Deno.test("writeU64 writes integers of up to 53 bits big-endian, and readU64 reads them back", () => {
  for (const value of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER]) {
    const target = new Uint8Array(12).fill(0xaa);
    assertEquals(writeU64(target, 2, value), 10);
    assertEquals(new DataView(target.buffer).getBigUint64(2), BigInt(value));
    assertEquals([target[1], target[10]], [0xaa, 0xaa]);
    // Also from bytes that do not start where their buffer does.
    assertEquals(readU64(target.subarray(1), 1), BigInt(value));
  }
});

Deno.test("readU64 reads all 64 bits", () => {
  assertEquals(readU64(new Uint8Array(8).fill(0xff), 0), 2n ** 64n - 1n);
});
