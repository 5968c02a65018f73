/**
 * Messages: `MessageParser` against a second parser.
 *
 * @module
 */

import { DIALECTS } from "../../../mod.ts";
import { AMBIGUOUS, INVALID, MessageParser, NEED_MORE, type Token, UPDATE } from "../../../lib/wire/mod.ts";
import {
  cutAtRandom,
  type Delivery,
  mutateDelivery,
  readDelivery,
  simplerDeliveries,
  writeDelivery,
} from "../delivery.ts";
import { writeConversation, Writer } from "../grammar.ts";
import { type Message, type Reading, readMessages, type Rules } from "../reference/messages.ts";
import { demand, type Note, type Target } from "../target.ts";

/** The bytes that one connection receives, and what it insists on. */
interface Input extends Delivery, Rules {}

const INSISTED_DIALECTS = ["auto", "auto", "auto", ...DIALECTS] as const;

const LIMITS = [0, 5, 100, 254, 300, 300, 65_536];

const writer = new Writer();

/** The target for the parser of messages. */
export const codecTarget: Target<Input> = {
  name: "codec",
  covers: ["/lib/codec.ts"],
  generate(random) {
    writeConversation(writer, random);
    const delivery = cutAtRandom(writer.take(), random);
    return { ...delivery, dialect: random.pick(INSISTED_DIALECTS), maxState: random.pick(LIMITS) };
  },
  mutate(input, random) {
    if (random.next() < 0.05) return { ...input, dialect: random.pick(INSISTED_DIALECTS) };
    if (random.next() < 0.05) return { ...input, maxState: random.pick(LIMITS) };
    return { ...input, ...mutateDelivery(input, random) };
  },
  check(input, note) {
    new Connection(input, note).deliver();
  },
  *simpler(input) {
    for (const delivery of simplerDeliveries(input)) yield { ...input, ...delivery };
    if (input.maxState !== 65_536) yield { ...input, maxState: 65_536 };
    if (input.dialect !== "auto") yield { ...input, dialect: "auto" };
  },
  write: (input) => `${input.dialect} ${input.maxState}\n${writeDelivery(input)}`,
  read(text) {
    const [, dialect, maxState, delivery = ""] = /^(auto|compact|wide|java) (\d+)\n([^]*)$/.exec(text) ?? [];
    if (dialect === undefined) throw new SyntaxError("Cannot read input: its first line is not DIALECT MAX-STATE");
    return { dialect: dialect as Rules["dialect"], maxState: Number(maxState), ...readDelivery(delivery) };
  },
};

/** Feeds a parser as a session does, and compares its results with the reading of the same bytes. */
class Connection {
  readonly #input: Input;
  readonly #note: Note;
  readonly #parser: MessageParser;
  /** The bytes as the parser sees them. */
  #buffer: Uint8Array;
  /** Number of the input's bytes before the buffer. */
  #offset = 0;
  /** How far the parser has come in the input. */
  #position = 0;
  /** Number of messages that it has found. */
  #found = 0;
  #silence = -1;
  #before: Token = NEED_MORE;

  constructor(input: Input, note: Note) {
    this.#input = input;
    this.#note = note;
    this.#parser = new MessageParser(input);
    this.#buffer = input.bytes;
  }

