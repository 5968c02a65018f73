/**
 * Makes a compiled program for Linux load where memory has pages of more than 4 KiB.
 *
 * `deno compile` appends its data to a program that Deno provides, as one more segment, which it aligns to 4 KiB. On the
 * 16 KiB pages of a Raspberry Pi 5 that segment shares a page with the one before it. The system can only map whole
 * pages, so one overwrites the other, and the program is killed before its first instruction. Deno's own segments are
 * aligned to 64 KiB, the largest page there is. This does the same for the appended one.
 *
 * @module
 */

import { concat } from "../lib/cli/std.ts";
import { ReleaseError } from "./release_error.ts";

/** The largest page of a 64-bit Arm processor, to which its linkers align segments. */
const LARGEST_PAGE = 0x1_0000n;

/** The offsets of fields in the header of a 64-bit ELF file, and in the entries of its two tables. */
const HEADER = { programTable: 32, sectionTable: 40, programCount: 56, sectionCount: 60, size: 64 } as const;
const PROGRAM = { type: 0, offset: 8, address: 16, physical: 24, align: 48, size: 56 } as const;
const SECTION = { address: 16, offset: 24, size: 64 } as const;

const LOAD = 1;

/**
 * Aligns what `deno compile` has appended to the largest page.
 *
 * @param program A 64-bit, little-endian ELF file, whose table of segments is the first thing that was appended
 * @returns The program, at most 64 KiB longer; the very same array if nothing has to move
 * @throws {ReleaseError} when it is no such file
 */
export function lineUp(program: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  // 0x7f "ELF", 64 bits, little-endian.
  if (![0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, at) => program[at] === byte)) {
    throw new ReleaseError("Cannot line up segments: this is no 64-bit ELF file");
  }
  const from = new DataView(program.buffer, program.byteOffset, program.byteLength).getBigUint64(
    HEADER.programTable,
    true,
  );
  const by = (LARGEST_PAGE - from % LARGEST_PAGE) % LARGEST_PAGE;
  // A linker puts the table right behind the header: then nothing was appended in this way.
  if (by === 0n || from === BigInt(HEADER.size)) return program;
  const at = Number(from);
  const moved = concat([program.subarray(0, at), new Uint8Array(Number(by)), program.subarray(at)]);
  shift(new DataView(moved.buffer), from, by);
  return moved;
}

/**
 * Aligns what was appended to a file, as {@linkcode lineUp} does.
 *
 * @param path A program for Linux, made by `deno compile`
 * @throws {ReleaseError} when it is no such program
 */
export async function lineUpFile(path: string): Promise<void> {
  const program = await Deno.readFile(path);
  const linedUp = lineUp(program);
  // Overwriting the file keeps it executable.
  if (linedUp !== program) await Deno.writeFile(path, linedUp);
}

/** Corrects every offset that has moved, and the address that goes with it. */
function shift(view: DataView, from: bigint, by: bigint): void {
  const raise = (at: number) => view.setBigUint64(at, view.getBigUint64(at, true) + by, true);
  const isBehind = (at: number) => view.getBigUint64(at, true) >= from;
  for (const table of [HEADER.programTable, HEADER.sectionTable]) if (isBehind(table)) raise(table);
  for (const entry of entries(view, HEADER.programTable, HEADER.programCount, PROGRAM.size)) {
    if (!isBehind(entry + PROGRAM.offset)) continue;
    for (const field of [PROGRAM.offset, PROGRAM.address, PROGRAM.physical]) raise(entry + field);
    if (view.getUint32(entry + PROGRAM.type, true) === LOAD) {
      view.setBigUint64(entry + PROGRAM.align, LARGEST_PAGE, true);
    }
  }
  for (const entry of entries(view, HEADER.sectionTable, HEADER.sectionCount, SECTION.size)) {
    if (!isBehind(entry + SECTION.offset)) continue;
    raise(entry + SECTION.offset);
    // A section that is not loaded has no address.
    if (view.getBigUint64(entry + SECTION.address, true) !== 0n) raise(entry + SECTION.address);
  }
}

function* entries(view: DataView, table: number, count: number, size: number): Generator<number> {
  const start = Number(view.getBigUint64(table, true));
  for (let index = 0; index < view.getUint16(count, true); index++) yield start + index * size;
}
