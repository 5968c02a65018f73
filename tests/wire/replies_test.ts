import { assert, assertEquals } from "@std/assert";
import { type Dialect, TrackerError } from "../../mod.ts";
import {
  encodeError,
  encodeMapLength,
  type Expected,
  INVALID,
  NEED_MORE,
  REPLY_DONE,
  REPLY_ERROR,
  REPLY_JSON,
  REPLY_MAP,
  ReplyParser,
} from "../../lib/wire/mod.ts";
import { bytesOf, longLength, textOf } from "../support/bytes.ts";

Deno.test("map length takes one byte only if the dialect and the length allow it", () => {
  const encode = (length: number, dialect: Dialect | "unsettled") => {
    const target = new Uint8Array(8);
    return target.slice(0, encodeMapLength(target, 0, length, dialect));
  };
  for (const dialect of ["compact", "unsettled"] as const) {
    assertEquals(encode(2, dialect), bytesOf(2));
    assertEquals(encode(255, dialect), bytesOf(255));
    assertEquals(encode(256, dialect), longLength(256));
  }
  for (const dialect of ["wide", "java"] as const) {
    assertEquals(encode(2, dialect), longLength(2));
    assertEquals(encode(2 ** 32 + 1, dialect), longLength(2 ** 32 + 1));
    assertEquals(encode(2 ** 40 + 255, dialect), longLength(2 ** 40 + 255));
  }
});

Deno.test("error reply is 0, a length and the text, cut where its length byte ends", () => {
  assertEquals(encodeError(new TrackerError("BAD_TYPE", "no")), bytesOf(0, 12, "BAD_TYPE: no"));
  const long = encodeError(new TrackerError("BAD_TYPE", "é".repeat(300)));
  // 10 bytes of code leave 245, which two-byte characters cannot fill.
  assertEquals(long.length, 2 + 254);
  assertEquals(long[1], 254);
  assertEquals(textOf(long.subarray(2)), `BAD_TYPE: ${"é".repeat(122)}`);
});

const REPLIES: [string, Expected, Uint8Array, number, string][] = [
  ["done", "done", bytesOf(1), REPLY_DONE, ""],
  ["short map", "map", bytesOf(15, "{a=b, c=d, e=f}"), REPLY_MAP, "{a=b, c=d, e=f}"],
  ["shortest map", "map", bytesOf(2, "{}"), REPLY_MAP, "{}"],
  ["long map", "map", bytesOf(longLength(300), `{${"x".repeat(298)}}`), REPLY_MAP, `{${"x".repeat(298)}}`],
  ["answer to a Put", "json", bytesOf(1, longLength(2), "{}"), REPLY_JSON, "{}"],
  ["short map with a long length", "map", bytesOf(longLength(2), "{}"), REPLY_MAP, "{}"],
  ["error instead of done", "done", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
  ["error instead of a map", "map", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
  ["error that answers nothing", "nothing", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
];

Deno.test("replies are parsed the same, wherever they are cut", () => {
  for (const [name, expected, bytes, token, payload] of REPLIES) {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new ReplyParser();
      const early = parser.next(bytes, 0, cut, expected);
      if (cut < bytes.length) {
        assertEquals(early, NEED_MORE, name);
        assert(parser.needed > cut && parser.needed <= bytes.length, name);
      }
      assertEquals(parser.next(bytes, 0, bytes.length, expected), token, name);
      assertEquals(textOf(bytes.subarray(parser.payloadStart, parser.payloadEnd)), payload, name);
      assertEquals(parser.position, bytes.length, name);
    }
  }
});

Deno.test("replies that do not answer the question are refused", () => {
  const refuse = (expected: Expected, ...parts: Parameters<typeof bytesOf>) => {
    const parser = new ReplyParser({ maxMap: 1_000 });
    const bytes = bytesOf(...parts);
    assertEquals(parser.next(bytes, 0, bytes.length, expected), INVALID);
    return parser.error?.code;
  };
  assertEquals(refuse("done", 2), "BAD_REPLY");
  assertEquals(refuse("done", 0, 0), "BAD_REPLY");
  assertEquals(refuse("map", 1), "BAD_REPLY");
  assertEquals(refuse("map", longLength(1)), "BAD_REPLY");
  assertEquals(refuse("nothing", 1), "BAD_REPLY");
  assertEquals(refuse("nothing", 0, 0), "BAD_REPLY");
  assertEquals(refuse("map", longLength(1_001)), "REPLY_TOO_LARGE");
  assertEquals(refuse("map", 0, 0, new Uint8Array(6).fill(255)), "REPLY_TOO_LARGE");
});

Deno.test("TLS alert of a server is told apart from any reply, wherever it is cut", () => {
  const alert = bytesOf(21, 3, 3, 0, 2, 2, 50);
  for (const expected of ["done", "map", "hello", "list", "stats", "nothing"] as const) {
    const parser = new ReplyParser();
    assertEquals(parser.next(alert, 0, 1, expected), NEED_MORE);
    for (let to = 2; to <= alert.length; to++) {
      assertEquals(parser.next(alert, 0, to, expected), INVALID);
      assertEquals(parser.error?.code, "TLS_FAILED");
    }
  }
  const map = bytesOf(21, "{client1=a, client2=}");
  const parser = new ReplyParser();
  assertEquals(parser.next(map, 0, map.length, "map"), REPLY_MAP);
  assertEquals(parser.payloadEnd, map.length);
});

Deno.test("error reply keeps a known code, and the text of an unknown one", () => {
  const read = (text: string) => {
    const parser = new ReplyParser();
    const bytes = bytesOf(0, text.length, text);
    assertEquals(parser.next(bytes, 0, bytes.length, "done"), REPLY_ERROR);
    return [parser.error?.code, parser.error?.message];
  };
  assertEquals(read("BAD_TYPE: there is\nno type"), ["BAD_TYPE", "there is\nno type"]);
  assertEquals(read("NO_SUCH_CODE: ada"), ["REFUSED", "NO_SUCH_CODE: ada"]);
  assertEquals(read("ABORTED: not a wire code"), ["REFUSED", "ABORTED: not a wire code"]);
  assertEquals(read("?"), ["REFUSED", "?"]);
});

Deno.test("what is not in braces is no map, and is refused as soon as that can be seen", () => {
  const wrong: [string, number][] = [["HTTP/1.1 400 Bad Request", 2], ["SSH-2.0-OpenSSH", 2], ["220 mail ready", 2], [
    "\x03{=]",
    4,
  ]];
  for (const [text, enough] of wrong) {
    const bytes = bytesOf(text);
    assertEquals(new ReplyParser().next(bytes, 0, enough - 1, "map"), NEED_MORE, text);
    const parser = new ReplyParser();
    assertEquals([parser.next(bytes, 0, enough, "map"), parser.error?.code], [INVALID, "BAD_REPLY"], text);
  }
});
