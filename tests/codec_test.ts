import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { EMPTY } from "../lib/base/bytes.ts";
import { concat, equals } from "../lib/cli/std.ts";
import fc from "./support/packages/fast_check.ts";
import { type Dialect, DIALECTS, TrackerError } from "../mod.ts";
import { MESSAGE_NAMES } from "../lib/protocol.ts";
import {
  AMBIGUOUS,
  CLOSE,
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
  UPDATE,
} from "../lib/wire/mod.ts";
import { AWKWARD_STATES, CONVERSATIONS } from "./fixtures/conversations.ts";
import { bytesOf, everyDelivery, longLength, textOf } from "./support/bytes.ts";
import { Random } from "./support/random.ts";

interface Parsed {
  messages: { type: MessageType; state: Uint8Array; count: number }[];
  last: number;
  parser: MessageParser;
}

/** Parses bytes as a connection delivers them; bytes that are not used up stay in the buffer. */
function parse(delivery: Uint8Array[], options?: MessageParserOptions): Parsed {
  const parser = new MessageParser(options);
  const messages: Parsed["messages"] = [];
  let buffer = EMPTY;
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

/** The state after all messages; empty if none sets it. */
function finalState({ messages }: Parsed): Uint8Array {
  return messages.findLast(({ type }) => type === OPEN || type === UPDATE)?.state ?? EMPTY;
}

/** The number of messages parsed, each of a run included. */
function countOf({ messages }: Parsed): number {
  return messages.reduce((sum, { count }) => sum + count, 0);
}

Deno.test("codec parses every conversation the same, wherever it is cut", () => {
  for (const { name, sent, messages, map } of CONVERSATIONS) {
    for (const delivery of everyDelivery(sent)) {
      const parsed = parse(delivery);
      assertEquals(countOf(parsed), messages, name);
      if (map !== "{}") assertEquals(`{client1=${textOf(finalState(parsed))}}`, map, name);
    }
  }
});

Deno.test("codec settles the dialect by the first length and keeps it", () => {
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

Deno.test("codec accepts only the dialect it insists on", () => {
  assertEquals(parse([bytesOf(42, 0, 0)], { dialect: "compact" }).messages.length, 1);
  assertEquals(parse([bytesOf(42, 0, 3, "abc")], { dialect: "wide" }).messages.length, 0);
  assertEquals(parse([bytesOf(66, 1, 3)], { dialect: "wide" }).parser.error?.code, "BAD_MAGIC");
  assertEquals(parse([bytesOf(66, 1, 3)], { dialect: "compact" }).parser.error?.code, "BAD_MAGIC");
  assertEquals(parse([bytesOf(42, 3)], { dialect: "java" }).parser.error?.code, "BAD_MAGIC");
});

Deno.test("codec reads compact Updates as enveloped until one proves otherwise", () => {
  const states = (...parts: Parameters<typeof bytesOf>) =>
    [...everyDelivery(bytesOf(...parts))].map((delivery) => textOf(finalState(parse(delivery))));
  const all = (expected: string, ...parts: Parameters<typeof bytesOf>) => {
    for (const state of states(...parts)) assertEquals(state, expected);
  };
  all("abc", 42, 2, 4, 3, "abc");
  all("", 42, 2, 1, 0);
  all("xyz", 42, 2, 4, 3, "abc", 42, 2, 4, 3, "xyz");
  all("abc", 42, 2, 3, "abc");
  // Once the connection is proven plain, a state that looks enveloped is taken unchanged.
  all("\x03abc", 42, 2, 3, "abc", 42, 2, 4, 3, "abc");
  // An empty Update cannot be enveloped, and so proves it too.
  all("\x03abc", 42, 0, 1, "z", 42, 2, 0, 42, 2, 4, 3, "abc");
  // A plain client whose first Update happens to look enveloped is misread once, and read right from the next on.
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
    assertEquals(textOf(messages[1]?.state ?? EMPTY), "state 99");
  }
});

Deno.test("codec reads a run as it reads each message alone, whichever bit of a header differs", () => {
  for (const dialect of DIALECTS) {
    const encoder = new MessageEncoder(dialect);
    const first = encoder.encode(OPEN, bytesOf("first"));
    const update = encoder.encode(UPDATE, bytesOf("abc"));
    // The state's first byte counts too: in the compact dialect the envelope depends on it.
    for (let bit = 0; bit < (update.length - 2) * 8; bit++) {
      const other = update.slice();
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ 1 << (bit & 7);
      const bytes = concat([first, update, update, other, update, update]);
      const together = parse([bytes], { maxState: 300 });
      const alone = parse(Array.from(bytes, (byte) => Uint8Array.of(byte)), { maxState: 300 });
      const name = `${dialect}, bit ${bit}`;
      assertEquals(countOf(together), countOf(alone), name);
      assertEquals(finalState(together), finalState(alone), name);
      assertEquals(together.last, alone.last, name);
      assertEquals(together.parser.error?.message, alone.parser.error?.message, name);
    }
  }
});

Deno.test("codec refuses a wrong magic, version or type as soon as its byte arrives", () => {
  assertEquals(errorOf(0).code, "BAD_MAGIC");
  assertEquals(errorOf("GET / HTTP/1.1\r\n").message, "Cannot parse message: it begins with 71, not 42 or 66");
  assertEquals(errorOf(42, 3, 66).message, "Cannot parse message: it begins with 66, not 42");
  assertEquals(errorOf(42, 0, 1, "a", 43).code, "BAD_MAGIC");
  assertEquals(errorOf(66, 1, 3, 42).code, "BAD_MAGIC");
  assertEquals(errorOf(66, 2).message, "Cannot parse message: its version is 2, not 1");
  assertEquals(errorOf(66, 2).code, "BAD_VERSION");
  assertEquals(errorOf(66, 1, 3, 66, 0).code, "BAD_VERSION");
  for (let type = 13; type < 256; type++) {
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
  for (const [type, name] of [5, 6, 7, 8, 9, 10, 11, 12].map((type) => [type, MESSAGE_NAMES[type]!] as const)) {
    const message = `Cannot parse message: type ${type} (${name}) needs a connection that began with Hello`;
    for (const before of [[], [42, 3], [42, 0, 1, "a"], [42, 0, longLength(1), "a"]]) {
      const error = errorOf(...before, 42, type);
      assertEquals([error.code, error.message], ["BAD_TYPE", message]);
    }
  }
});

Deno.test("codec accepts a Hello only as the first message of a 42 connection", () => {
  const hello = [42, 4, longLength(2), "{}"];
  assertEquals(parse([bytesOf(...hello)]).parser.extended, true);
  assertEquals(parse([bytesOf(...hello)]).parser.dialect, "wide");
  assertEquals(errorOf(42, 4, longLength(4_097)).code, "BAD_HELLO");
  assertEquals(errorOf(42, 4, 255, 255, 255, 255, 255, 255, 255, 255).code, "BAD_HELLO");
  for (const before of [[42, 3], [42, 0, 1, "a"], [42, 0, longLength(1), "a"], hello]) {
    assertEquals(errorOf(...before, ...hello).code, "BAD_HELLO");
  }
});

Deno.test("codec accepts a Hello if it insists on wide, and refuses it if it insists on another dialect", () => {
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

Deno.test("codec keeps its error", () => {
  const { parser } = parse([bytesOf(42, 9)]);
  assertEquals(parser.next(bytesOf(42, 3), 0, 2), INVALID);
  assertEquals(parser.error?.code, "BAD_TYPE");
});

Deno.test("codec refuses a long state from its length alone, and reports the exact length", () => {
  const lengths = [65_537n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 5n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const length of lengths) {
    for (const type of [OPEN, UPDATE]) {
      // A first length byte other than 0 would be compact, so an Open settles the connection before.
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

Deno.test("codec accepts a state exactly at the limit", () => {
  for (const dialect of DIALECTS) {
    for (const type of [OPEN, UPDATE] as const) {
      const limit = dialect === "compact" ? 254 : 65_536;
      const bytes = new MessageEncoder(dialect).encode(type, new Uint8Array(limit).fill(7));
      const parsed = parse([bytes]);
      assertEquals(parsed.messages.length, 1);
      assertEquals(finalState(parsed).length, limit);
    }
  }
});

Deno.test("codec tells how many bytes an incomplete message needs", () => {
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

Deno.test("codec carries awkward states in every dialect, through Open and Update", () => {
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

Deno.test("codec parses back whatever an encoder encodes", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constantFrom(OPEN, UPDATE), state: fc.uint8Array({ maxLength: 255 }) }),
    // States that look enveloped are rare at random, so they are made on purpose.
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
        assert(equals(finalState(parse(pieces)), finalState(parsed)));
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("codec survives 100,000 random inputs: each yields a message, a wait or a TrackerError", () => {
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

Deno.test("encoder yields the golden bytes of every dialect", () => {
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

Deno.test("encoder refuses a state that a compact message cannot carry", () => {
  const encoder = new MessageEncoder("compact");
  for (const type of [OPEN, UPDATE] as const) {
    const error = assertThrows(() => encoder.encode(type, new Uint8Array(256)), TrackerError);
    assertEquals(error.code, "STATE_TOO_LARGE");
    assertEquals(error.message, "Cannot encode state: 256 bytes is above the compact dialect's limit of 255");
  }
});

Deno.test("codec refuses TLS at the start of a connection with a hint, and later without", () => {
  const hint = "; it looks like TLS, which is not spoken on this port";
  assertEquals(errorOf(22, 3, 1).message, `Cannot parse message: it begins with 22, not 42 or 66${hint}`);
  assertEquals(errorOf(42, 3, 22).message, "Cannot parse message: it begins with 22, not 42");
});
