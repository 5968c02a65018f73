/**
 * Messages as clients write them, valid and nearly valid.
 *
 * @module
 */

import { type Dialect, DIALECTS } from "../../mod.ts";
import type { Random } from "../support/random.ts";

/** Most bytes of one input; what does not fit is left out, which is one more way to be cut off. */
const LARGEST = 8_192;

/** Appends fields of the protocol to a buffer. */
export class Writer {
  readonly #bytes = new Uint8Array(LARGEST);
  #length = 0;

  /** Number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Appends a byte. */
  byte(value: number): void {
    if (this.#length < LARGEST) this.#bytes[this.#length++] = value;
  }

  /** Appends a length in eight bytes; now and then one that no memory could hold. */
  long(value: number, random: Random): void {
    const high = random.next() < 0.005 ? random.pick([1, 0x80, 0xff]) : 0;
    const at = high === 0 ? -1 : random.integer(0, 3);
    for (let index = 0; index < 4; index++) this.byte(index === at ? high : 0);
    for (let shift = 24; shift >= 0; shift -= 8) this.byte(value >>> shift & 0xff);
  }

  /** Appends text of one byte per character. */
  text(text: string): void {
    for (let index = 0; index < text.length; index++) this.byte(text.charCodeAt(index));
  }

  /** Returns the bytes written since the last call. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}

/** How a client writes its messages. */
interface Style {
  readonly dialect: Dialect;
  /** Whether its compact Updates have envelopes. */
  readonly envelopes: boolean;
  /** Probability of an error in a message. */
  readonly errorRate: number;
}

const TYPES = [0, 0, 2, 2, 2, 2, 3, 3, 1];

const EXTENSIONS = [5, 6, 7, 7, 8, 9, 9, 10, 11, 12];

const LENGTHS = [0, 0, 1, 1, 2, 3, 3, 3, 7, 40];

const RARE_LENGTHS = [99, 100, 101, 254, 255, 256, 300, 301];

/** JSON for messages whose JSON does not matter. */
const REQUESTS = ["{}", "{}", '{"prefix":"a"}', '{"name":"a"}', '{"id":"a"}', "[]", "{"];

/** Writes a conversation. */
export function writeConversation(writer: Writer, random: Random): void {
  const style: Style = {
    dialect: random.pick(DIALECTS),
    envelopes: random.next() < 0.5,
    errorRate: random.next() < 0.5 ? 0 : 0.1,
  };
  const isExtended = style.dialect === "wide" && random.next() < 0.4;
  if (isExtended) writeRequest(writer, 4, random);
  const count = random.integer(0, 6);
  for (let index = 0; index < count; index++) {
    if (isExtended && random.next() < 0.4) writeExtension(writer, random);
    else writeMessage(writer, style, random.pick(TYPES), random);
  }
  if (random.next() < 0.05) writeRun(writer, style, random);
}

function writeExtension(writer: Writer, random: Random): void {
  const type = random.pick(EXTENSIONS);
  if (type === 9) return writePut(writer, random);
  if (type !== 7 && type !== 8) return writeRequest(writer, type, random);
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

/** Writes a Put, now and then with lengths that do not belong together. */
function writePut(writer: Writer, random: Random): void {
  const json = random.pick(['{"name":"a","for":60}', '{"name":"b","for":1}', "{}", ""]);
  const state = random.pick(["", "x", "yy"]);
  const jsonLength = random.next() < 0.05 ? random.pick([0, 1, 4_096, 4_097, 65_535]) : json.length;
  const length = random.next() < 0.05 ? random.pick([0, 1, 2, 3, 4_098, 70_000]) : 2 + json.length + state.length;
  writer.byte(42);
  writer.byte(9);
  writer.long(length, random);
  writer.byte(jsonLength >> 8);
  writer.byte(jsonLength & 0xff);
  writer.text(json + state);
}

function writeMessage(writer: Writer, style: Style, type: number, random: Random): void {
  const isWrong = random.next() < style.errorRate;
  const magic = isWrong && random.next() < 0.2 ? random.pick([0, 42, 43, 66, 255]) : style.dialect === "java" ? 66 : 42;
  writer.byte(magic);
  if (style.dialect === "java") writer.byte(isWrong && random.next() < 0.2 ? random.integer(0, 3) : 1);
  const written = isWrong && random.next() < 0.2 ? random.integer(0, 14) : type;
  writer.byte(written);
  if (written !== 0 && written !== 2) return;
  const length = random.next() < 0.05 ? random.pick(RARE_LENGTHS) : random.pick(LENGTHS);
  if (style.dialect === "compact") writeCompactState(writer, style.envelopes && written === 2, length, random);
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
  // A plain state that happens to look enveloped.
  const looksEnveloped = !enveloped && inner !== 0 && random.next() < 0.2;
  if (looksEnveloped) writer.byte(inner - 1);
  writeFill(writer, looksEnveloped ? inner - 1 : inner, random);
}

/** Repeats a byte: only its position matters, and not its value. */
function writeFill(writer: Writer, length: number, random: Random): void {
  const fill = random.pick([0, 2, 3, 42, 66, 97]);
  for (let index = 0; index < length; index++) writer.byte(fill);
}

/** Writes many equal Updates, with one among them that may differ, for the loops that walk runs. */
function writeRun(writer: Writer, style: Style, random: Random): void {
  const update = new Writer();
  writeMessage(update, { ...style, errorRate: 0 }, 2, random);
  const bytes = update.take();
  const count = random.integer(2, 60);
  const odd = random.integer(0, count);
  for (let index = 0; index < count; index++) {
    if (index === odd) writeMessage(writer, style, 2, random);
    for (const byte of bytes) writer.byte(byte);
  }
}
