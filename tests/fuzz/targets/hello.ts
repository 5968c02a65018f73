/**
 * The JSON of the extensions: the parsers of requests, and `parseGreeting`, against a second reader.
 *
 * @module
 */

import { TrackerError } from "../../../mod.ts";
import {
  parseDrop,
  parseFetch,
  parseGreeting,
  parseHello,
  parseKick,
  parseList,
  parsePut,
  parseWatch,
} from "../../../lib/wire/mod.ts";
import type { Random } from "../../support/random.ts";
import { demandSame } from "../compare.ts";
import { mutateBytes, simplerBytes } from "../delivery.ts";
import { readBytes, writeBytes } from "../notation.ts";
import { readGreeting, readRequest } from "../reference/requests.ts";
import { mutateText } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";

const PARSERS = {
  hello: parseHello,
  watch: parseWatch,
  list: parseList,
  put: parsePutJson,
  drop: parseDrop,
  kick: parseKick,
  fetch: parseFetch,
  greeting: parseGreeting,
} as const;

/** The JSON of a Put has its length in front. */
function parsePutJson(json: Uint8Array): object {
  return parsePut(Uint8Array.from([json.length >> 8, json.length & 0xff, ...json])).request;
}

type Kind = keyof typeof PARSERS;

const KINDS = Object.keys(PARSERS) as Kind[];

/** The payload of a message. */
interface Input {
  readonly kind: Kind;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MEMBERS: Record<Kind, readonly string[]> = {
  hello: ["name", "token", "heartbeat", "grace", "takeover", "resume", "instance", "attempt"],
  watch: ["prefix", "since"],
  list: ["prefix", "status", "limit", "after", "count", "details"],
  put: ["name", "for", "takeover", "issued", "if"],
  drop: ["name", "takeover", "if"],
  kick: ["id", "for", "reason"],
  fetch: ["id"],
  greeting: ["server", "version", "incarnation", "id", "resume", "heartbeat", "grace", "maxState", "edition"],
};

/** JSON of values that are valid somewhere, or nearly so. */
const VALUES = [
  ...[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "1.5",
    "0.99",
    "3600",
    "3600.0001",
    "86400",
    "86401",
    "-1",
    "1e400",
    "1e-400",
  ],
  ...[
    "9007199254740991",
    "9007199254740992",
    '""',
    '"a"',
    '"ada.lovelace:1_2-3"',
    '"client1"',
    '"client"',
    '"client٣"',
  ],
  ...['"\\u0000"', '"\\ud800"', `"${"n".repeat(128)}"`, `"${"n".repeat(129)}"`, '"a\\n"', "[]", "{}", "[1]"],
  ...['{"incarnation":"x","revision":1}', '{"incarnation":"x","revision":-1}', '{"incarnation":1,"revision":1}'],
  ...['{"incarnation":"x","revision":1.5}', '{"incarnation":"x"}', '["x",1]'],
];

const WORDS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "null",
  "\\u",
  "__proto__",
  '"__proto__":{"name":"x"},',
  "\ufeff",
  ...VALUES,
];

const encoder = new TextEncoder();

/** The target for the JSON of a Hello, a Watch and a List, and of the reply to a Hello. */
export const helloTarget: Target<Input> = {
  name: "hello",
  covers: ["/lib/wire/requests.ts", "/lib/wire/json.ts"],
  generate(random) {
    const kind = random.pick(KINDS);
    const text = `{${membersOf(kind, random).join(",")}}`;
    if (random.next() < 0.01) return { kind, bytes: encoder.encode(random.pick(["[", '{"a":']).repeat(2_000)) };
    return { kind, bytes: encoder.encode(random.next() < 0.2 ? mutateText(text, random, WORDS) : text) };
  },
  mutate({ kind, bytes }, random) {
    if (random.next() < 0.1) return { kind: random.pick(KINDS), bytes };
    if (random.next() < 0.5) return { kind, bytes: mutateBytes(bytes, random) };
    return { kind, bytes: encoder.encode(mutateText(new TextDecoder().decode(bytes), random, WORDS)) };
  },
  check: ({ kind, bytes }, note) => checkRequest(kind, bytes, note),
  *simpler({ kind, bytes }) {
    for (const simpler of simplerBytes(bytes)) yield { kind, bytes: simpler };
  },
  write: ({ kind, bytes }) => `${kind} ${writeBytes(bytes)}`,
  read(text) {
    const [, kind = "hello", bytes = ""] = /^(\w+)([^]*)$/.exec(text) ?? [];
    return { kind: kind as Kind, bytes: readBytes(bytes).bytes };
  },
};

/** Makes members; those of a greeting are seldom left out, because it needs all of them. */
function membersOf(kind: Kind, random: Random): string[] {
  const wanted = MEMBERS[kind].filter(() => random.next() < (kind === "greeting" ? 0.98 : 0.5));
  const others = random.next() < 0.2 ? ["other", "__proto__", "constructor", random.pick(MEMBERS[kind])] : [];
  return [...wanted, ...others].map((name) => `${JSON.stringify(name)}:${valueOf(name, kind, random)}`);
}

function valueOf(name: string, kind: Kind, random: Random): string {
  if (random.next() < (kind === "greeting" ? 0.05 : 0.4)) return random.pick(VALUES);
  if (/heartbeat|grace|maxState|edition|for|limit|issued|if/.test(name)) return random.pick(["1", "60", "3600"]);
  if (name === "attempt") return random.pick(["0", "1", "7", "9007199254740991"]);
  if (name === "status") return random.pick(['"live"', '"suspect"', '"detached"', '"gone"']);
  if (/takeover|count|details/.test(name)) return random.pick(["true", "false"]);
  return name === "since" ? '{"incarnation":"x","revision":7}' : '"ada"';
}

function checkRequest(kind: Kind, bytes: Uint8Array, note: Note): void {
  const wanted = kind === "greeting" ? readGreeting(bytes) : readRequest(kind, bytes);
  let found: unknown = null;
  try {
    found = PARSERS[kind](bytes);
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    const code = kind === "greeting" ? "BAD_REPLY" : "BAD_HELLO";
    demand(error.code === code, "a refusal has the right code", () => error.code);
    note(`${kind} ${error.message}`);
  }
  if (found !== null) note(`${kind} ${MEMBERS[kind].filter((name) => Object.hasOwn(found as object, name))}`);
  demand(Object.getPrototypeOf(found ?? {}) === Object.prototype, "a request is a plain object");
  demandSame(found, wanted);
}
