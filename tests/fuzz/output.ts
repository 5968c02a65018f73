/**
 * The output of a server on a connection, compared with the replies that it owes.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { decodeCount, decodeEvents, decodeList, type WatchEvent } from "../../lib/wire/mod.ts";
import type { Owed } from "./reference/server.ts";
import { demand } from "./target.ts";

/** Turns each byte into a character. */
export function latinOf(bytes: Uint8Array | readonly number[]): string {
  return Buffer.from(bytes).toString("latin1");
}

/** The output of a server on a connection. */
export interface Output {
  /** Kinds of the replies that came, or their codes if they are errors. */
  readonly kinds: readonly string[];
  /** Events that a watcher was sent. */
  readonly events: readonly WatchEvent[];
}

/**
 * Reads the output of a server, which must be the replies that it owes, in order, and nothing else.
 *
 * @param output All bytes
 * @param owed The replies that it owes
 * @returns The replies that came
 * @throws {Violation} when the output is anything else
 */
export function readOutput(output: readonly number[], owed: readonly Owed[]): Output {
  const reader = new OutputReader(Uint8Array.from(output));
  const kinds: string[] = [];
  for (const each of owed) {
    // Frames may come at any time, and the answer to a Ping is one of their events.
    if (kinds.includes("watching")) reader.takeFrames();
    if (reader.atEnd && each.kind !== "pong") break;
    if (each.kind === "pong" && !reader.takePong()) break;
    reader.take(each);
    kinds.push(each.kind === "error" ? each.code : each.kind);
  }
  if (kinds.includes("watching")) reader.takeFrames();
  demand(reader.atEnd, "nothing is sent that is not owed", () => `${kinds.join(" ")}, then ${reader.rest}`);
  demandRevisions(reader.events);
  return { kinds, events: reader.events };
}

/** Each change is sent once, in the order of revisions. */
function demandRevisions(events: readonly WatchEvent[]): void {
  const synced = events.findIndex(({ kind }) => kind === "synced");
  const changes = events.slice(synced + 1).filter(({ kind }) => kind !== "pong");
  const isInOrder = changes.every(({ revision }, index) => index === 0 || revision > changes[index - 1]!.revision);
  demand(synced === -1 || isInOrder, "revisions grow from change to change");
}

/**
 * Applies all events of a watch.
 *
 * @param events The events
 * @returns A line for each client that the watcher then knows, sorted
 */
export function followWatch(events: readonly WatchEvent[]): string[] {
  const known = new Map<string, Known>();
  for (const event of events) {
    if (event.kind === "present") known.set(event.id, { status: event.status, state: latinOf(event.state) });
    else if (event.kind === "join") join(known, event.id, latinOf(event.state));
    else if (event.kind === "leave") known.delete(event.id);
    else if (event.kind === "update") find(known, event.id).state = latinOf(event.state);
    else if (event.kind === "set") known.set(event.id, { status: "detached", state: latinOf(event.state) });
    else if (event.kind === "suspect") find(known, event.id).status = "suspect";
    else if (event.kind === "resume") find(known, event.id).status = "live";
  }
  demand(events.some(({ kind }) => kind === "synced"), "a snapshot ends");
  return Array.from(known, ([id, { status, state }]) => `${id} ${status} ${state}`).sort();
}

/** A client as the watcher knows it. */
interface Known {
  status: string;
  state: string;
}

function join(known: Map<string, Known>, id: string, state: string): void {
  demand(!known.has(id), "a client joins only once", () => id);
  known.set(id, { status: "live", state });
}

function find(known: ReadonlyMap<string, Known>, id: string): Known {
  const client = known.get(id);
  demand(client !== undefined, "an event is about a client that is there", () => id);
  return client;
}

class OutputReader {
  readonly events: WatchEvent[] = [];
  readonly #bytes: Uint8Array;
  #at = 0;
  #pongs = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  get rest(): string {
    return JSON.stringify(latinOf(this.#bytes.subarray(this.#at)));
  }

  take(owed: Owed): void {
    if (["done", "watching", "greeting", "answer"].includes(owed.kind)) this.#takeDone();
    if (owed.kind === "greeting" || owed.kind === "stats" || owed.kind === "answer") this.#takeObject();
    else if (owed.kind === "error") this.#takeError(owed.code);
    else if (owed.kind === "map") this.#takeMap(owed.map, owed.wide);
    else if (owed.kind === "list") this.#takeList(owed.records, owed.hasDetails);
    else if (owed.kind === "count") this.#takeCount(owed.count);
  }

  takeFrames(): void {
    while (this.#bytes[this.#at] === 0 && this.#bytes[this.#at + 1] === 0) {
      this.events.push(...decodeEvents(this.#takeLong()));
    }
  }

  /** Takes a pong that answers no Ping yet; `false` if none has come. */
  takePong(): boolean {
    return this.events.filter(({ kind }) => kind === "pong").length > this.#pongs && ++this.#pongs > 0;
  }

  #takeDone(): void {
    demand(this.#byte() === 1, "a message is answered with 1");
  }

  #takeObject(): void {
    const value = JSON.parse(latinOf(this.#takeLong()));
    demand(typeof value === "object", "JSON is an object");
  }

  #takeError(code: string): void {
    demand(this.#byte() === 0, "an error begins with 0", () => `${code}, and ${this.rest}`);
    const length = this.#byte();
    const text = new TextDecoder("utf-8", { fatal: true }).decode(this.#takeBytes(length));
    demand(length !== 0 && text.startsWith(`${code}: Cannot `), "an error has its code and a reason", () => {
      return `${code}, and ${text}`;
    });
    demand(this.atEnd, "an error is the last reply", () => `${code}, then ${this.rest}`);
  }

  #takeMap(map: string, wide: boolean): void {
    const bytes = wide || map.length > 255 ? this.#takeLong() : this.#takeBytes(this.#byte());
    const found = latinOf(bytes);
    demand(found === map, "a Get shows the map as of that message", () => `${found}, and ${map}`);
  }

  #takeCount(count: number): void {
    const found = decodeCount(this.#takeLong());
    demand(found === count, "the number is that of the clients as of that message", () => `${found}, and ${count}`);
  }

  #takeList(records: readonly string[], hasDetails: boolean): void {
    const list = decodeList(this.#takeLong(), undefined, { hasDetails });
    const found = list.records.map(({ id, status, state }) => `${id} ${status} ${latinOf(state)}`);
    demand(JSON.stringify(found) === JSON.stringify(records), "a List shows the clients as of that message", () => {
      return `${found}, and ${records}`;
    });
  }

  #takeLong(): Uint8Array {
    const length = this.#takeBytes(8);
    return this.#takeBytes(Number(new DataView(length.buffer, length.byteOffset).getBigUint64(0)));
  }

  #byte(): number {
    return this.#takeBytes(1)[0]!;
  }

  #takeBytes(count: number): Uint8Array {
    demand(this.#at + count <= this.#bytes.length, "a reply is complete", () => this.rest);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
