/**
 * The meaning of bytes on the wire, field by field. The codec's own parsers find where each field begins and ends; this
 * gives the fields names.
 *
 * @module
 */

import {
  type Expected,
  REPLY_DONE,
  REPLY_ERROR,
  REPLY_FRAME,
  REPLY_HELLO,
  REPLY_JSON,
  REPLY_LIST,
  REPLY_STATS,
  type ReplyParser,
  type ReplyToken,
} from "../../wire/replies.ts";
import { decodeEvents, type WatchEvent } from "../../wire/events.ts";
import { decodeCount, decodeList, type ListFormat, type ListRecord } from "../../wire/list.ts";
import { EMPTY, toBytes } from "../../base/bytes.ts";
import { AMBIGUOUS, INVALID, MessageParser, NEED_MORE, type Token } from "../../codec.ts";
import {
  CLOSE,
  DROP,
  FETCH,
  GET,
  HELLO,
  HIGHEST_MAX_STATE,
  JSON_LENGTH_SIZE,
  KICK,
  LIST,
  MESSAGE_NAMES,
  OPEN,
  PING,
  PUT,
  STATS,
  UPDATE,
  WATCH,
} from "../../protocol.ts";

import { concat } from "../std.ts";
import { escapeWord, quoteBytes } from "../text/escape.ts";

/** Bytes and their meaning. */
export interface Field {
  /** At least one byte. */
  readonly bytes: Uint8Array;
  /** Their meaning. */
  readonly meaning: string;
  /** Whether they are text, to be shown next to the meaning. */
  readonly isText?: boolean;
}

/** Explained bytes of a client. */
export interface Explanation {
  /** All of the bytes, in order. */
  readonly fields: readonly Field[];
  /** The replies that they ask for, in order; `"nothing"` stands for an error reply. */
  readonly asks: readonly Expected[];
}

/** Explains the bytes that a client sends, in pieces that may be cut anywhere. */
export class MessageExplainer {
  // The limit is for the server to enforce: it may have been given another one.
  readonly #parser = new MessageParser({ maxState: HIGHEST_MAX_STATE });
  #unfinished = EMPTY;
  #isClosed = false;
  #isWatching = false;

  /** Whether the server will close the connection: it was asked to, or was sent something invalid. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the connection watches, so that the server sends frames. */
  get isWatching(): boolean {
    return this.#isWatching;
  }

