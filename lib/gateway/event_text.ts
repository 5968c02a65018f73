/**
 * Events as Server-Sent Events.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import { safeJson } from "../base/text.ts";
import type { Entry, EventEncoder } from "../feed/event_encoder.ts";
import type { LeaveCause } from "../protocol.ts";
import type { WatchEvent } from "../wire/events.ts";
import { eventForm } from "../wire/forms.ts";

/**
 * Makes text of events: `id` is where a watch can be resumed, `event` what happened, `data` the JSON that `tracker watch
 * --json` prints, without the time.
 *
 * Within a snapshot there is no place to resume from. So it begins with an empty `id`, which makes a browser forget the
 * last one, and has no other until it is complete.
 */
export class EventText implements EventEncoder {
  readonly #incarnation: string;
  #parts: string[] = [];
  #length = 0;

  /** @param incarnation The map's life, which is a part of every `id` */
  constructor(incarnation: string) {
    this.#incarnation = incarnation;
  }

  get count(): number {
    return this.#parts.length;
  }

  get length(): number {
    return this.#length;
  }

  snapshot(revision: number): void {
    this.#add({ kind: "snapshot", revision }, "id:\n");
  }

  present({ revision, id, status, openedAt, updatedAt, until, state }: Entry): void {
    this.#add({ kind: "present", revision, id, status, openedAt, updatedAt, until, state }, "");
  }

  synced(revision: number, incarnation: string): void {
    this.#add({ kind: "synced", revision, incarnation });
  }

  state(kind: "join" | "update", revision: number, { id, state }: Entry): void {
    this.#add({ kind, revision, id, state });
  }

  set(revision: number, { id, until, state }: Entry): void {
    this.#add({ kind: "set", revision, id, until, state });
  }

  status(kind: "suspect" | "resume", revision: number, { id }: Entry): void {
    this.#add({ kind, revision, id });
  }

  leave(revision: number, id: string, cause: LeaveCause, isInSnapshot = false): void {
    const event: WatchEvent = { kind: "leave", revision, id, cause };
    if (isInSnapshot) this.#add(event, "");
    else this.#add(event);
  }

  finish(): Uint8Array {
    const bytes = toBytes(this.#parts.join(""));
    this.#parts = [];
    this.#length = 0;
    return bytes;
  }

  #add(
    event: WatchEvent,
    place = `id: ${this.#incarnation}:${event.revision}\n`,
  ): void {
    const text = eventText(event.kind, eventForm(event), place);
    this.#parts.push(text);
    this.#length += text.length;
  }
}

/**
 * Writes an event.
 *
 * @param name What happened
 * @param data What to tell of it
 * @param place Its line `id`, if it has one
 * @returns The text
 */
export function eventText(name: string, data: object, place = ""): string {
  return `${place}event: ${name}\ndata: ${safeJson(data)}\n\n`;
}
