/**
 * Networks and addresses: `Cidr.parse` and `contains` against the runtime's own reading of addresses.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";
import { Cidr, TrackerError } from "../../../mod.ts";
import type { Random } from "../../support/random.ts";
import { mutateText, simplerTexts } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";

/** A network, and an address that may be in it. */
interface Input {
  readonly network: string;
  readonly address: string;
}

const ADDRESSES = [
  ...["0.0.0.0", "10.0.0.0", "10.255.255.255", "127.0.0.1", "192.168.7.9", "255.255.255.255", "256.0.0.1", "010.0.0.1"],
  ...["::", "::1", "fd00::1", "fe80::1%eth0", "fe80::1%", "2001:db8::8000:0:0", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::"],
  ...["::ffff:10.0.0.1", "::ffff:a00:1", "::10.0.0.1", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4%1"],
  ...["64:ff9b::1.2.3.4", "FFFF::", "1::2::3", "::12345", "1.2.3", "1.2.3.4.5", "1.2.3.4:", "localhost", ""],
];

const WORDS = [
  ".",
  ":",
  "::",
  "/",
  "%",
  "0",
  "00",
  "1",
  "8",
  "96",
  "128",
  "255",
  "256",
  "ffff",
  "::ffff:",
  "\n",
  " ",
  "٣",
];

/** The target for ranges of addresses. */
export const networkTarget: Target<Input> = {
  name: "network",
  covers: ["/lib/auth/cidr.ts"],
  generate(random) {
    const network = `${addressOf(random)}${random.next() < 0.7 ? `/${lengthOf(random)}` : ""}`;
    const [part = ""] = network.split("/");
    return { network, address: random.next() < 0.5 ? part : addressOf(random) };
  },
  mutate({ network, address }, random) {
    if (random.next() < 0.5) return { network: mutateText(network, random, WORDS), address };
    return { network, address: mutateText(address, random, WORDS) };
  },
  check: ({ network, address }, note) => checkNetwork(network, address, note),
  *simpler({ network, address }) {
    for (const simpler of simplerTexts(network)) yield { network: simpler, address };
    for (const simpler of simplerTexts(address)) yield { network, address: simpler };
  },
  write: ({ network, address }) => `${JSON.stringify(network)}\n${JSON.stringify(address)}`,
  read(text) {
    const [network = '""', address = '""'] = text.split("\n");
    return { network: JSON.parse(network), address: JSON.parse(address) };
  },
};

function addressOf(random: Random): string {
  if (random.next() < 0.4) return random.pick(ADDRESSES);
  if (random.next() < 0.5) return Array.from({ length: 4 }, () => random.pick([0, 1, 10, 127, 255])).join(".");
  const groups = Array.from({ length: 8 }, () => random.pick(["0", "0", "1", "ffff", "fd00", "8000"]));
  const at = random.integer(0, 8);
  return random.next() < 0.5 ? groups.join(":") : `${groups.slice(0, at).join(":")}::${groups.slice(at + 2).join(":")}`;
}

function lengthOf(random: Random): string {
  return random.next() < 0.1 ? random.pick(["", "-1", "08", "0128", "x"]) : `${random.integer(0, 130)}`;
}

/** An address as a number. */
interface Numbered {
  readonly bits: 32 | 128;
  readonly number: bigint;
  /** Whether it is an IPv4 address written as an IPv6 address. */
  readonly isMapped: boolean;
}

function checkNetwork(text: string, address: string, note: Note): void {
  const wanted = readNetwork(text);
  let network: Cidr;
  try {
    network = Cidr.parse(text);
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    demand(error.code === "BAD_ARGUMENT", "a refusal is a BAD_ARGUMENT", () => error.code);
    demand(wanted === null, "a valid network is accepted");
    return note("refused");
  }
  demand(wanted !== null, "an invalid network is refused");
  const numbered = numberOf(address);
  const isIn = numbered !== null && isInside(numbered, wanted);
  demand(
    network.contains(address) === isIn,
    "a network contains the addresses that begin with its bits",
    () => `${!isIn}`,
  );
  note(`${wanted.bits} ${wanted.isMapped} ${numbered?.bits} ${isIn}`);
}

function isInside(address: Numbered, network: Numbered & { length: number }): boolean {
  const rest = BigInt(network.bits - network.length);
  return address.bits === network.bits && address.number >> rest === network.number >> rest;
}

/** Reads a network; `null` if it is invalid. An IPv6 network within the addresses of IPv4 is an IPv4 network. */
function readNetwork(text: string): Numbered & { length: number } | null {
  const parts = text.split("/");
  const numbered = numberOf(parts[0]!);
  if (numbered === null || parts.length > 2) return null;
  if (parts.length === 1) return { ...numbered, length: numbered.bits };
  if (!/^[0-9]{1,3}$/.test(parts[1]!)) return null;
  const length = Number(parts[1]) - (numbered.isMapped ? 96 : 0);
  return length >= 0 && length <= numbered.bits ? { ...numbered, length } : null;
}

/** Reads an address: the runtime says what is one, and its URLs write out IPv6 addresses, except for `::`. */
function numberOf(text: string): Numbered | null {
  const [, bare = "", zone] = /^([^%]*)(%[^]*)?$/.exec(text) ?? [];
  if (zone === undefined && isIPv4(bare)) return { bits: 32, number: join(bare.split("."), 10, 8n), isMapped: false };
  if (!isIPv6(bare) || /[\n\r\u2028\u2029]/.test(zone ?? "")) return null;
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = "", tail = ""] = canonical.split("::").map((half) => half.split(":").filter(Boolean).join(":"));
  const [front, back] = [head, tail].map((half) => half === "" ? [] : half.split(":")) as [string[], string[]];
  const number = join([...front, ...Array(8 - front.length - back.length).fill("0"), ...back], 16, 16n);
  if (number >> 32n === 0xffffn) return { bits: 32, number: number & 0xffffffffn, isMapped: true };
  return { bits: 128, number, isMapped: false };
}

function join(parts: readonly string[], radix: number, width: bigint): bigint {
  return parts.reduce((sum, part) => sum << width | BigInt(Number.parseInt(part, radix)), 0n);
}
