/**
 * Makes a compiled program for Linux load where memory has pages of more than 4 KiB.
 *
 * `deno compile` appends its data to a program that Deno provides, as one more segment, which it lines up to 4 KiB. On
 * the 16 KiB pages of a Raspberry Pi 5 that segment shares a page with the one before it, and the system, which can
 * only map whole pages, puts one over the other: the program is killed before its first instruction. Deno's own
 * segments are lined up to 64 KiB, the largest page there is. Here the same is done for the appended one.
 *
 * @module
 */

import { ReleaseError } from "./release_error.ts";

/** The largest page of a 64-bit Arm processor, to which linkers for it line up segments. */
const LARGEST_PAGE = 0x1_0000n;

/** Where the fields are in the header of a 64-bit ELF file, and in the entries of its two tables. */
const HEADER = { programTable: 32, sectionTable: 40, programCount: 56, sectionCount: 60, size: 64 } as const;
const PROGRAM = { type: 0, offset: 8, address: 16, physical: 24, align: 48, size: 56 } as const;
const SECTION = { address: 16, offset: 24, size: 64 } as const;

const LOAD = 1;

/**
 * Moves what `deno compile` has appended to the next boundary of the largest page.
 *
 * @param program A 64-bit, little-endian ELF file, whose table of segments is the first thing that was appended
 * @returns The same program, at most 64 KiB longer; the very same bytes if nothing has to move
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
  // A linker puts the table right behind the header: then nothing was appended in the way that this is about.
  if (by === 0n || from === BigInt(HEADER.size)) return program;
  const moved = insert(program, Number(from), Number(by));
  shift(new DataView(moved.buffer), from, by);
  return moved;
}

/**
 * Does so with a file.
 *
 * @param path A program that `deno compile` has made for Linux
 * @throws {ReleaseError} when it is none
 */
export async function lineUpFile(path: string): Promise<void> {
  const program = await Deno.readFile(path);
  const linedUp = lineUp(program);
  // The file stays the same one, and executable.
  if (linedUp !== program) await Deno.writeFile(path, linedUp);
}

function insert(bytes: Uint8Array, at: number, count: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(bytes.length + count);
  longer.set(bytes.subarray(0, at));
  longer.set(bytes.subarray(at), at + count);
  return longer;
}

/** Corrects every place that names an offset which has moved, and the address that goes with it. */
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
