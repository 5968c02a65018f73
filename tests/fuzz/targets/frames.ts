/**
 * Events and records: `decodeEvents` and `decodeList` against a second reader, and `EventWriter` and `ListWriter` the
 * other way round.
 *
 * @module
 */

import { TrackerError } from "../../../mod.ts";
import {
  decodeEvents,
  decodeList,
  type EncodableClient,
  EventWriter,
  ListWriter,
  LONG_LENGTH_SIZE,
  type WatchEvent,
} from "../../../lib/wire/mod.ts";
import { equals } from "../../../lib/base/bytes.ts";
import type { Random } from "../../support/random.ts";
import { demandSame } from "../compare.ts";
import { mutateBytes, simplerBytes } from "../delivery.ts";
import { Writer } from "../grammar.ts";
import { readBytes, writeBytes } from "../notation.ts";
import { readEvents, readList } from "../reference/frames.ts";
import { demand, type Note, type Target } from "../target.ts";

/** The payload of a frame or of a list. */
interface Input {
  readonly kind: "events" | "list";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Usual identifiers, and some that are hard to carry: with a byte order mark, of invalid UTF-8, empty. */
const IDENTIFIERS = ["a", "client1", "", "\xef\xbb\xbfa", "\xff\xfe", "\xe9", "x".repeat(300)];

const output = new Writer();
const encoder = new TextEncoder();

/** The target for the payloads of frames and lists. */
export const framesTarget: Target<Input> = {
  name: "frames",
  covers: ["events", "event_writer", "list", "list_writer", "frame_buffer", "payload_reader"].map((name) =>
    `/lib/wire/${name}.ts`
  ),
  generate(random) {
    const kind = random.pick(["events", "events", "list"] as const);
    if (kind === "list") output.long(random.integer(0, 9), random);
    const count = random.integer(0, 5);
    for (let index = 0; index < count; index++) kind === "list" ? writeRecord(random) : writeEvent(random);
    return { kind, bytes: output.take() };
  },
  mutate: ({ kind, bytes }, random) => ({ kind, bytes: mutateBytes(bytes, random) }),
  check: ({ kind, bytes }, note) => kind === "events" ? checkEvents(bytes, note) : checkList(bytes, note),
  *simpler({ kind, bytes }) {
    for (const simpler of simplerBytes(bytes)) yield { kind, bytes: simpler };
  },
  write: ({ kind, bytes }) => `${kind} ${writeBytes(bytes)}`,
  read(text) {
    const [, kind = "events", bytes = ""] = /^(events|list)\b([^]*)$/.exec(text) ?? [];
    return { kind: kind as Input["kind"], bytes: readBytes(bytes).bytes };
  },
};

function writeEvent(random: Random): void {
  const kind = random.next() < 0.03 ? random.pick([0, 10, 255]) : random.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
  output.byte(kind);
  output.long(random.integer(0, 300), random);
  writeShortText([2, 8, 11].includes(kind) ? "" : random.pick(IDENTIFIERS));
  if (kind === 1) {
    output.byte(random.next() < 0.05 ? 3 : random.integer(0, 2));
    for (let index = 0; index < 3; index++) output.long(random.integer(0, 2 ** 31), random);
  }
  if (kind === 9) output.long(random.integer(0, 2 ** 31), random);
  if ([1, 3, 4, 9].includes(kind)) writeState(random);
  if (kind === 7) output.byte(random.next() < 0.05 ? 9 : random.integer(0, 8));
  if (kind !== 2) return;
  output.byte(3);
  output.text(random.pick(["abc", "\xc3\xa9!", "\xef\xbb\xbf"]));
}

function writeRecord(random: Random): void {
  writeShortText(random.pick(IDENTIFIERS));
  output.byte(random.next() < 0.05 ? 3 : random.integer(0, 2));
  for (let index = 0; index < 3; index++) output.long(random.integer(0, 2 ** 31), random);
  writeState(random);
}

function writeShortText(text: string): void {
  output.byte(text.length >> 8);
  output.byte(text.length & 0xff);
  output.text(text);
}

function writeState(random: Random): void {
  const length = random.pick([0, 1, 3, 300]);
  for (const shift of [24, 16, 8, 0]) output.byte((random.next() < 0.01 ? 255 : length >>> shift) & 0xff);
  output.text("s".repeat(length));
}

function checkEvents(bytes: Uint8Array<ArrayBuffer>, note: Note): void {
  const events = orRefused(() => decodeEvents(bytes), note);
  demandSame(events, readEvents(bytes));
  if (events === null) return;
  for (const { kind } of events) note(`event ${kind}`);
  note(`${events.length} events`);
  const writer = new EventWriter();
  for (const event of events) addEvent(writer, event);
  if (events.every(isPlain) && events.length !== 0) demandRebuilt(writer, bytes, events);
}

function checkList(bytes: Uint8Array<ArrayBuffer>, note: Note): void {
  const list = orRefused(() => decodeList(bytes), note);
  demandSame(list, readList(bytes));
  if (list === null) return;
  note(`${list.records.length} records`);
  const writer = new ListWriter();
  writer.begin(list.revision);
  for (const record of list.records) writer.record(new Client(record));
  const rebuilt = writer.finish().subarray(LONG_LENGTH_SIZE);
  demandSame(decodeList(rebuilt), readList(rebuilt));
  demandSame(decodeList(rebuilt), list);
}

/** Decodes a payload, or returns `null` when it is refused as it may be. */
function orRefused<T>(decode: () => T, note: Note): T | null {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    demand(error.code === "BAD_REPLY", "a refusal is a BAD_REPLY", () => error.code);
    note(error.message.replace(/\d+/g, "N"));
    return null;
  }
}

