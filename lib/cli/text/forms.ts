/**
 * Clients and events in the forms that commands print: objects for programs, lines for people.
 *
 * @module
 */

import type { WatchEvent } from "../../wire/events.ts";
import type { ListRecord, ListReply } from "../../wire/list.ts";
import type { MapEvent } from "../../client/watch.ts";
import { escapeBytes, escapeWord, textOrNull } from "./escape.ts";

/** A state as a member of an object: text, or what stands for bytes that are none. */
export interface StateForm {
  /** The text, or the bytes in base64. */
  readonly state: string;
  /** Only there when the state is not UTF-8. */
  readonly encoding?: "base64";
}

/**
 * Puts a state into an object.
 *
 * @param state Its bytes
 * @returns The members
 */
export function stateForm(state: Uint8Array): StateForm {
  const text = textOrNull(state);
  return text === null ? { state: state.toBase64(), encoding: "base64" } : { state: text };
}

/**
 * Puts a list into an object.
 *
 * @param list What answered a List
 * @returns The object, whose members are named as the library names them
 */
export function listForm({ revision, records }: ListReply): Readonly<Record<string, unknown>> {
  return { revision, clients: records.map(recordForm) };
}

function recordForm({ id, status, revision, openedAt, updatedAt, state }: ListRecord): Record<string, unknown> {
  return { id, status, revision, openedAt, updatedAt, ...stateForm(state) };
}

/** What a watch prints: what it is told of the map, and how its connection is. */
export type WatchNews =
  | MapEvent
  | { kind: "connected" }
  | { kind: "lost"; code: string; message: string };

/**
 * Puts an event into an object.
 *
 * @param news The event
 * @param time When it was heard of
 * @returns The object: `time` and `event`, then what else there is to know
 */
export function newsForm(news: WatchNews, time: Date): Readonly<Record<string, unknown>> {
  return { time: time.toISOString(), ...eventForm(news) };
}

/**
 * Puts an event into an object, without a time.
 *
 * @param news The event
 * @returns The object: `event`, then what else there is to know
 */
export function eventForm(news: WatchNews | WatchEvent): Readonly<Record<string, unknown>> {
  const { kind: event, ...rest } = news;
  return { event, ...rest, ..."state" in rest ? stateForm(rest.state) : {} };
}

/**
 * Puts an event into a line.
 *
 * @param news The event
 * @param time When it was heard of
 * @returns Words set apart by spaces, safe to show; a state comes last, and may have spaces of its own
 */
export function newsLine(news: WatchNews, time: Date): string {
  return [time.toISOString(), news.kind, ...wordsOf(news)].join(" ").trimEnd();
}

function wordsOf(news: WatchNews): string[] {
  switch (news.kind) {
    case "snapshot":
    case "connected":
      return [];
    case "lost":
      return [news.code, escapeBytes(new TextEncoder().encode(news.message))];
    case "synced":
      return [`${news.revision}`];
    case "present":
      return [escapeWord(news.id), news.status, escapeBytes(news.state)];
    case "join":
    case "update":
      return [escapeWord(news.id), escapeBytes(news.state)];
    case "suspect":
    case "resume":
      return [escapeWord(news.id)];
    case "leave":
      return [escapeWord(news.id), news.cause];
  }
}

/**
 * Shows the beginning of a state.
 *
 * @param state The state
 * @param columns How many columns there are at most; without, all of it is shown
 * @returns Text that is safe to show, and may still be too wide
 */
export function previewOf(state: Uint8Array, columns = Infinity): string {
  // A character takes four bytes at most, and one that combines takes no column: a cut may lose some of those.
  let end = Math.min(state.length, columns * 4);
  if (end < state.length) {
    while (end > 0 && (state[end]! & 0xc0) === 0x80) end--;
  }
  return escapeBytes(state.subarray(0, end)) + (end < state.length ? "…" : "");
}
