import { assertEquals, assertStrictEquals } from "@std/assert";
import { ByteBuffer } from "../../lib/base/byte_buffer.ts";

Deno.test("a byte buffer gathers copies of what is appended, however far it must grow", () => {
  const buffer = new ByteBuffer(2);
  const expected: number[] = [];
  for (let length = 0; length < 20; length++) {
    const part = Uint8Array.from({ length }, (_, at) => length * 10 + at);
    buffer.append(part);
    expected.push(...part);
    part.fill(0);
    assertEquals([...buffer.gathered], expected);
    assertEquals(buffer.length, expected.length);
  }
});

Deno.test("a byte buffer grows at least to double its size, and to what one part needs", () => {
  const buffer = new ByteBuffer(4);
  buffer.append(new Uint8Array(4));
  assertEquals(buffer.bytes.length, 4);
  buffer.append(new Uint8Array(1));
  assertEquals(buffer.bytes.length, 8);
  buffer.append(new Uint8Array(95));
  assertEquals(buffer.bytes.length, 100);
});

Deno.test("a byte buffer that is reset gathers in the same memory, and keeps its view while the length stays", () => {
  const buffer = new ByteBuffer(8);
  buffer.append(Uint8Array.of(1, 2, 3));
  const { bytes, gathered } = buffer;
  buffer.length = 0;
  assertEquals(buffer.gathered.length, 0);
  buffer.append(Uint8Array.of(4, 5, 6));
  assertStrictEquals(buffer.bytes, bytes);
  assertEquals([...gathered], [4, 5, 6]);
  assertStrictEquals(buffer.gathered, buffer.gathered);
});

Deno.test("a byte buffer's view is of the memory it grew into", () => {
  const buffer = new ByteBuffer(2);
  buffer.append(Uint8Array.of(1, 2));
  assertEquals([...buffer.gathered], [1, 2]);
  buffer.reserve(100);
  buffer.bytes[0] = 7;
  assertEquals([...buffer.gathered], [7, 2]);
});
