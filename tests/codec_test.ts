import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { concat, equals } from "../lib/cli/std.ts";
import fc from "./support/packages/fast_check.ts";
import {
  AMBIGUOUS,
  CLOSE,
  type Dialect,
  DIALECTS,
  encodeError,
  encodeMapLength,
  type Expected,
  GET,
  HELLO,
  INVALID,
  MessageEncoder,
  MessageParser,
  type MessageParserOptions,
  type MessageType,
  NEED_MORE,
  OPEN,
  PING,
  REPLY_DONE,
  REPLY_ERROR,
  REPLY_MAP,
  ReplyParser,
  TrackerError,
  UPDATE,
} from "../mod.ts";
import { AWKWARD_STATES, CONVERSATIONS } from "./fixtures/conversations.ts";
import { bytesOf, everyDelivery, longLength, textOf } from "./support/bytes.ts";
import { Random } from "./support/random.ts";

interface Parsed {
  messages: { type: MessageType; state: Uint8Array; count: number }[];
  last: number;
  parser: MessageParser;
}

/** Feeds bytes as a connection would deliver them; what is not used up stays in the buffer. */
function parse(delivery: Uint8Array[], options?: MessageParserOptions): Parsed {
  const parser = new MessageParser(options);
  const messages: Parsed["messages"] = [];
  let buffer = new Uint8Array(0);
  let last: number = NEED_MORE;
  for (const part of delivery) {
    buffer = concat([buffer, part]);
    let from = 0;
    for (;;) {
      last = parser.next(buffer, from, buffer.length);
      if (last < 0) break;
      const state = buffer.slice(parser.stateStart, parser.stateEnd);
      messages.push({ type: last as MessageType, state, count: parser.count });
      from = parser.position;
      if (last === CLOSE) return { messages, last, parser };
    }
    buffer = buffer.slice(from);
  }
  return { messages, last, parser };
}

function errorOf(...parts: Parameters<typeof bytesOf>): TrackerError {
  const { last, parser } = parse([bytesOf(...parts)]);
  assertEquals(last, INVALID);
  assert(parser.error !== null);
  return parser.error;
}

function finalState({ messages }: Parsed): Uint8Array | undefined {
  return messages.findLast(({ type }) => type === OPEN || type === UPDATE)?.state;
}

Deno.test("codec parses every conversation alike, however it is cut", () => {
  for (const { name, sent, messages, map } of CONVERSATIONS) {
    for (const delivery of everyDelivery(sent)) {
      const parsed = parse(delivery);
      assertEquals(parsed.messages.reduce((sum, { count }) => sum + count, 0), messages, name);
      if (map !== "{}") assertEquals(`{client1=${textOf(finalState(parsed) ?? new Uint8Array())}}`, map, name);
    }
  }
});

Deno.test("codec settles the dialect by the first length and keeps to it", () => {
  assertEquals(parse([bytesOf(42)]).parser.dialect, "unsettled");
  assertEquals(parse([bytesOf(42, 3)]).parser.dialect, "unsettled");
  assertEquals(parse([bytesOf(42, 0, 0)]).parser.dialect, "unsettled");
  assertEquals(parse([bytesOf(42, 0, 1)]).parser.dialect, "compact");
  assertEquals(parse([bytesOf(42, 0, 0, 0)]).parser.dialect, "wide");
  assertEquals(parse([bytesOf(42, 0, 0, 42)]).parser.dialect, "compact");
  assertEquals(parse([bytesOf(66)]).parser.dialect, "java");
  const settled = parse([bytesOf(42, 0, 1, "a", 42, 2, 0, 42, 2, 0)]);
  assertEquals(settled.parser.dialect, "compact");
  assertEquals(settled.last, NEED_MORE);
});

Deno.test("codec leaves an empty compact state undecided until the next byte or the end", () => {
  for (const type of [OPEN, UPDATE]) {
    const { last, parser } = parse([bytesOf(42, type, 0)]);
    assertEquals(last, AMBIGUOUS);
    assertEquals(parser.needed, 4);
    parser.settle();
    assertEquals(parser.next(bytesOf(42, type, 0), 0, 3), type);
    assertEquals(parser.stateStart, parser.stateEnd);
    assertEquals(parser.dialect, "compact");
  }
  assertEquals(parse([bytesOf(42, 0, 0, 42, 1)]).messages.map(({ type }) => type), [OPEN, CLOSE]);
});

