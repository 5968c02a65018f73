import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../lib/http/http_error.ts";
import { findHeadEnd, MAX_HEAD, parseHead, type RequestHead } from "../../lib/http/request_head.ts";
import { bytesOf } from "../support/bytes.ts";

function parse(text: string): RequestHead {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const end = findHeadEnd(bytes, 0, bytes.length);
  assert(end !== -1, "the head is not whole");
  return parseHead(bytes, 0, end);
}

/** The code with which a request is refused. */
function refusal(text: string): string {
  return assertThrows(() => parse(text), HttpError).code;
}

/** Most headers. */
const MAX_HEADERS = 64;

const GET = "GET / HTTP/1.1\r\nHost: a\r\n";

Deno.test("a head is taken apart", () => {
  const head = parse(
    "PUT /clients/a?for=5m HTTP/1.1\r\nHost: tracker:6789\r\ncontent-LENGTH: 3\r\nX: \t a  b \t\r\n\r\n",
  );
  assertEquals([head.method, head.target, head.minor], ["PUT", "/clients/a?for=5m", 1]);
  assertEquals(Object.fromEntries(head.headers), { host: "tracker:6789", "content-length": "3", x: "a  b" });
  assertEquals([head.contentLength, head.isKept, head.expectsContinue], [3, true, false]);
});

Deno.test("a head ends at its empty line, wherever it is cut", () => {
  const bytes = bytesOf(`xx${GET}\r\nGET /`);
  const end = bytes.length - "GET /".length;
  for (let to = 3; to <= bytes.length; to++) assertEquals(findHeadEnd(bytes, 2, to), to < end ? -1 : end);
});

Deno.test("a connection is kept as its version and its header say", () => {
  const kept = (version: string, header: string) => parse(`GET / HTTP/${version}\r\nHost: a\r\n${header}\r\n`).isKept;
  assertEquals(kept("1.1", ""), true);
  assertEquals(kept("1.1", "Connection: x, Close\r\n"), false);
  assertEquals(kept("1.0", ""), false);
  assertEquals(kept("1.0", "Connection: Keep-Alive\r\n"), true);
});

Deno.test("a request of HTTP/1.0 needs no Host, as checks of health send it", () => {
  assertEquals(parse("OPTIONS / HTTP/1.0\r\n\r\n").minor, 0);
  assertEquals(refusal("OPTIONS / HTTP/1.1\r\n\r\n"), "BAD_REQUEST");
});

Deno.test("headers that are lists are joined, and those that say one thing must not come twice", () => {
  assertEquals(parse(`${GET}Accept: a\r\nAccept: b\r\n\r\n`).headers.get("accept"), "a, b");
  for (const name of ["Host: a", "Content-Length: 0", "Authorization: Bearer x", "Origin: x", "Expect: 100-continue"]) {
    assertEquals(refusal(`${GET}${name}\r\n${name}\r\n\r\n`), "BAD_REQUEST", name);
  }
});

Deno.test("whatever two programs could read in two ways is refused", () => {
  const bad = [
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET /\r\nHost: a\r\n\r\n",
    `${GET}X : a\r\n\r\n`,
    `${GET}X\r\n\r\n`,
    `${GET}: a\r\n\r\n`,
    `${GET}X: a\r\n b\r\n\r\n`,
    `${GET} X: a\r\n\r\n`,
    `${GET}X: a\rb\r\n\r\n`,
    `${GET}X: a\0b\r\n\r\n`,
    `${GET}X: \x7f\r\n\r\n`,
    `${GET}X(: a\r\n\r\n`,
    "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    `${GET}Content-Length: +3\r\n\r\n`,
    `${GET}Content-Length: 3, 3\r\n\r\n`,
    `${GET}Content-Length: 0x3\r\n\r\n`,
    `${GET}Content-Length: -1\r\n\r\n`,
    `${GET}Content-Length: \r\n\r\n`,
    `${GET}Content-Length: 1\t\r\n\r\n`,
    `${GET}Content-Length: 1 1\r\n\r\n`,
    `${GET}Content-Length: 99999999999999999999\r\n\r\n`,
    `${GET}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`,
  ];
  for (const text of bad) assertEquals(refusal(text), "BAD_REQUEST", JSON.stringify(text));
});

Deno.test("a body in chunks, another version and another expectation are told apart", () => {
  assertEquals(refusal(`${GET}Transfer-Encoding: chunked\r\n\r\n`), "LENGTH_REQUIRED");
  assertEquals(refusal(`${GET}Transfer-Encoding: \r\n\r\n`), "LENGTH_REQUIRED");
  assertEquals(refusal("PRI * HTTP/2.0\r\n\r\n"), "HTTP_VERSION");
  assertEquals(refusal("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), "HTTP_VERSION");
  assertEquals(refusal(`${GET}Expect: a miracle\r\n\r\n`), "EXPECTATION_FAILED");
  assertEquals(parse(`${GET}Expect: 100-Continue\r\n\r\n`).expectsContinue, true);
});

Deno.test("a tunnel is refused, and nothing that follows is read", () => {
  assertEquals(refusal("CONNECT /map HTTP/1.1\r\nHost: a\r\n\r\n"), "NOT_IMPLEMENTED");
});

Deno.test("a head that is too long, or has too many headers, is refused before it is whole", () => {
  const long = bytesOf(`GET /${"a".repeat(MAX_HEAD)}`);
  assertEquals(assertThrows(() => findHeadEnd(long, 0, long.length), HttpError).code, "HEAD_TOO_LARGE");
  const many = bytesOf(GET + "a: b\r\n".repeat(MAX_HEADERS));
  assertEquals(assertThrows(() => findHeadEnd(many, 0, many.length), HttpError).code, "HEAD_TOO_LARGE");
  const most = `${GET}${Array.from({ length: MAX_HEADERS - 1 }, (_, at) => `a${at}: b\r\n`).join("")}\r\n`;
  assertEquals(parse(most).headers.size, MAX_HEADERS);
});
