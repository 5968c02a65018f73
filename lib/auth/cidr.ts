/**
 * Ranges of IP addresses in CIDR notation, such as `10.0.0.0/8` or `fd00::/8`.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** Bits of an IPv4 address. */
const IPV4_BITS = 32;

/** Bits in front of an IPv4 address that is mapped to IPv6, as in `::ffff:10.0.0.1`. */
const MAPPED_BITS = 96;

/** 16-bit groups of an IPv6 address. */
const IPV6_GROUPS = 8;

/** A range of IP addresses. */
export class Cidr {
  readonly #bytes: Uint8Array;
  readonly #bits: number;

  /** @internal Made by {@linkcode Cidr.parse}. */
  private constructor(bytes: Uint8Array, bits: number) {
    this.#bytes = bytes;
    this.#bits = bits;
  }

  /**
   * Parses a range in CIDR notation; a single address is a range of one.
   *
   * @param text A range such as `192.168.0.0/16`, `::1` or `fd00::/8`
   * @returns The range
   * @throws {TrackerError} BAD_ARGUMENT if the text is not a range
   *
   * @example Addresses of a home network
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
    const maxBits = (bytes?.length ?? 0) * 8;
    // The length of a mapped IPv4 range counts the bits in front of the address.
    const mappedBits = maxBits === IPV4_BITS && address.includes(":") ? MAPPED_BITS : 0;
    const bits = length === undefined ? maxBits : Number(length) - mappedBits;
    if (bytes === null || bits < 0 || bits > maxBits) {
      throw new TrackerError("BAD_ARGUMENT", `Cannot read network: ${text} is not an address or ADDRESS/BITS`);
    }
    return new Cidr(bytes, bits);
  }

  /**
   * Checks whether an address is in the range. An IPv4 address mapped to IPv6 counts as IPv4.
   *
   * @param address The address
   * @returns Whether it is in the range
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

/** Bits of an IPv6 address that its owner cannot choose: each customer of a network gets at least all that follow. */
const SITE_BITS = 64;

/**
 * Finds whom an address counts for, where addresses are counted: of IPv6 everybody has more than can be counted.
 *
 * @param address The address
 * @returns The same for all addresses of one owner: of IPv6 the first 64 bits, such as `2001:db8:0:1::/64`
 */
export function siteOf(address: string): string {
  if (!address.includes(":")) return address;
  const bytes = parseAddress(address);
  if (bytes === null) return address;
  if (bytes.length * 8 === IPV4_BITS) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < SITE_BITS / 8; at += 2) groups.push((bytes[at]! << 8 | bytes[at + 1]!).toString(16));
  return `${groups.join(":")}::/${SITE_BITS}`;
}

/** Parses an address to its 4 or 16 bytes; `null` if it is invalid. */
function parseAddress(text: string): Uint8Array | null {
  if (!text.includes(":")) return parseIpv4(text);
  // A zone, as in fe80::1%eth0, names the interface that reaches the address, and is no part of it.
  const bytes = parseIpv6(text.replace(/%.*$/, ""));
  return bytes !== null && isMapped(bytes) ? bytes.slice(MAPPED_BITS / 8) : bytes;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  // A leading zero is refused: some programs take 010 for 10, others for 8.
  const isValid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isValid ? Uint8Array.from(parts, Number) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const groups = expandZeros(hexTail(text));
  if (groups === null || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}

/** Rewrites an IPv4 address at the end, as in `::ffff:10.0.0.1`, to two groups. */
function hexTail(text: string): string {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  const bytes = parseIpv4(tail);
  if (bytes === null) return text;
  const groups = [bytes[0]! << 8 | bytes[1]!, bytes[2]! << 8 | bytes[3]!].map((group) => group.toString(16));
  return text.slice(0, -tail.length) + groups.join(":");
}

/** Splits an IPv6 address into groups, with the zeros that `::` stands for; `null` if their number is wrong. */
function expandZeros(text: string): string[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...Array<string>(missing).fill("0"), ...tail];
}

/** Whether an IPv6 address begins with the bits of a mapped IPv4 one. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, MAPPED_BITS / 8).every((byte, index) => byte === (index < 10 ? 0 : 0xff));
}