Deno.test("codec is strict when the dialect is given", () => {
  assertEquals(parse([bytesOf(42, 0, 0)], { dialect: "compact" }).messages.length, 1);
  assertEquals(parse([bytesOf(42, 0, 3, "abc")], { dialect: "wide" }).messages.length, 0);
  assertEquals(parse([bytesOf(66, 1, 3)], { dialect: "wide" }).parser.error?.code, "BAD_MAGIC");
  assertEquals(parse([bytesOf(66, 1, 3)], { dialect: "compact" }).parser.error?.code, "BAD_MAGIC");
  assertEquals(parse([bytesOf(42, 3)], { dialect: "java" }).parser.error?.code, "BAD_MAGIC");
});

Deno.test("codec reads compact Updates as enveloped until one proves otherwise", () => {
  const states = (...parts: Parameters<typeof bytesOf>) =>
    [...everyDelivery(bytesOf(...parts))].map((delivery) => textOf(finalState(parse(delivery)) ?? new Uint8Array()));
  const all = (expected: string, ...parts: Parameters<typeof bytesOf>) => {
    for (const state of states(...parts)) assertEquals(state, expected);
  };
  all("abc", 42, 2, 4, 3, "abc");
  all("", 42, 2, 1, 0);
  all("xyz", 42, 2, 4, 3, "abc", 42, 2, 4, 3, "xyz");
  all("abc", 42, 2, 3, "abc");
  // Once proven plain, what looks enveloped is taken as it is.
  all("\x03abc", 42, 2, 3, "abc", 42, 2, 4, 3, "abc");
  // An empty Update cannot be enveloped, and so proves it too.
  all("\x03abc", 42, 0, 1, "z", 42, 2, 0, 42, 2, 4, 3, "abc");
  // A plain client whose first Update happens to look enveloped is misread once, and heals with the next.
  all("a", 42, 2, 2, 1, "a");
  all("hello", 42, 2, 2, 1, "a", 42, 2, 5, "hello");
  // A state that looks enveloped in the Open shows a plain client from the start.
  all("\x01b", 42, 0, 2, 1, "a", 42, 2, 2, 1, "b");
  // Open itself is never enveloped.
  all("\x03abc", 42, 0, 4, 3, "abc");
});

Deno.test("codec counts a run of Updates and yields the last state", () => {
  for (const dialect of DIALECTS) {
    const encoder = new MessageEncoder(dialect);
    const run = Array.from({ length: 100 }, (_, index) => encoder.encode(UPDATE, bytesOf(`state ${index}`)));
    const bytes = concat([encoder.encode(OPEN, bytesOf("first")), ...run, encoder.encode(GET)]);
    const { messages } = parse([bytes]);
    assertEquals(messages.map(({ type, count }) => [type, count]), [[OPEN, 1], [UPDATE, 100], [GET, 1]]);
    assertEquals(textOf(messages[1]?.state ?? new Uint8Array()), "state 99");
  }
});

Deno.test("codec reads a run as it reads each message alone, whichever bit of a header differs", () => {
  for (const dialect of DIALECTS) {
    const encoder = new MessageEncoder(dialect);
    const first = encoder.encode(OPEN, bytesOf("first"));
    const update = encoder.encode(UPDATE, bytesOf("abc"));
    // The state's first byte counts too: in the compact dialect the envelope hangs on it.
    for (let bit = 0; bit < (update.length - 2) * 8; bit++) {
      const other = update.slice();
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ 1 << (bit & 7);
      const bytes = concat([first, update, update, other, update, update]);
      const together = parse([bytes], { maxState: 300 });
      const alone = parse(Array.from(bytes, (byte) => Uint8Array.of(byte)), { maxState: 300 });
      const name = `${dialect}, bit ${bit}`;
      const count = ({ messages }: Parsed) => messages.reduce((sum, message) => sum + message.count, 0);
      assertEquals(count(together), count(alone), name);
      assertEquals(finalState(together), finalState(alone), name);
      assertEquals(together.last, alone.last, name);
      assertEquals(together.parser.error?.message, alone.parser.error?.message, name);
    }
  }
});

