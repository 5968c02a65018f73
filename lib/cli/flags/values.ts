/**
 * The kinds of values of flags: each function is a parser, or makes one.
 *
 * @module
 */

import { LONGEST_TIMEOUT } from "../../base/deadlines.ts";
import { Cidr } from "../../auth/cidr.ts";
import { NAME_PATTERN } from "../../protocol.ts";
import { nearestName, parseAs, quote, UsageError } from "./usage.ts";

const HIGHEST_PORT = 65_535;

/** The address of a server. */
export interface Address {
  /** A name or an address; IPv6 without brackets. */
  readonly hostname: string;
  /** The port; `null` when none was written. */
  readonly port: number | null;
}

/**
 * Makes a parser of integers in a range: digits and nothing else.
 *
 * @param low The lowest accepted
 * @param high The highest accepted
 * @returns The parser
 */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number.parseInt(text, 10) : NaN;
    if (value >= low && value <= high) return value;
    throw new UsageError(`must be an integer from ${low} to ${high}, not ${quote(text)}`);
  };
}

/** The part of a flag that is special to a choice among words. */
export interface Choice<Word extends string> {
  /** The words accepted. */
  readonly choices: readonly Word[];
  /** Parses one of them. */
  readonly parse: (text: string) => Word;
}

/**
 * Makes the part of a flag that is special to a choice among words.
 *
 * @param words The words accepted
 * @returns The words and their parser, to be spread into the flag
 */
export function choice<Word extends string>(words: readonly Word[]): Choice<Word> {
  const parse = (text: string) => {
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    throw new UsageError(`must be one of ${words.join(", ")}, not ${quote(text)}`, nearestName(text, words));
  };
  return { choices: words, parse };
}

/**
 * Makes a parser of words of a list, separated by commas.
 *
 * @param known The words accepted
 * @returns The parser
 */
export function words<Word extends string>(known: readonly Word[]): (text: string) => Word[] {
  const { parse } = choice(known);
  return (text) => text.split(",").map((word) => parse(word.trim()));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Parses a duration: `500ms`, `10s`, `1.5m`, `1h`, or a bare number of seconds.
 *
 * @param text What was written
 * @returns Milliseconds; 0 stands for "off"
 */
export function duration(text: string): number {
  const [, amount = "", unit = "s"] = /^([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h)?$/.exec(text) ?? [];
  const milliseconds = Number.parseFloat(amount) * (UNITS[unit] ?? NaN);
  const whole = Math.round(milliseconds);
  // Binary fractions are off by a hair: 1.005 seconds are 1004.9999999999999 milliseconds.
  if (Math.abs(milliseconds - whole) < 1e-3 && whole <= LONGEST_TIMEOUT) return whole;
  throw new UsageError(`must be a duration such as 10s, 500ms or 1m (0 is off, at most 24 days), not ${quote(text)}`);
}

/**
 * Parses an address to listen on.
 *
 * @param text What was written; brackets around an IPv6 address are allowed
 * @returns The host, without brackets
 */
export function host(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (isHost(bare) || isVersionSix(bare)) return bare;
  throw new UsageError(`must be an address such as 127.0.0.1 or ::1, or a host name, not ${quote(text)}`);
}

/**
 * Parses the address of a server: `HOST:PORT`, `[IPV6]:PORT`, or either without the port.
 *
 * @param text What was written
 * @returns The address
 */
export function address(text: string): Address {
  const [, six, name, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? null : Number.parseInt(digits, 10);
  const hostname = six ?? name ?? "";
  const valid = six === undefined ? isHost(hostname) : isVersionSix(hostname);
  if (valid && (port === null || (port >= 1 && port <= HIGHEST_PORT))) return { hostname, port };
  throw new UsageError(`must be HOST:PORT such as 127.0.0.1:6789 or [::1]:6789, not ${quote(text)}`);
}

/** Parses a port to listen on; 0 is for any free one. */
export const listeningPort: (text: string) => number = integer(0, HIGHEST_PORT);

/** Keeps out what cannot be a name. Whether a host of that name exists is for the resolver to say. */
function isHost(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/.test(text);
}

function isVersionSix(text: string): boolean {
  return /:.*:/.test(text) && /^[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9._-]{1,32})?$/.test(text);
}

/**
 * Parses networks in CIDR notation, separated by commas.
 *
 * @param text What was written; may be empty
 * @returns The networks
 */
export function networks(text: string): Cidr[] {
  return text === "" ? [] : text.split(",").map(network);
}

function network(text: string): Cidr {
  try {
    return Cidr.parse(text);
  } catch {
    throw new UsageError(`must be networks such as 10.0.0.0/8 or ::1, separated by commas, not ${quote(text)}`);
  }
}

/**
 * Parses the name of a client.
 *
 * @param text What was written; may be empty
 * @returns The name; `undefined` when it is empty
 */
export function clientName(text: string): string | undefined {
  return text === "" ? undefined : name(text);
}

/**
 * Makes a parser of durations in a range.
 *
 * @param low The shortest accepted, such as `1s`
 * @param high The longest accepted, such as `24h`
 * @param orZero Whether 0 is accepted as well
 * @returns The parser, which gives milliseconds
 */
export function durationWithin(low: string, high: string, orZero = false): (text: string) => number {
  const [least, most] = [duration(low), duration(high)];
  return (text) => {
    const milliseconds = duration(text);
    if ((milliseconds >= least && milliseconds <= most) || (orZero && milliseconds === 0)) return milliseconds;
    throw new UsageError(`must be from ${low} to ${high}${orZero ? ", or 0" : ""}, not ${quote(text)}`);
  };
}

/**
 * Parses an argument that is the name of a client.
 *
 * @param text What was written
 * @returns The name
 * @throws {UsageError} when it is not a valid name
 */
export function nameArgument(text: string): string {
  return parseAs("NAME", () => name(text));
}

function name(text: string): string {
  if (NAME_PATTERN.test(text)) return text;
  throw new UsageError(`must be 1 to 128 letters, digits and ._:- and not client1 or the like, not ${quote(text)}`);
}
