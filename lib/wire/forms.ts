/**
 * Clients and events as objects for programs: what `--json` prints, and what HTTP answers.
 *
 * @module
 */

import { textOrNull } from "../base/text.ts";
import type { ListRecord, ListReply } from "./list.ts";

/** A state as members of an object. */
export interface StateForm {
  /** The text, or the bytes in base64. */
  readonly state: string;
  /** Present only if the state is not UTF-8. */
  readonly encoding?: "base64";
}

/**
 * Converts a state for programs.
 *
 * @param state Its bytes
 * @returns The members of an object
 */
export function stateForm(state: Uint8Array): StateForm {
  const text = textOrNull(state);
  return text === null ? { state: state.toBase64(), encoding: "base64" } : { state: text };
}

/**
 * Converts a list for programs.
 *
 * @param list The reply to a List
 * @returns An object, with the names that the library uses
 */
export function listForm({ revision, records }: ListReply): Readonly<Record<string, unknown>> {
  return { revision, clients: records.map(recordForm) };
}

/**
 * Converts a client of a list for programs.
 *
 * @param record The record
 * @returns An object, with the names that the library uses; what is not known is `null`
 */
export function recordForm({ state, details, ...rest }: ListRecord): Record<string, unknown> {
  const more = details && { ...details, until: details.until === 0 ? null : details.until };
  return { ...rest, ...more, ...stateForm(state) };
}

/** An event of a watch: what happened, and to whom. */
export interface NamedEvent {
  /** What happened. */
  readonly kind: string;
  /** The client's state, if the event has one. */
  readonly state?: Uint8Array;
}

/**
 * Converts an event for programs, without a time.
 *
 * @param news The event
 * @returns An object: `event`, then the rest
 */
export function eventForm(news: NamedEvent): Readonly<Record<string, unknown>> {
  const { kind: event, time: _, ...rest } = { time: 0, ...news };
  return { event, ...rest, ...rest.state !== undefined ? stateForm(rest.state) : {} };
}