Deno.test("codec refuses wrong magic, version and type as soon as the byte is there", () => {
  assertEquals(errorOf(0).code, "BAD_MAGIC");
  assertEquals(errorOf("GET / HTTP/1.1\r\n").message, "Cannot parse message: it begins with 71, not 42 or 66");
  assertEquals(errorOf(42, 3, 66).message, "Cannot parse message: it begins with 66, not 42");
  assertEquals(errorOf(42, 0, 1, "a", 43).code, "BAD_MAGIC");
  assertEquals(errorOf(66, 1, 3, 42).code, "BAD_MAGIC");
  assertEquals(errorOf(66, 2).message, "Cannot parse message: its version is 2, not 1");
  assertEquals(errorOf(66, 2).code, "BAD_VERSION");
  assertEquals(errorOf(66, 1, 3, 66, 0).code, "BAD_VERSION");
  for (let type = 9; type < 256; type++) {
    assertEquals(errorOf(42, type).code, "BAD_TYPE");
    assertEquals(errorOf(42, 0, 1, "a", 42, type).code, "BAD_TYPE");
    assertEquals(errorOf(42, 0, longLength(1), "a", 42, type).code, "BAD_TYPE");
    assertEquals(errorOf(42, 4, longLength(2), "{}", 42, type).code, "BAD_TYPE");
  }
  for (let type = 4; type < 256; type++) {
    assertEquals(errorOf(66, 1, type).message, `Cannot parse message: there is no type ${type}`);
  }
});

Deno.test("codec refuses the extensions' messages on a connection that did not begin with Hello", () => {
  for (const [type, name] of [[5, "Watch"], [6, "List"], [7, "Ping"], [8, "Stats"]] as const) {
    const message = `Cannot parse message: type ${type} (${name}) needs a connection that began with Hello`;
    for (const before of [[], [42, 3], [42, 0, 1, "a"], [42, 0, longLength(1), "a"]]) {
      const error = errorOf(...before, 42, type);
      assertEquals([error.code, error.message], ["BAD_TYPE", message]);
    }
  }
});

Deno.test("codec takes a Hello as the first message of a 42 connection only", () => {
  const hello = [42, 4, longLength(2), "{}"];
  assertEquals(parse([bytesOf(...hello)]).parser.extended, true);
  assertEquals(parse([bytesOf(...hello)]).parser.dialect, "wide");
  assertEquals(errorOf(42, 4, longLength(4_097)).code, "BAD_HELLO");
  assertEquals(errorOf(42, 4, 255, 255, 255, 255, 255, 255, 255, 255).code, "BAD_HELLO");
  for (const before of [[42, 3], [42, 0, 1, "a"], [42, 0, longLength(1), "a"], hello]) {
    assertEquals(errorOf(...before, ...hello).code, "BAD_HELLO");
  }
});

Deno.test("codec takes a Hello where wide is insisted on, and no other dialect", () => {
  const bytes = bytesOf(42, 4, longLength(2), "{}", 42, 7);
  const tokensOf = (dialect: "wide" | "compact" | "java") => {
    const parser = new MessageParser({ dialect });
    const first = parser.next(bytes, 0, bytes.length);
    return [first, parser.next(bytes, parser.position, bytes.length)];
  };
  assertEquals(tokensOf("wide"), [HELLO, PING]);
  assertEquals(tokensOf("compact"), [INVALID, INVALID]);
  assertEquals(tokensOf("java"), [INVALID, INVALID]);
});

Deno.test("codec stays with its error", () => {
  const { parser } = parse([bytesOf(42, 9)]);
  assertEquals(parser.next(bytesOf(42, 3), 0, 2), INVALID);
  assertEquals(parser.error?.code, "BAD_TYPE");
});

