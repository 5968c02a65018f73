/**
 * An answer to a request, before it is bytes.
 *
 * @module
 */

import { safeJson } from "../base/text.ts";
import { toBytes } from "../base/bytes.ts";
import type { Pieces } from "../base/pieces.ts";
import type { Watcher } from "../feed/watcher.ts";

/** A body that never ends by itself: what a watcher is told. */
export interface EventStream {
  /** What comes first. */
  readonly preface: Uint8Array;
  /**
   * Begins the watch.
   *
   * @param onNews Called when there is something to take
   * @returns The watcher
   */
  begin(onNews: () => void): Watcher;
}

/** The body of an answer. */
export type AnswerBody = Uint8Array | Pieces | EventStream | null;

/** An answer to a request. */
export interface Answer {
  /** Its status. */
  readonly status: number;
  /** Its headers, each with its line end. */
  readonly headers: string;
  /** Its body. */
  readonly body: AnswerBody;
  /** Length of a body that is made in pieces, in bytes, if that is known. */
  readonly length?: number;
  /** Whether the connection is to become a WebSocket. */
  readonly isUpgrade?: boolean;
}

/** Whether a body never ends by itself. */
export function isStream(body: AnswerBody): body is EventStream {
  return body !== null && "begin" in body;
}

/**
 * Makes an answer of JSON.
 *
 * @param value What to answer
 * @param options Its status, 200 unless given, and more headers
 * @returns The answer
 */
export function jsonAnswer(value: unknown, options: { status?: number; headers?: string } = {}): Answer {
  const { status = 200, headers = "" } = options;
  return {
    status,
    headers: `Content-Type: application/json\r\n${headers}`,
    body: toBytes(`${safeJson(value)}\n`),
  };
}

/**
 * Makes an answer of text.
 *
 * @param text What to answer
 * @param type Its media type
 * @returns The answer
 */
export function textAnswer(text: string, type: string): Answer {
  return { status: 200, headers: `Content-Type: ${type}\r\n`, body: toBytes(text) };
}
