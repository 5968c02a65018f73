/**
 * The head of a request, as RFC 9112 writes it, and nothing more lenient: two programs that read a head in two ways can
 * be made to take a part of one request for another.
 *
 * Refused are, among others, a bare LF, a folded line, a space before a colon, a header that is doubled and must not be,
 * a body without a length or with two, and every target that is not a path.
 *
 * @module
 */

import { badRequest, HttpError } from "./http_error.ts";

/** Longest head, in bytes. */
export const MAX_HEAD = 8_192;

/** Most headers. */
const MAX_HEADERS = 64;

const CR = 13;
const LF = 10;
const FIRST_LETTER = "A".charCodeAt(0);
const LAST_LETTER = "Z".charCodeAt(0);

const REQUEST_LINE = /^([A-Z]{1,16}) (\/[!-~]*|\*) HTTP\/1\.([01])$/;

const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

const HOST = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,253})(?::\d{1,5})?$/;

/** Headers that say one thing: with two, each reader may believe another. */
const SINGLE: ReadonlySet<string> = new Set([
  "access-control-request-method",
  "authorization",
  "content-length",
  "content-type",
  "expect",
  "host",
  "last-event-id",
  "origin",
  "sec-websocket-key",
  "sec-websocket-version",
  "transfer-encoding",
]);

/** The head of a request. */
export interface RequestHead {
  /** The method. */
  readonly method: string;
  /** The target: a path, perhaps with a query, or `*`. */
  readonly target: string;
  /** The minor version of HTTP/1. */
  readonly minor: number;
  /** The headers, by name in lower case; of some the values of several are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Length of the body, in bytes. */
  readonly contentLength: number;
  /** Whether another request may follow on the connection. */
  readonly isKept: boolean;
  /** Whether the client waits for leave to send the body. */
  readonly expectsContinue: boolean;
}

/**
 * Finds the end of a head.
 *
 * @param bytes What has come, at least a byte of the head
 * @param from Where the head begins
 * @param to Where what has come ends
 * @returns The offset after the head; -1 if it has not come whole
 * @throws {HttpError} HEAD_TOO_LARGE, or BAD_REQUEST for a line that does not end as it must
 */
export function findHeadEnd(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from]!;
  if (first < FIRST_LETTER || first > LAST_LETTER) throw badRequest("it does not begin with a method");
  const end = Math.min(to, from + MAX_HEAD);
  let start = from;
  for (let lines = 0; lines <= MAX_HEADERS + 1; lines++) {
    const at = bytes.indexOf(LF, start);
    if (at === -1 || at >= end) {
      if (end - from < MAX_HEAD) return -1;
      throw tooLarge(`its head is longer than ${MAX_HEAD} bytes`);
    }
    if (at === from || bytes[at - 1] !== CR) throw badRequest("a line of its head does not end with CR LF");
    if (at === start + 1) return at + 1;
    start = at + 1;
  }
  throw tooLarge(`it has more than ${MAX_HEADERS} headers`);
}

/**
 * Parses a head.
 *
 * @param bytes What has come
 * @param from Where the head begins
 * @param end Where it ends, as {@linkcode findHeadEnd} has found
 * @returns The head
 * @throws {HttpError} if it is not as it must be
 */
export function parseHead(bytes: Uint8Array, from: number, end: number): RequestHead {
  const [first = "", ...lines] = latin1(bytes, from, end - 4).split("\r\n");
  const [, method, target, minor] = REQUEST_LINE.exec(first) ?? explainLine(first);
  if (method === "CONNECT") throw new HttpError("NOT_IMPLEMENTED", "Cannot take request: there are no tunnels here");
  if (target!.includes("#")) throw badRequest("its target has a fragment");
  if (target === "*" && method !== "OPTIONS") throw badRequest("its target is no path");
  const headers = parseHeaders(lines);
  const isLatest = minor === "1";
  checkHost(headers.get("host"), isLatest);
  const options = tokensOf(headers.get("connection"));
  return {
    method: method!,
    target: target!,
    minor: isLatest ? 1 : 0,
    headers,
    contentLength: lengthOf(headers),
    isKept: isLatest ? !options.includes("close") : options.includes("keep-alive"),
    expectsContinue: isLatest && expects(headers.get("expect")),
  };
}

/**
 * Takes a header apart whose value is a list of words.
 *
 * @param value Its value
 * @returns The words, in lower case
 */
export function tokensOf(value = ""): string[] {
  return value.split(",").map((token) => token.trim().toLowerCase()).filter((token) => token !== "");
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", written = ""] = HEADER.exec(line) ?? [];
    if (name === "") throw badRequest("a header is not NAME: VALUE");
    const key = name.toLowerCase();
    const value = trim(written);
    // A tab beside a number is read by some as a part of it.
    if (key === "content-length" && written.includes("\t")) throw badRequest("its Content-Length has a tab");
    const before = headers.get(key);
    if (before !== undefined && SINGLE.has(key)) throw badRequest(`it has more than one ${name}`);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Without spaces and tabs at either end. A regular expression would take its time over many of them. */
function trim(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || code === 9;
}

function checkHost(host: string | undefined, isNeeded: boolean): void {
  if (host === undefined && isNeeded) throw badRequest("it has no Host");
  if (host !== undefined && !HOST.test(host)) throw badRequest("its Host is not NAME or NAME:PORT");
}

function lengthOf(headers: ReadonlyMap<string, string>): number {
  const length = headers.get("content-length");
  if (headers.has("transfer-encoding")) {
    if (length !== undefined) throw badRequest("it has both a Content-Length and a Transfer-Encoding");
    throw new HttpError("LENGTH_REQUIRED", "Cannot take body: it has a Transfer-Encoding and no Content-Length");
  }
  if (length === undefined) return 0;
  if (/^\d{1,15}$/.test(length)) return Number(length);
  throw badRequest("its Content-Length is no number");
}

function expects(value: string | undefined): boolean {
  if (value === undefined) return false;
  if (value.toLowerCase() === "100-continue") return true;
  throw new HttpError("EXPECTATION_FAILED", "Cannot take request: it expects something other than 100-continue");
}

/** Says what is wrong with a request line. */
function explainLine(line: string): never {
  const [, version] = / HTTP\/(\d+\.\d+)$/.exec(line) ?? [];
  if (version !== undefined && version !== "1.1" && version !== "1.0") {
    throw new HttpError("HTTP_VERSION", "Cannot take request: its version is neither HTTP/1.1 nor HTTP/1.0");
  }
  throw badRequest("its first line is not METHOD /PATH HTTP/1.1");
}

function tooLarge(why: string): HttpError {
  return new HttpError("HEAD_TOO_LARGE", `Cannot take request: ${why}`);
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode.apply(null, bytes.subarray(from, to) as unknown as number[]);
}