Deno.test("codec refuses a long state from its length alone, and names the length exactly", () => {
  const lengths = [65_537n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 5n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const length of lengths) {
    for (const type of [OPEN, UPDATE]) {
      // A first length byte other than 0 would be compact: the connection is settled by an Open before.
      for (const head of [bytesOf(42, 0, longLength(0), 42, type), bytesOf(66, 1, type)]) {
        const error = errorOf(head, longLength(length));
        assertEquals(error.code, "STATE_TOO_LARGE");
        assertEquals(error.message, `Cannot parse state length: ${length} is above the limit of 65536`);
      }
    }
  }
  const small = parse([bytesOf(42, 0, 11)], { maxState: 10 });
  assertEquals(small.parser.error?.message, "Cannot parse state length: 11 is above the limit of 10");
  assertEquals(parse([bytesOf(42, 2, 11)], { maxState: 10 }).parser.error?.code, "STATE_TOO_LARGE");
});

Deno.test("codec takes a state exactly at the limit", () => {
  for (const dialect of DIALECTS) {
    for (const type of [OPEN, UPDATE] as const) {
      const limit = dialect === "compact" ? 254 : 65_536;
      const bytes = new MessageEncoder(dialect).encode(type, new Uint8Array(limit).fill(7));
      const parsed = parse([bytes]);
      assertEquals(parsed.messages.length, 1);
      assertEquals(finalState(parsed)?.length, limit);
    }
  }
});

Deno.test("codec says how many bytes an unfinished message needs", () => {
  const needed = (...parts: Parameters<typeof bytesOf>) => {
    const { last, parser } = parse([bytesOf(...parts)]);
    assertEquals(last, NEED_MORE);
    return parser.needed;
  };
  assertEquals(needed(42, 0, 5, "ab"), 8);
  assertEquals(needed(42, 0, longLength(500)), 510);
  assertEquals(needed(66, 1, 2, longLength(500), "a"), 511);
  assertEquals(needed(42, 0, 1, "a", 42, 2, 200), 203);
});

Deno.test("codec brings awkward states across in every dialect, through Open and Update", () => {
  for (const [name, state] of Object.entries(AWKWARD_STATES)) {
    for (const dialect of DIALECTS) {
      if (dialect === "compact" && state.length > 255) continue;
      const encoder = new MessageEncoder(dialect);
      const carrier = encoder.carrierOf(state);
      const bytes = concat([encoder.encode(OPEN, state), encoder.encode(carrier, state), encoder.encode(GET)]);
      for (const delivery of everyDelivery(bytes)) {
        const parsed = parse(delivery);
        assertEquals(parsed.messages.length, 3, name);
        assertEquals(parsed.messages[0]?.state, state, name);
        assertEquals(parsed.messages[1]?.state, state, name);
      }
    }
  }
});

