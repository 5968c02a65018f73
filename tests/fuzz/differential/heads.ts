/**
 * Heads of requests, parsed by us and by Node.js.
 *
 * @module
 */

import { HttpError } from "../../../lib/http/http_error.ts";
import { findHeadEnd, parseHead } from "../../../lib/http/request_head.ts";
import { bytesOf } from "../../support/bytes.ts";
import type { Random } from "../../support/random.ts";
import { join, type Tally, Violation } from "./tally.ts";

/** A request that was found. */
interface Found {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names and values by turns, as Node.js reports them. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly isKept: boolean;
  /** Whether its body has come whole. */
  readonly isWhole: boolean;
}

/** What a parser has found in an input. */
interface Result {
  readonly requests: readonly Found[];
  /** Why it stopped; `null` if it waits for more. */
  readonly error: string | null;
}

const PIECES = {
  method: ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "CONNECT", "get", "G", "BREW", "G\0T", ""],
  target: [
    "/",
    "/map",
    "/clients/a?x=1",
    "*",
    "http://a/",
    "a",
    "/ ",
    "/\x80",
    "/#a",
    "//",
    "/%zz",
    "/a\tb",
    "",
    "/a:b@c",
  ],
  version: [
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/1.2",
    "HTTP/0.9",
    "http/1.1",
    "HTTP/11",
    "HTTP/1.1 ",
    "HTTP 1.1",
    "",
  ],
  end: ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", ""],
  gap: [" ", "  ", "\t", "", "\x0b"],
  name: [
    "Host",
    "host",
    "Content-Length",
    "content-length",
    "Transfer-Encoding",
    "Connection",
    "Expect",
    "Authorization",
    "X",
    "Content_Length",
    "Content-Length ",
    " Content-Length",
    "X-\x80",
    "",
    "(",
    "Origin",
    "Accept",
    "Keep-Alive",
  ],
  value: [
    "a",
    "localhost:6789",
    "0",
    "3",
    "5",
    "03",
    "+3",
    "-3",
    "3, 3",
    "3 3",
    "0x3",
    "3.0",
    "99999999999999999999",
    "chunked",
    "identity",
    "chunked, chunked",
    "xchunked",
    " chunked",
    "chunked;q=1",
    "close",
    "keep-alive",
    "close, keep-alive",
    "100-continue",
    "",
    " ",
    "\t",
    "a\0b",
    "a\x01b",
    "a\x7fb",
    "a\x80b",
    "a b",
    "a\r b",
    "a\n b",
    '"',
    "é",
    "[::1]",
    "a@b",
    "a/b",
    "b:x",
  ],
  colon: [":", ": ", ":\t", " :", "", "::", ": \t "],
  body: ["", "abc", "abcde", "3\r\nabc\r\n0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", "\0"],
} as const;

/**
 * Makes an input: one request, or several, most of them right, and some of them nearly.
 *
 * @param random The source
 * @returns Its bytes
 */
export function makeHead(random: Random): Uint8Array {
  const count = random.next() < 0.6 ? 1 : random.integer(2, 4);
  let text = Array.from({ length: count }, () => makeRequest(random)).join("");
  while (random.next() < 0.2) text = mutate(text, random);
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}

/** The usual choice most of the time, any other now and then. */
function usually(random: Random, usual: string, others: readonly string[], odds = 0.94): string {
  return random.next() < odds ? usual : random.pick(others);
}

function makeRequest(random: Random): string {
  const method = random.next() < 0.85 ? random.pick(["GET", "PUT", "POST", "DELETE"]) : random.pick(PIECES.method);
  const end = () => usually(random, "\r\n", PIECES.end, 0.985);
  const gap = () => usually(random, " ", PIECES.gap, 0.98);
  let text = method + gap() + usually(random, "/map", PIECES.target, 0.8) + gap() +
    usually(random, "HTTP/1.1", PIECES.version, 0.88) + end();
  if (random.next() < 0.95) text += `Host:${random.pick(["", " "])}${usually(random, "a", PIECES.value)}${end()}`;
  const body = random.next() < 0.4 ? random.pick(PIECES.body) : "";
  if (body !== "" && random.next() < 0.95) text += `Content-Length: ${body.length}${end()}`;
  for (let more = random.integer(0, 3); more > 0; more--) {
    const value = usually(random, "a", PIECES.value, 0.5);
    text += usually(random, random.pick(["X", "Accept", "Connection", "Y"]), PIECES.name, 0.8) +
      usually(random, ": ", PIECES.colon, 0.96) + value + end();
  }
  return text + end() + body;
}