  /**
   * Explains more bytes.
   *
   * @param bytes The bytes that are sent next
   * @returns Their meaning, and the replies that they ask for
   */
  explain(bytes: Uint8Array): Explanation {
    const shown = this.#unfinished.length;
    const buffer = concat([this.#unfinished, bytes]);
    const fields: Field[] = [];
    const asks: Expected[] = [];
    let from = 0;
    while (from < buffer.length && !this.#isClosed) {
      const token = this.#next(buffer, from);
      if (token === NEED_MORE) break;
      const message = buffer.subarray(from, token === INVALID ? buffer.length : this.#parser.position);
      fields.push(...this.#fieldsOf(message, from, token));
      asks.push(...this.#asked(token));
      this.#isClosed = token === CLOSE || token === INVALID;
      from += message.length;
    }
    this.#unfinished = buffer.slice(from);
    if (from < buffer.length) fields.push(...this.#restOf(this.#unfinished));
    if (this.#isClosed) this.#unfinished = EMPTY;
    return { fields: withoutFirst(fields, shown), asks };
  }

  /**
   * Parses one message. The parser is shown no more bytes than the message needs, because it reports a run of Updates
   * as one.
   */
  #next(buffer: Uint8Array, from: number): Token {
    let to = from + 1;
    for (;;) {
      const token = this.#parser.next(buffer, from, to);
      if (token !== NEED_MORE && token !== AMBIGUOUS) return token;
      to = from + this.#parser.needed;
      if (to <= buffer.length) continue;
      if (token === NEED_MORE) return NEED_MORE;
      // Nothing follows, so the server will settle it in the same way.
      this.#parser.settle();
      to = buffer.length;
    }
  }

  #fieldsOf(message: Uint8Array, from: number, token: Token): Field[] {
    if (token === INVALID) return [{ bytes: message, meaning: `refused: ${this.#parser.error?.message}` }];
    const header = this.#header(message);
    const rest = message.subarray(header.length);
    if (rest.length === 0) return header;
    const start = this.#parser.stateStart - from - header.length;
    const length = rest.subarray(0, this.#parser.dialect === "compact" ? 1 : start);
    const envelope = rest.subarray(length.length, start);
    const state = rest.subarray(start);
    const size = rest.length - length.length;
    return [
      ...header,
      { bytes: length, meaning: size === 0 ? "length 0: the state is empty" : `length ${size}` },
      { bytes: envelope, meaning: `envelope: length ${state.length} once more` },
      ...token === PUT
        ? putFields(state)
        : [{ bytes: state, meaning: JSON_MESSAGES.has(token) ? "JSON" : "state", isText: true }],
    ];
  }

  /** Returns the replies that a message asks for. */
  #asked(token: Token): Expected[] {
    const asked = (this.#isWatching ? ASKED_WATCHING : ASKED)[token];
    if (token === WATCH) this.#isWatching = true;
    return asked ?? ["nothing"];
  }

  #header(message: Uint8Array): Field[] {
    const [magic = 0, second = 0, third = 0] = message;
    const isJava = this.#parser.dialect === "java";
    const type = isJava ? third : second;
    const fields: Field[] = [
      { bytes: message.subarray(0, 1), meaning: `magic ${magic}` },
      { bytes: message.subarray(1, isJava ? 2 : 1), meaning: `version ${second}` },
      { bytes: message.subarray(isJava ? 2 : 1, isJava ? 3 : 2), meaning: `type ${type}: ${MESSAGE_NAMES[type]}` },
    ];
    return fields.filter(({ bytes }) => bytes.length !== 0);
  }

  /** Explains what follows the last complete message. */
  #restOf(rest: Uint8Array): Field[] {
    if (this.#isClosed) return [{ bytes: rest, meaning: "ignored: nothing counts after this" }];
    const header = this.#header(rest);
    const unfinished = `unfinished: ${this.#parser.needed - rest.length} or more bytes are missing`;
    if (rest.length > header.length) return [...header, { bytes: rest.subarray(header.length), meaning: unfinished }];
    return header.map((field, at) => {
      return at + 1 < header.length ? field : { ...field, meaning: `${field.meaning} (${unfinished})` };
    });
  }
}

/** Messages that carry JSON and nothing else. */
const JSON_MESSAGES: ReadonlySet<Token> = new Set([HELLO, WATCH, LIST, DROP, KICK, FETCH]);

function putFields(payload: Uint8Array): Field[] {
  const end = JSON_LENGTH_SIZE + ((payload[0] ?? 0) << 8 | (payload[1] ?? 0));
  const fields: Field[] = [
    { bytes: payload.subarray(0, JSON_LENGTH_SIZE), meaning: `length of the JSON: ${end - JSON_LENGTH_SIZE}` },
    { bytes: payload.subarray(JSON_LENGTH_SIZE, end), meaning: "JSON", isText: true },
    { bytes: payload.subarray(end), meaning: "state", isText: true },
  ];
  return fields.filter(({ bytes }) => bytes.length !== 0);
}

/** How a List was asked for, as far as that changes its reply. */
export interface AskedList extends ListFormat {
  /** Whether only the number was asked for. */
  isCount?: boolean;
}

/**
 * Explains a reply.
 *
 * @param parser The parser that has just parsed it, at the beginning of its buffer
 * @param token What the parser found
 * @param reply The bytes of the reply
 * @param list How a List was asked for
 * @returns Their meaning
 */
export function explainReply(parser: ReplyParser, token: ReplyToken, reply: Uint8Array, list: AskedList): Field[] {
  if (token === INVALID) return [{ bytes: reply, meaning: `no reply: ${parser.error?.message}` }];
  if (token === REPLY_DONE) return [{ bytes: reply, meaning: "done" }];
  const start = parser.payloadStart;
  const payload = reply.subarray(start);
  const first = FIRST_BYTES[token];
  const length = { bytes: reply.subarray(first === undefined ? 0 : 1, start), meaning: `length ${payload.length}` };
  const fields = [length, ...payloadFields(token, payload, list)];
  return first === undefined ? fields : [{ bytes: reply.subarray(0, 1), meaning: first }, ...fields];
}

/** Replies that have a byte before their length, and its meaning. */
const FIRST_BYTES: Partial<Record<ReplyToken, string>> = {
  [REPLY_ERROR]: "error",
  [REPLY_HELLO]: "done",
  [REPLY_JSON]: "done",
};

/** The replies that each message asks for; messages not listed are answered with an error. */
const ASKED: Partial<Record<Token, Expected[]>> = {
  [UPDATE]: [],
  [GET]: ["map"],
  [HELLO]: ["hello"],
  [LIST]: ["list"],
  [STATS]: ["stats"],
  [OPEN]: ["done"],
  [CLOSE]: ["done"],
  [WATCH]: ["done"],
  [PING]: ["done"],
  [PUT]: ["json"],
  [DROP]: ["json"],
  [KICK]: ["json"],
  [FETCH]: ["list"],
};

/** Likewise on a connection that watches: a Ping is answered in a frame, and most messages are refused. */
const ASKED_WATCHING: typeof ASKED = { [UPDATE]: [], [CLOSE]: ["done"], [PING]: ["frame"] };

function payloadFields(token: ReplyToken, payload: Uint8Array, list: AskedList): Field[] {
  if (token === REPLY_FRAME) return itemFields(payload, 0, describeEvent, decodeEvents);
  if (token === REPLY_LIST && list.isCount) return [{ bytes: payload, meaning: `${decodeCount(payload)} clients` }];
  if (token === REPLY_LIST) {
    const decode = (bytes: Uint8Array, note?: Parameters<typeof decodeList>[1]) => decodeList(bytes, note, list);
    const revision = { bytes: payload.subarray(0, 8), meaning: `revision ${decode(payload).revision}` };
    return [revision, ...itemFields(payload, revision.bytes.length, describeRecord, decode)];
  }
  const isJson = token === REPLY_HELLO || token === REPLY_STATS || token === REPLY_JSON;
  return [{ bytes: payload, meaning: token === REPLY_ERROR ? "text" : isJson ? "JSON" : "map", isText: true }];
}

/** Makes a field of each event or record. The decoder notes where each of them ends. */
function itemFields<T>(
  payload: Uint8Array,
  from: number,
  describe: (item: T) => string,
  decode: (payload: Uint8Array, note: (item: T, end: number) => void) => unknown,
): Field[] {
  const fields: Field[] = [];
  decode(payload, (item, end) => {
    fields.push({ bytes: payload.subarray(from, end), meaning: describe(item) });
    from = end;
  });
  return fields;
}

function describeEvent(event: WatchEvent): string {
  const { kind, revision } = event;
  const words = [kind, "id" in event ? escapeWord(event.id) : "", "status" in event ? event.status : ""];
  if (kind === "leave") words.push(event.cause);
  if (kind === "synced") words.push(`incarnation ${quoteBytes(toBytes(event.incarnation))}`);
  if (kind === "present") return `present ${describeRecord(event)}`;
  if (kind === "set") words.push(`until ${event.until}`);
  const state = "state" in event ? `, state ${quoteStart(event.state)}` : "";
  return `${words.filter(Boolean).join(" ")}, revision ${revision}${state}`;
}

function describeRecord({ id, status, revision, openedAt, updatedAt, state }: ListRecord): string {
  const times = `opened at ${openedAt}, updated at ${updatedAt}`;
  return `${escapeWord(id)} ${status}, revision ${revision}, ${times}, state ${quoteStart(state)}`;
}

/** Most bytes of a state shown as text, next to all of its bytes. */
const SHOWN_STATE = 40;

function quoteStart(state: Uint8Array): string {
  return quoteBytes(state.subarray(0, SHOWN_STATE)) + (state.length > SHOWN_STATE ? "…" : "");
}

/** Leaves out the bytes at the front that were shown before. */
function withoutFirst(fields: readonly Field[], count: number): Field[] {
  return fields.flatMap((field) => {
    const bytes = field.bytes.subarray(Math.min(count, field.bytes.length));
    count -= field.bytes.length - bytes.length;
    return bytes.length === 0 ? [] : [{ ...field, bytes }];
  });
}

/** Bytes on a line: those of a long integer, or twice as many if a field is long. */
const SHORT_LINE = 8;
const LONG_LINE = 16;

/**
 * Lays out explained bytes in columns: direction, bytes, meaning.
 *
 * @param direction The first column, such as `sent`
 * @param fields The bytes
 * @returns The lines, each with its newline
 */
export function layOut(direction: string, fields: readonly Field[]): string {
  const longest = fields.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  const width = 3 * (longest > SHORT_LINE ? LONG_LINE : SHORT_LINE) - 1;
  const lines = fields.flatMap((field) => linesOf(field, width));
  return lines.map((line, at) => `  ${(at === 0 ? direction : "").padEnd(10)}${line}`.trimEnd() + "\n").join("");
}

function linesOf({ bytes, meaning, isText }: Field, width: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LONG_LINE) {
    const piece = bytes.subarray(at, at + LONG_LINE);
    const label = at === 0 ? meaning : "".padEnd(isText ? meaning.length : 0);
    lines.push(`${hexOf(piece).padEnd(width)}  ${isText ? `${label} ${quoteBytes(piece)}` : label}`);
  }
  return lines;
}

function hexOf(bytes: Uint8Array): string {
  return bytes.toHex().replace(/..(?=.)/g, "$& ");
}
