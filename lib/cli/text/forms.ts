/**
 * Clients and events as commands print them: objects for programs, lines for people.
 *
 * @module
 */

import { eventForm } from "../../wire/forms.ts";
import { toBytes } from "../../base/bytes.ts";
import type { MapEvent } from "../../client/watch.ts";
import { escapeBytes, escapeWord } from "./escape.ts";

/** Each member of a union without some of its properties. */
export type Omitting<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;

/** What a watch prints: events of the map, and of its connection. */
export type WatchNews =
  | Omitting<MapEvent, "time">
  | { kind: "connected" }
  | { kind: "lost"; code: string; message: string };

/**
 * Converts an event for programs.
 *
 * @param news The event
 * @param time When it arrived
 * @returns An object: `time` and `event`, then the rest
 */
export function newsForm(news: WatchNews, time: Date): Readonly<Record<string, unknown>> {
  return { time: time.toISOString(), ...eventForm(news) };
}

/**
 * Writes an event as a line for people.
 *
 * @param news The event
 * @param time When it arrived
 * @returns Words separated by spaces, safe to show; a state comes last and may contain spaces
 */
export function newsLine(news: WatchNews, time: Date): string {
  return [time.toISOString(), news.kind, ...wordsOf(news)].join(" ").trimEnd();
}

/** A server may send any number. */
function isoTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? "?" : time.toISOString();
}

function wordsOf(news: WatchNews): string[] {
  switch (news.kind) {
    case "snapshot":
    case "connected":
      return [];
    case "lost":
      return [news.code, escapeBytes(toBytes(news.message))];
    case "synced":
      return [`${news.revision}`];
    case "present":
      return [escapeWord(news.id), news.status, escapeBytes(news.state)];
    case "set":
      return [escapeWord(news.id), isoTime(news.until), escapeBytes(news.state)];
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
 * @param columns How many columns the text may take; the whole state unless given
 * @returns Text that is safe to show, but may still be too wide
 */
export function previewOf(state: Uint8Array, columns = Infinity): string {
  // A character takes at most four bytes. Combining characters take no column, so the cut may lose some of those.
  let end = Math.min(state.length, columns * 4);
  if (end < state.length) {
    while (end > 0 && (state[end]! & 0xc0) === 0x80) end--;
  }
  return escapeBytes(state.subarray(0, end)) + (end < state.length ? "…" : "");
}
