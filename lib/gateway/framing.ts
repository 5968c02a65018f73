/**
 * How an answer is framed: its head, and where its body ends.
 *
 * @module
 */

import { Chunks } from "../http/chunks.ts";
import { formatHead } from "../http/response_head.ts";
import type { Pieces } from "../base/pieces.ts";
import { type Answer, isStream } from "./answer.ts";

/** Headers of every response. Nothing that is answered may run in a page, or be shown within one. */
const ALWAYS = "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n" +
  "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n";

/** Statuses of responses that have no body, and no length either. */
export const BODILESS: ReadonlySet<number> = new Set([101, 204, 304]);

/** The request that is answered, as far as it matters here. */
export interface Framing {
  /** Its method. */
  readonly method: string;
  /** The minor version of HTTP/1. */
  readonly minor: number;
  /** Whether another request may follow. */
  readonly isKept: boolean;
  /** The date, as HTTP writes it. */
  readonly date: string;
}

/** An answer that is ready to be sent. */
export interface Framed {
  /** Its head. */
  readonly head: string;
  /** Its body; `null` if there is none, or if it is a stream of events. */
  readonly body: Uint8Array | Pieces | null;
  /** Whether another request may follow: the end of the body can be told. */
  readonly isKept: boolean;
}

/**
 * Frames an answer.
 *
 * @param answer The answer
 * @param framing The request
 * @returns What is sent
 */
export function frame(answer: Answer, { method, minor, isKept, date }: Framing): Framed {
  const { body, status } = answer;
  const length = lengthOf(answer);
  const isChunked = length === null && minor === 1 && !isStream(body) && !BODILESS.has(status);
  const isEnding = !isKept || (length === null && !isChunked && !BODILESS.has(status));
  const head = formatHead(
    status,
    `Date: ${date}\r\n${safetyHeaders(answer)}${answer.headers}` +
      (length === null || BODILESS.has(status) ? "" : `Content-Length: ${length}\r\n`) +
      (isChunked ? "Transfer-Encoding: chunked\r\n" : "") +
      connectionHeader(answer, isEnding, minor),
  );
  return { head, body: method === "HEAD" ? discard(answer) : bodyOf(answer, isChunked), isKept: !isEnding };
}

/**
 * Headers that keep browsers from doing what nobody has asked for.
 *
 * @param answer The answer
 * @returns The headers, each with its line end
 */
export function safetyHeaders({ headers }: Answer): string {
  // What has a tag is asked for again, with the tag; everything else is of this moment.
  const cache = headers.includes("ETag: ") ? "no-cache" : "no-store";
  const isShared = headers.includes("Cross-Origin-Resource-Policy: ");
  return `Cache-Control: ${cache}\r\n${ALWAYS}${isShared ? "" : "Cross-Origin-Resource-Policy: same-origin\r\n"}`;
}

function connectionHeader({ isUpgrade }: Answer, isEnding: boolean, minor: number): string {
  if (isUpgrade) return "";
  if (isEnding) return "Connection: close\r\n";
  return minor === 0 ? "Connection: keep-alive\r\n" : "";
}

/** Length of the body, in bytes; `null` if that is not known. */
function lengthOf({ body, length }: Answer): number | null {
  if (body === null) return 0;
  return body instanceof Uint8Array ? body.length : length ?? null;
}

function bodyOf({ body }: Answer, isChunked: boolean): Uint8Array | Pieces | null {
  if (body === null || isStream(body)) return null;
  return isChunked ? new Chunks(body as Pieces) : body;
}

/**
 * Gives up the body of an answer that nobody is going to read.
 *
 * @param answer The answer
 * @returns What is sent instead: nothing
 */
export function discard({ body }: Answer): null {
  if (body !== null && !isStream(body) && !(body instanceof Uint8Array)) body.release();
  return null;
}
