/**
 * Bytes: what every room needs, and the core may not take from a package.
 *
 * @module
 */

/** No bytes. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

const encoder = new TextEncoder();

/** A state or an identifier may begin with a byte order mark like any other character. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Encodes text as UTF-8, and leaves bytes as they are.
 *
 * @param content Text or bytes
 * @returns Bytes; the same ones if it was given some
 */
export function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? encoder.encode(content) : content;
}

/**
 * Decodes UTF-8.
 *
 * @param bytes The bytes
 * @returns The text, with U+FFFD for what is not UTF-8
 */
export function toText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * Compares two byte sequences.
 *
 * @param one The first
 * @param other The second
 * @returns Whether they have the same bytes
 */
export function equals(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/**
 * Compares a guess with a secret in a time that depends on the secret's length alone: it tells nothing of how much of
 * the guess was right.
 *
 * @param guess What was given
 * @param secret What it must be
 * @returns Whether they have the same bytes
 */
export function timingSafeEqual(guess: Uint8Array, secret: Uint8Array): boolean {
  let difference = guess.length ^ secret.length;
  for (let i = 0; i < secret.length; i++) difference |= (guess[i] ?? 0) ^ (secret[i] ?? 0);
  return difference === 0;
}

/**
 * Writes an unsigned 64-bit integer, big-endian.
 *
 * @param target Where to, with 8 bytes of room
 * @param at The offset of the first byte
 * @param value An integer of up to 53 bits
 * @returns The offset after it
 */
export function writeU64(target: Uint8Array, at: number, value: number): number {
  // A shift of 32 bits does nothing, so the upper half comes by division.
  const high = Math.floor(value / 2 ** 32);
  target[at] = high >>> 24;
  target[at + 1] = high >>> 16;
  target[at + 2] = high >>> 8;
  target[at + 3] = high;
  target[at + 4] = value >>> 24;
  target[at + 5] = value >>> 16;
  target[at + 6] = value >>> 8;
  target[at + 7] = value;
  return at + 8;
}

/**
 * Reads an unsigned 64-bit integer, big-endian, exactly.
 *
 * @param source Where from, with 8 bytes there
 * @param at The offset of the first byte
 * @returns The integer
 */
export function readU64(source: Uint8Array, at: number): bigint {
  return new DataView(source.buffer, source.byteOffset).getBigUint64(at);
}

/**
 * Makes a string that cannot be guessed.
 *
 * @param length How many random bytes are in it
 * @returns Two hexadecimal digits for each
 */
export function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
