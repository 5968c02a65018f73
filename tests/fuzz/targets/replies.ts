/**
 * Replies: `ReplyParser` against a second parser.
 *
 * @module
 */

import { WIRE_ERRORS } from "../../../mod.ts";
import {
  type Expected,
  INVALID,
  NEED_MORE,
  REPLY_DONE,
  REPLY_ERROR,
  REPLY_FRAME,
  REPLY_HELLO,
  REPLY_JSON,
  REPLY_LIST,
  REPLY_MAP,
  REPLY_STATS,
  ReplyParser,
  type ReplyToken,
} from "../../../lib/wire/mod.ts";
import type { Random } from "../../support/random.ts";
import {
  cutAtRandom,
  type Delivery,
  mutateDelivery,
  readDelivery,
  simplerDeliveries,
  writeDelivery,
} from "../delivery.ts";
import { Writer } from "../grammar.ts";
import { type Answer, readReply } from "../reference/replies.ts";
import { mutateSequence, shorterSequences } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";

/** The bytes that a server sends, and the questions that they answer. */
interface Input extends Delivery {
  readonly asked: readonly Expected[];
  readonly maxMap: number;
}

const QUESTIONS: readonly Expected[] = ["done", "map", "hello", "list", "stats", "json", "frame", "nothing"];

const TOKENS: Record<Exclude<Answer["kind"], "wrong">, ReplyToken> = {
  more: NEED_MORE,
  done: REPLY_DONE,
  map: REPLY_MAP,
  error: REPLY_ERROR,
  hello: REPLY_HELLO,
  list: REPLY_LIST,
  stats: REPLY_STATS,
  frame: REPLY_FRAME,
  json: REPLY_JSON,
};

const LIMITS = [0, 2, 100, 300, 2 ** 28];

const ERRORS = ["BAD_TYPE: no", "BAD_TYPE:", "NO_CODE: x", "", ":", "TIMEOUT: \xe9", "BAD_MAGIC: a\nb"];

const writer = new Writer();

/** The target for the parser of replies. */
export const repliesTarget: Target<Input> = {
  name: "replies",
  covers: ["/lib/wire/replies.ts"],
  generate(random) {
    const asked = Array.from({ length: random.integer(1, 5) }, () => random.pick(QUESTIONS));
    for (const expected of asked) {
      // Now and then the reply is to another question.
      writeReply(random.next() < 0.05 ? random.pick(QUESTIONS) : expected, random);
    }
    return { ...cutAtRandom(writer.take(), random), asked, maxMap: random.pick(LIMITS) };
  },
  mutate(input, random) {
    if (random.next() < 0.1) {
      return { ...input, asked: mutateSequence(input.asked, random, () => random.pick(QUESTIONS)) };
    }
    return { ...input, ...mutateDelivery(input, random) };
  },
  check: (input, note) => checkReplies(input, note),
  *simpler(input) {
    for (const asked of shorterSequences(input.asked)) yield { ...input, asked };
    for (const delivery of simplerDeliveries(input)) yield { ...input, ...delivery };
  },
  write: (input) => `${input.maxMap} ${input.asked.join(" ")}\n${writeDelivery(input)}`,
  read(text) {
    const [first = "", ...rest] = text.split("\n");
    const [maxMap, ...asked] = first.split(" ");
    return { maxMap: Number(maxMap), asked: asked as Expected[], ...readDelivery(rest.join("\n")) };
  },
};

function writeReply(expected: Expected, random: Random): void {
  if (random.next() < 0.1) return writeError(random);
  if (expected === "done" || expected === "hello" || expected === "json") writer.byte(1);
  if (expected === "done" || expected === "nothing") return;
  const length = random.pick([0, 1, 2, 2, 8, 10, 99, 100, 101, 255, 256, 300, 301]);
  if (expected === "map" && length < 256 && random.next() < 0.5) writer.byte(length);
  else writer.long(length, random);
  const fill = random.pick([0, 1, 2, 123, 255]);
  const isMap = expected === "map" && random.next() < 0.9;
  for (let index = 0; index < length; index++) {
    writer.byte(isMap && index === 0 ? 123 : isMap && index === length - 1 ? 125 : fill);
  }
}

function writeError(random: Random): void {
  const text = random.pick(ERRORS);
  writer.byte(0);
  writer.byte(random.next() < 0.05 ? random.pick([0, 1, 255]) : text.length);
  writer.text(text);
}

function checkReplies({ bytes, cuts, asked, maxMap }: Input, note: Note): void {
  const parser = new ReplyParser({ maxMap });
  const ends = [...cuts.map(({ at }) => at), bytes.length];
  let position = 0;
  let [piece, answered] = [0, 0];
  while (piece < ends.length && answered < asked.length) {
    const [length, expected] = [ends[piece]!, asked[answered]!];
    const token = parser.next(bytes, position, length, expected);
    const answer = readReply(bytes, position, length, expected, maxMap);
    compare(parser, token, answer, position);
    note(`${expected} ${answer.kind} ${token === INVALID || token === REPLY_ERROR ? parser.error?.code : ""}`);
    if (token === INVALID) return;
    if (token === REPLY_ERROR) return compareError(parser, bytes);
    if (token === NEED_MORE) piece++;
    else answered++;
    position = parser.position;
  }
}

function compare(parser: ReplyParser, token: ReplyToken, answer: Answer, from: number): void {
  const wanted = answer.kind === "wrong" ? INVALID : TOKENS[answer.kind];
  demand(token === wanted, "the same reply is found", () => `${token}, and ${answer.kind}`);
  if (answer.kind === "more") {
    demand(
      parser.needed === answer.least,
      "it needs the same number of bytes",
      () => `${parser.needed}, and ${answer.least}`,
    );
    demand(parser.position === from, "bytes that are no reply are left in place");
  } else if (answer.kind === "wrong") {
    demand(parser.error?.code === answer.code, "a reply is refused for the same reason", () => `${parser.error?.code}`);
  } else {
    const { payloadStart, payloadEnd, position } = parser;
    demand(payloadStart === answer.start && payloadEnd === answer.end, "a payload is found at the same offsets");
    demand(position === answer.end, "a reply ends with its payload");
  }
}

/** The text of an error reply comes from the other side: only a code that exists becomes the error's code. */
function compareError({ error, payloadStart, payloadEnd }: ReplyParser, bytes: Uint8Array): void {
  demand(error !== null, "an error is reported");
  const text = new TextDecoder().decode(bytes.subarray(payloadStart, payloadEnd));
  const code = text.slice(0, Math.max(0, text.indexOf(":")));
  const isKnown = Object.keys(WIRE_ERRORS).includes(code);
  demand(error.code === (isKnown ? code : "REFUSED"), "an error keeps its code", () => `${error.code}, and ${code}`);
  demand(text.endsWith(error.message), "an error keeps its text");
}
