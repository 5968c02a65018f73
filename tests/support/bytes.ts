import { toBytes } from "../../lib/base/bytes.ts";
import { concat } from "../../lib/cli/std.ts";
import type { Duplex } from "../../lib/transport/duplex.ts";

export { writeAll as writeFully } from "../../lib/transport/duplex.ts";

const decoder = new TextDecoder();

/** Joins bytes given as numbers, text or arrays. */
export function bytesOf(...parts: (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return concat(parts.map((part) => {
    return typeof part === "number" ? Uint8Array.of(part) : toBytes(part);
  }));
}

/** Parses bytes from hexadecimal text, ignoring blanks and lines that begin with `#`. */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/^#.*$/gm, "").replace(/\s+/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Decodes UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Encodes a length in eight bytes, as in the wide and java dialects. */
export function longLength(length: number | bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length));
  return bytes;
}

/** Cuts bytes in every way a network may: whole, byte by byte, and in two at each position. */
export function* everyDelivery(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
}

/** Reads exactly `length` bytes, or fewer if the stream ends first. */
export async function readExactly(duplex: Duplex, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let received = 0;
  while (received < length) {
    const count = await duplex.read(bytes.subarray(received));
    if (count === null) break;
    received += count;
  }
  return bytes.slice(0, received);
}

/** Reads until the stream ends. */
export async function readToEnd(duplex: Duplex): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await duplex.read(buffer);
    if (count === null) return concat(parts);
    parts.push(buffer.slice(0, count));
  }
}
