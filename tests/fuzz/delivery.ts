/**
 * Bytes, and where the network cuts them.
 *
 * @module
 */

import type { Random } from "../support/random.ts";
import { readBytes, writeBytes } from "./notation.ts";
import { mutateSequence, shorterSequences } from "./sequences.ts";

/** A point at which the parser sees what has arrived so far. */
export interface Cut {
  readonly at: number;
  /** Whether nothing follows for so long that an ambiguous dialect is settled. */
  readonly silence: boolean;
}

/** Bytes as they arrive. The last piece has no cut. */
export interface Delivery {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly cuts: readonly Cut[];
}

/** Most cuts of one delivery: more cuts find no more. */
const MOST_CUTS = 3;

const NO_CUTS: readonly Cut[] = [];

/** Bytes that have a meaning somewhere in the protocol. */
const MEANINGFUL_BYTES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 42, 66, 123, 127, 128, 254, 255];

/** Cuts bytes at random offsets. */
export function cutAtRandom(bytes: Uint8Array<ArrayBuffer>, random: Random): Delivery {
  const count = random.integer(0, MOST_CUTS);
  if (count === 0) return { bytes, cuts: NO_CUTS };
  const cuts = Array.from({ length: count }, () => ({
    at: random.integer(0, bytes.length),
    silence: random.next() < 0.2,
  }));
  return { bytes, cuts: cuts.sort((one, other) => one.at - other.at) };
}

/** Changes bytes, or their cuts. */
export function mutateDelivery({ bytes, cuts }: Delivery, random: Random): Delivery {
  if (random.next() < 0.1) return cutAtRandom(bytes, random);
  const changed = mutateBytes(bytes, random);
  return { bytes: changed, cuts: cuts.filter(({ at }) => at <= changed.length) };
}

/** Changes bytes in one place. */
export function mutateBytes(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0 || random.next() < 0.5) {
    return Uint8Array.from(mutateSequence(Array.from(bytes), random, () => randomByte(random)));
  }
  const changed = bytes.slice();
  const at = random.integer(0, bytes.length - 1);
  changed[at] = random.next() < 0.5 ? randomByte(random) : changed[at]! ^ 1 << random.integer(0, 7);
  return changed;
}

function randomByte(random: Random): number {
  return random.next() < 0.7 ? random.pick(MEANINGFUL_BYTES) : random.integer(0, 255);
}

/** Yields simpler deliveries: with fewer cuts, without silences, with fewer bytes or with a byte set to 0. */
export function* simplerDeliveries({ bytes, cuts }: Delivery): Generator<Delivery> {
  for (const fewer of shorterSequences(cuts)) yield { bytes, cuts: fewer };
  for (const [index, { at, silence }] of cuts.entries()) {
    if (silence) yield { bytes, cuts: cuts.with(index, { at, silence: false }) };
  }
  for (const shorter of simplerBytes(bytes)) {
    yield { bytes: shorter, cuts: cuts.filter(({ at }) => at <= shorter.length) };
    // If bytes are removed in front, the cuts move along.
    const moved = cuts.map(({ at, silence }) => ({ at: at - (bytes.length - shorter.length), silence }));
    if (shorter.length !== bytes.length && moved.every(({ at }) => at >= 0)) yield { bytes: shorter, cuts: moved };
  }
}

/** Yields simpler bytes: fewer, or with one set to 0. */
export function* simplerBytes(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (const shorter of shorterSequences(Array.from(bytes))) yield Uint8Array.from(shorter);
  for (const [at, byte] of bytes.entries()) {
    if (byte !== 0) yield Uint8Array.from(bytes).fill(0, at, at + 1);
  }
}

/** Writes a delivery, with `|` for a cut and `!` for a cut with a silence. */
export function writeDelivery({ bytes, cuts }: Delivery): string {
  return writeBytes(bytes, cuts.map(({ at, silence }) => ({ at, mark: silence ? "!" : "|" })));
}

/** Reads the output of {@linkcode writeDelivery}. */
export function readDelivery(text: string): Delivery {
  const { bytes, marks } = readBytes(text);
  return { bytes, cuts: marks.map(({ at, mark }) => ({ at, silence: mark === "!" })) };
}