/** Tells whether an event can be written again byte for byte: invalid UTF-8 has been replaced. */
function isPlain(event: WatchEvent): boolean {
  if (event.kind === "pong" || event.kind === "snapshot") return true;
  if (event.kind === "synced") return /^[!-~]*$/.test(event.incarnation);
  return !event.id.includes("\ufffd");
}

/**
 * Demands that events which are written again read the same. The bytes are the same too, unless an event had an
 * identifier that it should not have: that is skipped by the reader, and not written.
 */
function demandRebuilt(writer: EventWriter, bytes: Uint8Array, events: readonly WatchEvent[]): void {
  const rebuilt = writer.finish().subarray(LONG_LENGTH_SIZE);
  demandSame(decodeEvents(rebuilt), events);
  if (rebuilt.length === bytes.length) demand(equals(rebuilt, bytes), "the same events are the same bytes");
}

function addEvent(writer: EventWriter, event: WatchEvent): void {
  if (event.kind === "pong") writer.pong(event.revision);
  else if (event.kind === "snapshot") writer.snapshot(event.revision);
  else if (event.kind === "synced") writer.synced(event.revision, isPlain(event) ? event.incarnation : "");
  else if (event.kind === "leave") writer.leave(event.revision, event.id, event.cause);
  else if (event.kind === "set") writer.set(event.revision, new Client(event));
  else if (event.kind === "present") writer.present(new Client(event));
  else if (event.kind === "join" || event.kind === "update") {
    writer.state(event.kind, event.revision, new Client(event));
  } else writer.status(event.kind, event.revision, new Client(event));
}

/** A client of a frame, as the map would hold it. */
class Client implements EncodableClient {
  readonly status;
  readonly revision;
  readonly openedAt;
  readonly updatedAt;
  readonly until;
  readonly #id: Uint8Array;
  readonly #state: Uint8Array;

  constructor(decoded: Partial<EncodableClient> & { id: string; revision: number; state?: Uint8Array }) {
    this.status = decoded.status ?? "live";
    this.revision = decoded.revision;
    this.openedAt = decoded.openedAt ?? 0;
    this.updatedAt = decoded.updatedAt ?? 0;
    this.until = decoded.until ?? 0;
    this.#id = encoder.encode(decoded.id);
    this.#state = decoded.state ?? new Uint8Array();
  }

  get idLength(): number {
    return this.#id.length;
  }

  get stateLength(): number {
    return this.#state.length;
  }

  writeId(target: Uint8Array, at: number): number {
    target.set(this.#id, at);
    return at + this.#id.length;
  }

  writeState(target: Uint8Array, at: number): number {
    target.set(this.#state, at);
    return at + this.#state.length;
  }
}