  deliver(): void {
    for (const [index, { at, silence }] of this.#input.cuts.entries()) {
      // For every other piece the rest moves to the front of another buffer, as in a session that makes room.
      if (index % 2 === 1) this.#move();
      if (this.#parseAll(at) === AMBIGUOUS && silence) this.#settle(at);
    }
    const { length } = this.#input.bytes;
    if (this.#parseAll(length) === AMBIGUOUS) this.#settle(length);
  }

  #move(): void {
    // Not at the start of its memory, so that a parser that ignores `byteOffset` is found out.
    const rest = this.#input.bytes.subarray(this.#position);
    const memory = new Uint8Array(rest.length + 1);
    memory.set(rest, 1);
    this.#buffer = memory.subarray(1);
    this.#offset = this.#position;
  }

  #settle(at: number): void {
    this.#silence = at;
    this.#parser.settle();
    demand(this.#parser.dialect === "compact", "a silence settles an ambiguous dialect as compact");
    this.#parseAll(at);
  }

  /** Parses everything complete up to there. The buffer holds further bytes, which the parser must not read. */
  #parseAll(length: number): Token {
    const reading = readMessages(this.#input.bytes, length, this.#input, this.#silence);
    for (;;) {
      const token = this.#next(length);
      if (token < 0) {
        this.#compareEnd(token, reading, length);
        return token;
      }
      this.#compareMessage(token, reading.messages);
    }
  }

  #next(length: number): Token {
    const parser = this.#parser;
    const { dialect } = parser;
    const from = this.#position - this.#offset;
    const token = parser.next(this.#buffer, from, length - this.#offset);
    if (dialect !== "unsettled") demand(parser.dialect === dialect, "a settled dialect never changes");
    if (token >= 0) this.#demandBounds(from, length - this.#offset);
    else demand(parser.position === from, "bytes that are no message are left in place");
    demand((token === INVALID) === (parser.error !== null), "there is an error if and only if the bytes are invalid");
    this.#note(behaviourOf(this.#before, token, parser));
    this.#before = token;
    return token;
  }

  #demandBounds(from: number, to: number): void {
    const { position, stateStart, stateEnd, count } = this.#parser;
    demand(position > from, "every message moves the parser forward");
    demand(position <= to && stateEnd <= position, "no offset is beyond the bytes that have arrived");
    demand(stateStart >= from && stateStart <= stateEnd, "a state lies within its message");
    demand(count >= 1, "a token stands for at least one message");
  }

  #compareMessage(token: Token, messages: readonly Message[]): void {
    const { count, stateStart, stateEnd, position } = this.#parser;
    demand(count === 1 || token === UPDATE, "only Updates make a run");
    const run = messages.slice(this.#found, this.#found + count);
    demand(run.length === count && run.every(({ type }) => type === token), "the same messages are found", () => {
      return `${count} of type ${token}, and ${run.map(({ type }) => type).join(" ")}`;
    });
    this.#found += count;
    this.#position = position + this.#offset;
    const { start, end } = run.at(-1)!;
    const found = [stateStart + this.#offset, stateEnd + this.#offset, this.#position];
    demand(found[0] === start && found[1] === end && found[2] === end, "a state is found at the same offsets", () => {
      return `${found.join(" ")}, and ${start} ${end}`;
    });
  }

  #compareEnd(token: Token, { messages, end, rest, least, dialect }: Reading, length: number): void {
    const parser = this.#parser;
    demand(messages.length === this.#found, "every complete message is found", () => {
      return `${this.#found}, and ${messages.length}`;
    });
    demand(rest === this.#position, "the rest begins at the same offset");
    const ended = token === NEED_MORE ? "more" : token === AMBIGUOUS ? "ambiguous" : parser.error?.code;
    demand(ended === end, "parsing ends for the same reason", () => `${ended}, and ${end}`);
    if (token === INVALID) return this.#demandSticking(length);
    demand(parser.dialect === dialect, "the dialect is the same", () => `${parser.dialect}, and ${dialect}`);
    demand(parser.needed > length - rest, "it needs more bytes than there are");
    demand(parser.needed === least, "it needs the same number of bytes", () => `${parser.needed}, and ${least}`);
  }

  #demandSticking(length: number): void {
    const { error } = this.#parser;
    for (const from of [this.#position - this.#offset, 0]) {
      const again = this.#parser.next(this.#buffer, from, length - this.#offset);
      demand(again === INVALID && this.#parser.error === error, "an error sticks");
    }
  }
}

const DIALECT_NUMBERS = { unsettled: 0, compact: 1, wide: 2, java: 3 } as const;

/** Packs what the parser did, and in which condition, into a number. */
function behaviourOf(before: Token, token: Token, parser: MessageParser): number {
  const { dialect, count, stateStart, stateEnd, error } = parser;
  const length = token >= 0 ? Math.min(3, stateEnd - stateStart) : error === null ? 0 : error.code.length;
  const condition = DIALECT_NUMBERS[dialect] * 2 + (parser.extended ? 1 : 0);
  return (((condition * 16 + before + 3) * 16 + token + 3) * 4 + Math.min(3, count)) * 32 + length;
}