Deno.test("codec: what any encoder encodes, a parser parses back", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constantFrom(OPEN, UPDATE), state: fc.uint8Array({ maxLength: 255 }) }),
    // States that look enveloped are rare at random, so they are made.
    fc.uint8Array({ maxLength: 254 }).map((tail) => ({ type: UPDATE, state: bytesOf(tail.length, tail) })),
    fc.uint8Array({ maxLength: 254 }).map((tail) => ({ type: OPEN, state: bytesOf(tail.length, tail) })),
    fc.uint8Array({ minLength: 254, maxLength: 254 }).map((tail) => ({ type: UPDATE, state: bytesOf(254, tail) })),
    fc.constant({ type: GET, state: new Uint8Array() }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<Dialect>(...DIALECTS),
      fc.array(step, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (dialect, steps, cuts) => {
        const encoder = new MessageEncoder(dialect);
        const expected: [MessageType, Uint8Array][] = [];
        const encoded = steps.map(({ type, state }) => {
          const sent: MessageType = type === UPDATE ? encoder.carrierOf(state) : type as MessageType;
          // A run of Updates is one token.
          if (sent === UPDATE && expected.at(-1)?.[0] === UPDATE) expected.pop();
          expected.push([sent, state]);
          return encoder.encode(sent, state);
        });
        const bytes = concat([...encoded, encoder.encode(CLOSE)]);
        const parsed = parse([bytes]);
        assertEquals(parsed.messages.slice(0, -1).map(({ type, state }) => [type, state]), expected);
        const points = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
        const pieces = [...points, bytes.length].map((end, index) => bytes.subarray(points[index - 1] ?? 0, end));
        assert(equals(finalState(parse(pieces)) ?? bytesOf(), finalState(parsed) ?? bytesOf()));
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("codec survives 100,000 random inputs: a message, a wait or a TrackerError, and nothing else", () => {
  const random = new Random(20_240_607);
  const starts = [bytesOf(42), bytesOf(66, 1), bytesOf(42, 0, 1, "a"), bytesOf(42, 0, longLength(1), "a"), bytesOf()];
  for (let round = 0; round < 100_000; round++) {
    const bytes = bytesOf(random.pick(starts), random.bytes(random.integer(0, 40)));
    const parser = new MessageParser({ maxState: 100 });
    let from = 0;
    for (;;) {
      const token = parser.next(bytes, from, bytes.length);
      assertLessOrEqual(parser.position, bytes.length);
      if (token < 0) {
        assertEquals(token === INVALID, parser.error instanceof TrackerError);
        if (token === NEED_MORE) assertLessOrEqual(parser.needed, 3 + 8 + 100);
        break;
      }
      assertLessOrEqual(parser.stateEnd - parser.stateStart, 255);
      assert(parser.position > from);
      from = parser.position;
    }
  }
});

Deno.test("encoder gives the golden bytes of every dialect", () => {
  const abc = bytesOf("abc");
  const compact = new MessageEncoder("compact");
  assertEquals(compact.encode(OPEN, abc), bytesOf(42, 0, 3, "abc"));
  assertEquals(compact.encode(UPDATE, abc), bytesOf(42, 2, 4, 3, "abc"));
  assertEquals(compact.encode(GET), bytesOf(42, 3));
  assertEquals(compact.encode(CLOSE), bytesOf(42, 1));
  const wide = new MessageEncoder();
  assertEquals(wide.dialect, "wide");
  assertEquals(wide.encode(OPEN, abc), bytesOf(42, 0, longLength(3), "abc"));
  assertEquals(wide.encode(UPDATE, abc), bytesOf(42, 2, longLength(3), "abc"));
  const java = new MessageEncoder("java");
  assertEquals(java.encode(OPEN, bytesOf("[0,0]")), bytesOf(66, 1, 0, longLength(5), "[0,0]"));
  assertEquals(java.encode(GET), bytesOf(66, 1, 3));
  assertEquals(java.encode(CLOSE), bytesOf(66, 1, 1));
});

Deno.test("encoder refuses what a compact message cannot carry", () => {
  const encoder = new MessageEncoder("compact");
  for (const type of [OPEN, UPDATE] as const) {
    try {
      encoder.encode(type, new Uint8Array(256));
      throw new Error("not refused");
    } catch (error) {
      assert(error instanceof TrackerError);
      assertEquals(error.code, "STATE_TOO_LARGE");
      assertEquals(error.message, "Cannot encode state: 256 bytes is above the compact dialect's limit of 255");
    }
  }
});

Deno.test("map length takes one byte only where the dialect and the length allow it", () => {
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

Deno.test("error reply is 0, a length and the text, and never longer than its length byte can say", () => {
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
  ["long map", "map", bytesOf(longLength(300), "x".repeat(300)), REPLY_MAP, "x".repeat(300)],
  ["short map with a long length", "map", bytesOf(longLength(2), "{}"), REPLY_MAP, "{}"],
  ["error instead of done", "done", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
  ["error instead of a map", "map", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
  ["error that nobody asked for", "nothing", bytesOf(0, 12, "BAD_TYPE: no"), REPLY_ERROR, "BAD_TYPE: no"],
];

Deno.test("replies are parsed alike, however they are cut", () => {
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

Deno.test("replies that answer nothing are refused", () => {
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

Deno.test("the alert of a server that speaks TLS is told from any reply, however it is cut", () => {
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

Deno.test("what looks like TLS at the beginning of a connection is refused with a hint, and later without", () => {
  const hint = "; it looks like TLS, which is not spoken on this port";
  assertEquals(errorOf(22, 3, 1).message, `Cannot parse message: it begins with 22, not 42 or 66${hint}`);
  assertEquals(errorOf(42, 3, 22).message, "Cannot parse message: it begins with 22, not 42");
});

Deno.test("an error reply keeps its code, and an unknown code its text", () => {
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
