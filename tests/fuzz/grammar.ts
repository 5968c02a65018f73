/**
 * Messages as clients write them, right and nearly right.
 *
 * @module
 */

import { type Dialect, DIALECTS } from "../../mod.ts";
import type { Random } from "../support/random.ts";

/** Room for one input; what does not fit is left out, which is one more way to be cut off. */
const LARGEST = 8_192;

/** Bytes, one behind the other. */
export class Writer {
  readonly #bytes = new Uint8Array(LARGEST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length < LARGEST) this.#bytes[this.#length++] = value;
  }

  /** A length in eight bytes; now and then one that no memory could hold. */
  long(value: number, random: Random): void {
    const high = random.next() < 0.005 ? random.pick([1, 0x80, 0xff]) : 0;
    const at = high === 0 ? -1 : random.integer(0, 3);
    for (let index = 0; index < 4; index++) this.byte(index === at ? high : 0);
    for (let shift = 24; shift >= 0; shift -= 8) this.byte(value >>> shift & 0xff);
  }

  text(text: string): void {
    for (let index = 0; index < text.length; index++) this.byte(text.charCodeAt(index));
  }

  /** What was written since the last time. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

/** How one client writes. */
interface Hand {
  readonly dialect: Dialect;
  /** Whether it puts its compact Updates into envelopes. */
  readonly envelopes: boolean;
  /** How often it is wrong, from 0 to 1. */
  readonly slips: number;
}

const TYPES = [0, 0, 2, 2, 2, 2, 3, 3, 1];

const EXTENSIONS = [5, 6, 7, 7, 8];

const LENGTHS = [0, 0, 1, 1, 2, 3, 3, 3, 7, 40];

const RARE_LENGTHS = [99, 100, 101, 254, 255, 256, 300, 301];

/** JSON for a message that needs no particular one. */
const REQUESTS = ["{}", "{}", '{"prefix":"a"}', '{"name":"a"}', "[]", "{"];

/** Writes a conversation. */
export function writeConversation(writer: Writer, random: Random): void {
  const hand: Hand = {
    dialect: random.pick(DIALECTS),
    envelopes: random.next() < 0.5,
    slips: random.next() < 0.5 ? 0 : 0.1,
  };
  const isExtended = hand.dialect === "wide" && random.next() < 0.4;
  if (isExtended) writeRequest(writer, 4, random);
  const count = random.integer(0, 6);
  for (let index = 0; index < count; index++) {
    if (isExtended && random.next() < 0.4) writeExtension(writer, random);
    else writeMessage(writer, hand, random.pick(TYPES), random);
  }
  if (random.next() < 0.05) writeRun(writer, hand, random);
}

function writeExtension(writer: Writer, random: Random): void {
  const type = random.pick(EXTENSIONS);
  if (type === 5 || type === 6) return writeRequest(writer, type, random);
  writer.byte(42);
  writer.byte(type);
}

function writeRequest(writer: Writer, type: number, random: Random): void {
  const json = random.pick(REQUESTS);
  writer.byte(42);
  writer.byte(type);
  writer.long(random.next() < 0.02 ? random.pick([4_095, 4_096, 4_097]) : json.length, random);
  writer.text(json);
}

function writeMessage(writer: Writer, hand: Hand, type: number, random: Random): void {
  const slips = random.next() < hand.slips;
  const magic = slips && random.next() < 0.2 ? random.pick([0, 42, 43, 66, 255]) : hand.dialect === "java" ? 66 : 42;
  writer.byte(magic);
  if (hand.dialect === "java") writer.byte(slips && random.next() < 0.2 ? random.integer(0, 3) : 1);
  const written = slips && random.next() < 0.2 ? random.integer(0, 12) : type;
  writer.byte(written);
  if (written !== 0 && written !== 2) return;
  const length = random.next() < 0.05 ? random.pick(RARE_LENGTHS) : random.pick(LENGTHS);
  if (hand.dialect === "compact") writeCompactState(writer, hand.envelopes && written === 2, length, random);
  else writeState(writer, length, random);
}

function writeState(writer: Writer, length: number, random: Random): void {
  writer.long(length, random);
  writeFill(writer, length, random);
}

function writeCompactState(writer: Writer, enveloped: boolean, length: number, random: Random): void {
  const inner = Math.min(length, enveloped ? 254 : 255);
  if (enveloped) writer.byte(inner + 1);
  writer.byte(inner);
  // A plain state that looks enveloped by chance.
  const deceives = !enveloped && inner !== 0 && random.next() < 0.2;
  if (deceives) writer.byte(inner - 1);
  writeFill(writer, deceives ? inner - 1 : inner, random);
}

/** The same byte again and again: what it is matters to nobody, only where it stands. */
function writeFill(writer: Writer, length: number, random: Random): void {
  const fill = random.pick([0, 2, 3, 42, 66, 97]);
  for (let index = 0; index < length; index++) writer.byte(fill);
}

/** Many Updates alike, with one among them that may differ: what the loops for runs are for. */
function writeRun(writer: Writer, hand: Hand, random: Random): void {
  const update = new Writer();
  writeMessage(update, { ...hand, slips: 0 }, 2, random);
  const bytes = update.take();
  const count = random.integer(2, 60);
  const odd = random.integer(0, count);
  for (let index = 0; index < count; index++) {
    if (index === odd) writeMessage(writer, hand, 2, random);
    for (const byte of bytes) writer.byte(byte);
  }
}