function mutate(text: string, random: Random): string {
  const at = random.integer(0, text.length);
  const length = random.integer(0, 4);
  const odd = () => String.fromCharCode(random.pick([0, 9, 10, 11, 13, 32, 34, 44, 58, 59, 65, 97, 127, 128, 255]));
  switch (random.integer(0, 4)) {
    case 0:
      return text.slice(0, at) + odd() + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
      return text.slice(0, at) + odd() + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + text.slice(at, at + 20) + text.slice(at);
    default:
      return text.slice(0, at);
  }
}

/** Parses an input as a connection of the gateway does. */
function parseOurs(bytes: Uint8Array): Result {
  const requests: Found[] = [];
  for (let from = 0; from < bytes.length;) {
    try {
      const end = findHeadEnd(bytes, from, bytes.length);
      if (end === -1) break;
      const { method, target, minor, headers, contentLength, isKept } = parseHead(bytes, from, end);
      from = Math.min(bytes.length, end + contentLength);
      requests.push({
        method,
        target,
        version: `1.${minor}`,
        headers: [...headers].flat(),
        body: String.fromCharCode(...bytes.subarray(end, from)),
        isKept,
        isWhole: from === end + contentLength,
      });
      if (!isKept || !requests.at(-1)!.isWhole) break;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return { requests, error: error.code };
    }
  }
  return { requests, error: null };
}

/** Parses with a process of Node.js. */
export class NodeParser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor() {
    const script = new URL("./node_parser.cjs", import.meta.url).pathname;
    this.#process = new Deno.Command("node", {
      args: ["--no-deprecation", script],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async parse(inputs: readonly Uint8Array[]): Promise<Result[]> {
    const number = (value: number) => bytesOf(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
    const batch = join([number(inputs.length), ...inputs.flatMap((input) => [number(input.length), input])]);
    const writing = this.#writer.write(join([number(batch.length), batch]));
    const [line] = await Promise.all([this.#line(), writing]);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#process.status;
  }

  async #line(): Promise<string> {
    const parts = [this.#rest];
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("node has ended");
      const at = value.indexOf("\n");
      parts.push(at === -1 ? value : value.slice(0, at));
      if (at === -1) continue;
      this.#rest = value.slice(at + 1);
      return parts.join("");
    }
  }
}

/** What Node.js refuses, and is answered here with a refusal of its own, once the request is known. */
const REFUSED_LATER: ReadonlySet<string> = new Set(["HPE_INVALID_METHOD", "HPE_INVALID_URL"]);

/**
 * Compares the two on some inputs.
 *
 * @param inputs The inputs
 * @param node Node.js's parser
 * @param tally Counts what they have decided
 * @throws {Violation} if what we take is not what Node.js takes
 */
export async function compareHeads(inputs: readonly Uint8Array[], node: NodeParser, tally: Tally): Promise<void> {
  const theirs = await node.parse(inputs);
  for (const [index, input] of inputs.entries()) compareHead(input, parseOurs(input), theirs[index]!, tally);
}

function compareHead(input: Uint8Array, ours: Result, theirs: Result, tally: Tally): void {
  for (const [index, request] of ours.requests.entries()) {
    const other = theirs.requests[index];
    if (other === undefined) {
      if (theirs.error !== null && REFUSED_LATER.has(theirs.error)) {
        return tally.count(`refused later: ${theirs.error}`);
      }
      throw new Violation("taken here, and refused by Node.js", input, { ours, theirs });
    }
    const [mine, their] = [flat(request), flat(other)];
    if (mine !== their) throw new Violation("taken for something else than by Node.js", input, { mine, their });
  }
  const isSame = ours.requests.length === theirs.requests.length;
  if (ours.error !== null && theirs.error === null) return tally.count(`stricter: ${ours.error}`);
  tally.count(ours.error === null ? (isSame ? "both take it" : "one waits for more") : "both refuse it");
}

/** Everything that must be the same; of headers that come twice the values are joined. */
function flat({ method, target, version, headers, body, isKept, isWhole }: Found): string {
  const joined = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase();
    const before = joined.get(name);
    const value = headers[at + 1]!;
    joined.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return JSON.stringify([method, target, version, [...joined].sort(), body, isKept, isWhole]);
}
