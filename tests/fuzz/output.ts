/**
 * What a server has said on a connection, compared with what it owes there.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { decodeEvents, decodeList, type WatchEvent } from "../../mod.ts";
import type { Owed } from "./reference/server.ts";
import { demand } from "./target.ts";

/** One character a byte. */
export function latinOf(bytes: Uint8Array | readonly number[]): string {
  return Buffer.from(bytes).toString("latin1");
}

/** What a server has said on a connection. */
export interface Said {
  /** What it owed, as far as it came. */
  readonly kinds: readonly string[];
  /** What a watcher was told. */
  readonly events: readonly WatchEvent[];
}

/**
 * Reads what a server has said: it must be what is owed, in that order, and nothing else.
 *
 * @param output All the bytes
 * @param owed What is owed
 * @returns What it was
 * @throws {Violation} when it is something else
 */
export function readOutput(output: readonly number[], owed: readonly Owed[]): Said {
  const reader = new OutputReader(Uint8Array.from(output));
  const kinds: string[] = [];
  for (const each of owed) {
    // Frames come when they come, and the answer to a Ping is one of their events.
    if (kinds.includes("watching")) reader.takeFrames();
    if (reader.atEnd && each.kind !== "pong") break;
    if (each.kind === "pong" && !reader.takePong()) break;
    reader.take(each);
    kinds.push(each.kind === "error" ? each.code : each.kind);
  }
  if (kinds.includes("watching")) reader.takeFrames();
  demand(reader.atEnd, "nothing is said that is not owed", () => `${kinds.join(" ")}, then ${reader.rest}`);
  demandRevisions(reader.events);
  return { kinds, events: reader.events };
}

/** Each change is told once, in the order of revisions. */
function demandRevisions(events: readonly WatchEvent[]): void {
  const synced = events.findIndex(({ kind }) => kind === "synced");
  const changes = events.slice(synced + 1).filter(({ kind }) => kind !== "pong");
  const isInOrder = changes.every(({ revision }, index) => index === 0 || revision > changes[index - 1]!.revision);
  demand(synced === -1 || isInOrder, "revisions grow from change to change");
}

/**
 * Follows a watch to its end.
 *
 * @param events What was told
 * @returns A line for each client that a watcher then knows of, sorted
 */
export function followWatch(events: readonly WatchEvent[]): string[] {
  const known = new Map<string, Known>();
  for (const event of events) {
    if (event.kind === "present") known.set(event.id, { status: event.status, state: latinOf(event.state) });
    else if (event.kind === "join") join(known, event.id, latinOf(event.state));
    else if (event.kind === "leave") known.delete(event.id);
    else if (event.kind === "update") find(known, event.id).state = latinOf(event.state);
    else if (event.kind === "suspect") find(known, event.id).status = "suspect";
    else if (event.kind === "resume") find(known, event.id).status = "live";
  }
  demand(events.some(({ kind }) => kind === "synced"), "a snapshot comes to an end");
  return Array.from(known, ([id, { status, state }]) => `${id} ${status} ${state}`).sort();
}

/** What a watcher knows of a client. */
interface Known {
  status: string;
  state: string;
}

function join(known: Map<string, Known>, id: string, state: string): void {
  demand(!known.has(id), "nobody joins who is there already", () => id);
  known.set(id, { status: "live", state });
}

function find(known: ReadonlyMap<string, Known>, id: string): Known {
  const client = known.get(id);
  demand(client !== undefined, "nothing is told of a client that is not there", () => id);
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
    if (owed.kind === "done" || owed.kind === "watching" || owed.kind === "greeting") this.#takeDone();
    if (owed.kind === "greeting" || owed.kind === "stats") this.#takeObject();
    else if (owed.kind === "error") this.#takeError(owed.code);
    else if (owed.kind === "map") this.#takeMap(owed.map, owed.wide);
    else if (owed.kind === "list") this.#takeList(owed.records);
  }

  takeFrames(): void {
    while (this.#bytes[this.#at] === 0 && this.#bytes[this.#at + 1] === 0) {
      this.events.push(...decodeEvents(this.#takeLong()));
    }
  }

  /** Whether there is a pong that answers no Ping yet. */
  takePong(): boolean {
    return this.events.filter(({ kind }) => kind === "pong").length > this.#pongs && ++this.#pongs > 0;
  }

  #takeDone(): void {
    demand(this.#byte() === 1, "what is done is answered with 1");
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
    demand(this.atEnd, "an error is the last word", () => `${code}, then ${this.rest}`);
  }

  #takeMap(map: string, wide: boolean): void {
    const bytes = wide || map.length > 255 ? this.#takeLong() : this.#takeBytes(this.#byte());
    const found = latinOf(bytes);
    demand(found === map, "a Get shows the map as it is at that message", () => `${found}, and ${map}`);
  }

  #takeList(records: readonly string[]): void {
    const list = decodeList(this.#takeLong());
    const found = list.records.map(({ id, status, state }) => `${id} ${status} ${latinOf(state)}`);
    demand(JSON.stringify(found) === JSON.stringify(records), "a List shows the clients as they are", () => {
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
    demand(this.#at + count <= this.#bytes.length, "a reply is whole", () => this.rest);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
