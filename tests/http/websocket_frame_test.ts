import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BINARY,
  checkClose,
  CLOSE,
  FrameError,
  type FrameHeader,
  FrameHeaders,
  PING,
  PONG,
  writeFrameHeader,
} from "../../lib/http/websocket_frame.ts";
import { bytesOf } from "../support/bytes.ts";

// As RFC 6455 numbers them.
const [CONTINUATION, TEXT] = [0, 1];
const [PROTOCOL_ERROR, UNSUPPORTED_DATA, INVALID_TEXT, MESSAGE_TOO_BIG] = [1_002, 1_003, 1_007, 1_009];

const MASK = [1, 2, 3, 4];

function read(bytes: Iterable<number>, headers = new FrameHeaders(1_000)): FrameHeader {
  for (const byte of bytes) {
    const header = headers.push(byte);
    if (header !== null) return header;
  }
  throw new Error("the header is not whole");
}

/** The code with which a frame is refused, and how many of its bytes that takes. */
function refusal(bytes: readonly number[], headers = new FrameHeaders(1_000)): [code: number, after: number] {
  for (const [at, byte] of bytes.entries()) {
    try {
      assertEquals(headers.push(byte), null);
    } catch (error) {
      assert(error instanceof FrameError);
      return [error.code, at + 1];
    }
  }
  throw new Error("nothing is refused");
}

Deno.test("a header is read byte by byte, whatever its length takes", () => {
  const { opcode, isFinal, length, mask } = read([0x80 | BINARY, 0x80 | 5, ...MASK]);
  assertEquals([opcode, isFinal, length, [...mask]], [BINARY, true, 5, MASK]);
  assertEquals(read([0x80 | BINARY, 0x80 | 126, 1, 0, ...MASK]).length, 256);
  const large = read([0x80 | BINARY, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, ...MASK], new FrameHeaders(70_000));
  assertEquals(large.length, 65_536);
});

Deno.test("a frame that no client may send is refused with the first byte that shows it", () => {
  assertEquals(refusal([0x80 | TEXT]), [UNSUPPORTED_DATA, 1]);
  for (const opcode of [3, 7, 11, 15]) assertEquals(refusal([0x80 | opcode]), [PROTOCOL_ERROR, 1]);
  for (const bit of [0x10, 0x20, 0x40]) assertEquals(refusal([0x80 | bit | BINARY]), [PROTOCOL_ERROR, 1]);
  for (const opcode of [CLOSE, PING, PONG]) assertEquals(refusal([opcode]), [PROTOCOL_ERROR, 1]);
  assertEquals(refusal([0x80 | CONTINUATION]), [PROTOCOL_ERROR, 1]);
  assertEquals(refusal([0x80 | BINARY, 5]), [PROTOCOL_ERROR, 2]);
  assertEquals(refusal([0x80 | PING, 0x80 | 126]), [PROTOCOL_ERROR, 2]);
  assertEquals(refusal([0x80 | BINARY, 0x80 | 126, 0, 125, ...MASK]), [PROTOCOL_ERROR, 4]);
  assertEquals(refusal([0x80 | BINARY, 0x80 | 127, 0, 0, 0, 0, 0, 0, 255, 255, ...MASK]), [PROTOCOL_ERROR, 10]);
});

Deno.test("a message that is too long is refused from its length alone, also in many frames", () => {
  assertEquals(refusal([0x80 | BINARY, 0x80 | 126, 3, 233, ...MASK]), [MESSAGE_TOO_BIG, 4]);
  const huge = [255, 255, 255, 255, 255, 255, 255, 255];
  assertEquals(refusal([0x80 | BINARY, 0x80 | 127, ...huge, ...MASK]), [MESSAGE_TOO_BIG, 10]);
  const headers = new FrameHeaders(1_000);
  read([BINARY, 0x80 | 126, 3, 232, ...MASK], headers);
  read([0x80 | PING, 0x80, ...MASK], headers);
  assertEquals(refusal([CONTINUATION, 0x80 | 1, ...MASK], headers), [MESSAGE_TOO_BIG, 2]);
});

Deno.test("messages in several frames neither overlap nor stay open", () => {
  const headers = new FrameHeaders(1_000);
  read([BINARY, 0x80 | 1, ...MASK], headers);
  read([0x80 | CONTINUATION, 0x80 | 1, ...MASK], headers);
  read([BINARY, 0x80 | 1, ...MASK], headers);
  assertEquals(refusal([0x80 | BINARY], headers), [PROTOCOL_ERROR, 1]);
});

Deno.test("a server's frame says its length in as few bytes as there are", () => {
  const header = (length: number) => {
    const bytes = new Uint8Array(14);
    return [...bytes.subarray(0, writeFrameHeader(bytes, BINARY, length))];
  };
  assertEquals(header(0), [0x82, 0]);
  assertEquals(header(125), [0x82, 125]);
  assertEquals(header(126), [0x82, 126, 0, 126]);
  assertEquals(header(65_535), [0x82, 126, 255, 255]);
  assertEquals(header(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
});

Deno.test("a Close frame has a code that may be sent, and a reason in UTF-8", () => {
  const code = (payload: Uint8Array) => assertThrows(() => checkClose(payload), FrameError).code;
  checkClose(bytesOf());
  for (const good of [1_000, 1_003, 1_007, 1_014, 3_000, 4_999]) checkClose(bytesOf(good >>> 8, good & 255, "why"));
  for (const bad of [0, 999, 1_004, 1_005, 1_006, 1_015, 2_999, 5_000]) {
    assertEquals(code(bytesOf(bad >>> 8, bad & 255)), PROTOCOL_ERROR);
  }
  assertEquals(refusal([0x80 | CLOSE, 0x80 | 1]), [PROTOCOL_ERROR, 2]);
  assertEquals(code(bytesOf(3, 232, 0xff)), INVALID_TEXT);
});
