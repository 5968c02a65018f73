import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { lineUp } from "../../.release/page_size.ts";

const LARGEST_PAGE = 0x1_0000;
const LOAD = 1;
const NOTE = 4;

interface Segment {
  type: number;
  offset: number;
  address: number;
  content: string;
}

/** Where the appended part begins: aligned to 4 KiB only, at the address that is its offset. */
const APPENDED = 0x1_3000;

/**
 * Makes a file as `deno compile` does: a program, followed by the table of segments, a note and the table of sections.
 */
function compiled(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(APPENDED + 0x400);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const note = APPENDED + 3 * 56;
  const sections = note + 16;
  view.setBigUint64(32, BigInt(APPENDED), true);
  view.setBigUint64(40, BigInt(sections), true);
  view.setUint16(56, 3, true);
  view.setUint16(60, 3, true);
  [[LOAD, 0, 0x1_2ef8], [LOAD, APPENDED, 3 * 56 + 16], [NOTE, note, 16]].forEach(([type, offset, size], index) => {
    const at = APPENDED + index * 56;
    view.setUint32(at, type!, true);
    for (const field of [8, 16, 24]) view.setBigUint64(at + field, BigInt(offset!), true);
    for (const field of [32, 40]) view.setBigUint64(at + field, BigInt(size!), true);
    view.setBigUint64(at + 48, type === LOAD ? 0x1000n : 4n, true);
  });
  // A section of the program, one of the appended part, and one that is not loaded and so has no address.
  [[0x100, 0x100], [note, note], [0, sections]].forEach(([address, offset], index) => {
    view.setBigUint64(sections + index * 64 + 16, BigInt(address!), true);
    view.setBigUint64(sections + index * 64 + 24, BigInt(offset!), true);
  });
  bytes.set(new TextEncoder().encode("program's bytes."), 0x100);
  bytes.set(new TextEncoder().encode("what is appended"), note);
  return bytes;
}

function numberAt(bytes: Uint8Array<ArrayBuffer>, at: number): number {
  return Number(new DataView(bytes.buffer).getBigUint64(at, true));
}

function segmentsOf(bytes: Uint8Array<ArrayBuffer>): Segment[] {
  const table = numberAt(bytes, 32);
  return [0, 1, 2].map((index) => {
    const at = table + index * 56;
    const offset = numberAt(bytes, at + 8);
    return {
      type: new DataView(bytes.buffer).getUint32(at, true),
      offset,
      address: numberAt(bytes, at + 16),
      content: new TextDecoder().decode(bytes.subarray(offset, offset + 16)),
    };
  });
}

/** Returns the address and content of each section. */
function sectionsOf(bytes: Uint8Array<ArrayBuffer>): [number, string][] {
  const table = numberAt(bytes, 40);
  return [0, 1].map((index) => {
    const offset = numberAt(bytes, table + index * 64 + 24);
    return [
      numberAt(bytes, table + index * 64 + 16),
      new TextDecoder().decode(bytes.subarray(offset, offset + 16)),
    ];
  });
}

Deno.test("the appended part shares no page with the rest, however large pages are", () => {
  const [own, appended, note] = segmentsOf(lineUp(compiled()));
  assertEquals(own?.offset, 0);
  assertEquals([appended?.offset, appended?.address], [0x2_0000, 0x2_0000]);
  assertEquals(appended!.address % LARGEST_PAGE, 0);
  assertEquals([note?.type, note?.content], [NOTE, "what is appended"]);
  // In memory, the note is at the address of its segment.
  assertEquals(note!.address - appended!.address, note!.offset - appended!.offset);
});

Deno.test("an aligned program keeps its contents, and its sections are at their offsets", () => {
  const before = compiled();
  const after = lineUp(before);
  assertEquals(after.length, before.length + 0xd000);
  assertEquals(sectionsOf(after), [[0x100, "program's bytes."], [0x2_0000 + 3 * 56, "what is appended"]]);
  // The section that is not loaded still has no address.
  assertEquals(numberAt(after, numberAt(after, 40) + 2 * 64 + 16), 0);
  // Between the header's two offsets and the appended part, nothing changes.
  assertEquals(after.subarray(48, APPENDED), before.subarray(48, APPENDED));
});

Deno.test("a program that is already aligned is unchanged", () => {
  const after = lineUp(compiled());
  assertStrictEquals(lineUp(after), after);
});

Deno.test("a file that is not a Linux program is refused", () => {
  assertThrows(() => lineUp(new TextEncoder().encode("MZ and so on")), Error, "no 64-bit ELF file");
  assertThrows(() => lineUp(new Uint8Array()), Error, "no 64-bit ELF file");
});
