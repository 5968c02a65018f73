/**
 * Networks: ranges of addresses, as `10.0.0.0/8` or `fd00::/8` name them.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** Bits of an address of IPv4. */
const IPV4_BITS = 32;

/** Bits in front of it where it is written as one of IPv6, as in `::ffff:10.0.0.1`. */
const MAPPED_BITS = 96;

/** A range of addresses. */
export class Cidr {
  readonly #bytes: Uint8Array;
  readonly #bits: number;

  /** @internal {@linkcode Cidr.parse} makes it. */
  private constructor(bytes: Uint8Array, bits: number) {
    this.#bytes = bytes;
    this.#bits = bits;
  }

  /**
   * Reads a network in CIDR notation; an address alone is a network of one.
   *
   * @param text Such as `192.168.0.0/16`, `::1` or `fd00::/8`
   * @returns The network
   * @throws {TrackerError} BAD_ARGUMENT when it is none
   *
   * @example Who is at home
   * ```ts
   * import { Cidr } from "@tracker/tracker";
   * import { assert } from "@std/assert";
   *
   * const home = Cidr.parse("192.168.0.0/16");
   * assert(home.contains("192.168.7.9"));
   * assert(home.contains("::ffff:192.168.7.9"));
   * assert(!home.contains("10.0.0.1"));
   * ```
   */
  static parse(text: string): Cidr {
    const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const bytes = parseAddress(address);
    const most = (bytes?.length ?? 0) * 8;
    // One of IPv4 that is written as one of IPv6 has that one's first bits in front, and they count.
    const before = most === IPV4_BITS && address.includes(":") ? MAPPED_BITS : 0;
    const bits = length === undefined ? most : Number(length) - before;
    if (bytes === null || bits < 0 || bits > most) {
      throw new TrackerError("BAD_ARGUMENT", `Cannot read network: ${text} is not an address or ADDRESS/BITS`);
    }
    return new Cidr(bytes, bits);
  }

  /**
   * Whether an address is in the network. An address of IPv4 that is written as one of IPv6 counts as IPv4.
   *
   * @param address The address
   * @returns `true` when it is
   */
  contains(address: string): boolean {
    const bytes = parseAddress(address);
    if (bytes === null || bytes.length !== this.#bytes.length) return false;
    for (let bit = 0; bit < this.#bits; bit += 8) {
      const mask = 0xff00 >>> Math.min(8, this.#bits - bit) & 0xff;
      if (((bytes[bit / 8]! ^ this.#bytes[bit / 8]!) & mask) !== 0) return false;
    }
    return true;
  }
}

/** The bytes of an address: 4 or 16 of them, `null` when it is none. */
function parseAddress(text: string): Uint8Array | null {
  if (!text.includes(":")) return parseIpv4(text);
  // A zone, as in fe80::1%eth0, says by which interface the address is reached, and is no part of it.
  const bytes = parseIpv6(text.replace(/%.*$/, ""));
  const isMapped = bytes !== null && bytes.subarray(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff));
  return isMapped ? bytes.slice(12) : bytes;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  // A zero in front is refused: to some programs 010 is 10, to others 8.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | null {
  const last = text.slice(text.lastIndexOf(":") + 1);
  if (last.includes(".")) {
    const tail = parseIpv4(last);
    if (tail === null) return null;
    const groups = [tail[0]! << 8 | tail[1]!, tail[2]! << 8 | tail[3]!].map((group) => group.toString(16));
    return parseIpv6(text.slice(0, -last.length) + groups.join(":"));
  }
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}
