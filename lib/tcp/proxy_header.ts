/**
 * The header with which a proxy says where a connection comes from: the PROXY protocol, versions 1 and 2.
 *
 * @module
 */

import { Cidr } from "../auth/cidr.ts";
import { toText } from "../base/bytes.ts";

/** Most bytes of a header of version 1, with the end of its line. */
const LONGEST_LINE = 107;

/** Most bytes of a header of version 2: addresses of every kind, and some room for what proxies add. */
const LONGEST_BINARY = 2_048;

/** Most bytes of any header. */
export const LONGEST_HEADER: number = LONGEST_BINARY;

/** How a header of version 2 begins; that of version 1 begins with {@linkcode WORD}. */
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);

/** Bytes of a header of version 2 before the addresses. */
const BINARY_START = 16;

const WORD = "PROXY ";

/** What a header says. */
export interface ProxyHeader {
  /** Its size in bytes: what the client itself has sent comes behind it. */
  readonly length: number;
  /** Where the client is; `null` where the proxy speaks for itself, or does not know. */
  readonly source: { readonly hostname: string; readonly port: number } | null;
}

/**
 * Parses a header.
 *
 * @param bytes What the connection begins with
 * @returns The header; `"more"` if it is not complete yet, `"invalid"` if it is none
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | "more" | "invalid" {
  const first = bytes[0];
  if (first === undefined) return "more";
  return first === SIGNATURE[0] ? parseBinary(bytes) : parseLine(bytes);
}

function parseLine(bytes: Uint8Array): ProxyHeader | "more" | "invalid" {
  const text = toText(bytes.subarray(0, LONGEST_LINE));
  if (!text.startsWith(WORD.slice(0, text.length))) return "invalid";
  const end = text.indexOf("\r\n");
  if (end === -1) return bytes.length < LONGEST_LINE ? "more" : "invalid";
  const length = end + 2;
  const [, family, ...rest] = text.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { length, source: null };
  const [hostname = "", target = "", port = "", targetPort = ""] = rest;
  const isComplete = rest.length === 4 && isAddress(family, hostname) && isAddress(family, target);
  if (!isComplete || !isPort(port) || !isPort(targetPort)) return "invalid";
  return { length, source: { hostname, port: Number(port) } };
}

function isAddress(family: string | undefined, text: string): boolean {
  if (family !== (text.includes(":") ? "TCP6" : "TCP4") || text.includes("/")) return false;
  try {
    return Cidr.parse(text) !== null;
  } catch {
    return false;
  }
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** Families of addresses in version 2: the byte that names them, and the size of one address. */
const FAMILIES = new Map([[0x11, 4], [0x21, 16]]);

function parseBinary(bytes: Uint8Array): ProxyHeader | "more" | "invalid" {
  const start = bytes.subarray(0, SIGNATURE.length);
  if (start.some((byte, at) => byte !== SIGNATURE[at])) return "invalid";
  if (bytes.length < BINARY_START) return "more";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [version, command] = [view.getUint8(12) >>> 4, view.getUint8(12) & 15];
  const length = BINARY_START + view.getUint16(14);
  if (version !== 2 || command > 1 || length > LONGEST_BINARY) return "invalid";
  if (bytes.length < length) return "more";
  const size = FAMILIES.get(view.getUint8(13));
  // The proxy itself wants to know something, or the client is not at an address of IP.
  if (command === 0 || size === undefined) return { length, source: null };
  if (length < BINARY_START + 2 * size + 4) return "invalid";
  const hostname = hostnameOf(bytes.subarray(BINARY_START, BINARY_START + size));
  return { length, source: { hostname, port: view.getUint16(BINARY_START + 2 * size) } };
}

function hostnameOf(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups = address.toHex().match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
