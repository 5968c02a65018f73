import { toBytes } from "../../lib/base/bytes.ts";
import type { EventEncoder } from "../../lib/feed/event_encoder.ts";
import type { Entry, LeaveCause } from "../../mod.ts";
import type { WatchEvent } from "../../lib/wire/mod.ts";
import { textOf } from "../support/bytes.ts";

/** A second format: an event is a line of JSON, with its state as text. */
export class JsonLines implements EventEncoder {
  #lines = "";
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get length(): number {
    return this.#lines.length;
  }

  snapshot(revision: number): void {
    this.#add({ kind: "snapshot", revision });
  }

  present({ id, status, revision, openedAt, updatedAt, until, state }: Entry): void {
    this.#add({ kind: "present", revision, id, status, openedAt, updatedAt, until, state: textOf(state) });
  }

  synced(revision: number, incarnation: string): void {
    this.#add({ kind: "synced", revision, incarnation });
  }

  state(kind: "join" | "update", revision: number, { id, state }: Entry): void {
    this.#add({ kind, revision, id, state: textOf(state) });
  }

  set(revision: number, { id, until, state }: Entry): void {
    this.#add({ kind: "set", revision, id, until, state: textOf(state) });
  }

  status(kind: "suspect" | "resume", revision: number, { id }: Entry): void {
    this.#add({ kind, revision, id });
  }

  leave(revision: number, id: string, cause: LeaveCause): void {
    this.#add({ kind: "leave", revision, id, cause });
  }

  finish(): Uint8Array {
    const bytes = toBytes(this.#lines);
    this.#lines = "";
    this.#count = 0;
    return bytes;
  }

  #add(event: Record<string, string | number>): void {
    this.#lines += `${JSON.stringify(event)}\n`;
    this.#count++;
  }
}

/** Parses what {@linkcode JsonLines} has made. */
export function parseLines(bytes: Uint8Array): WatchEvent[] {
  return textOf(bytes).trimEnd().split("\n").map((line) => {
    const event = JSON.parse(line);
    return "state" in event ? { ...event, state: toBytes(event.state) } : event;
  });
}
