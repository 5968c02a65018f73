/**
 * The codec alone: the cost of a message without a network.
 *
 * @module
 */

import { INVALID, MessageEncoder, MessageParser, NEED_MORE } from "../../lib/codec.ts";
import { DIALECTS, GET, OPEN, UPDATE } from "../../lib/protocol.ts";

const MESSAGES = 1_000;
const STATE_SIZES = [9, 100] as const;

for (const dialect of DIALECTS) {
  for (const size of STATE_SIZES) {
    const state = new Uint8Array(size).fill(97);

    const run = encodeMany(dialect, state, () => UPDATE);
    Deno.bench(`a run of 1,000 updates, ${size} bytes`, { group: `parse ${dialect}` }, () => {
      parseAll(dialect, run);
    });

    // An Update between two Gets is parsed on its own.
    const alternating = encodeMany(dialect, state, (i) => i % 2 === 0 ? UPDATE : GET);
    Deno.bench(`500 updates, each before a Get, ${size} bytes`, { group: `parse ${dialect}` }, () => {
      parseAll(dialect, alternating);
    });

    const target = new Uint8Array(MESSAGES * (size + 16));
    Deno.bench(`1,000 updates, ${size} bytes`, { group: `encode ${dialect}` }, () => {
      const encoder = new MessageEncoder(dialect);
      let at = 0;
      for (let i = 0; i < MESSAGES; i++) at = encoder.encodeInto(target, at, UPDATE, state);
    });
  }
}

function encodeMany(
  dialect: typeof DIALECTS[number],
  state: Uint8Array,
  typeOf: (i: number) => typeof UPDATE | typeof GET,
): Uint8Array {
  const encoder = new MessageEncoder(dialect);
  const parts = [encoder.encode(OPEN, state)];
  for (let i = 0; i < MESSAGES; i++) parts.push(encoder.encode(typeOf(i), state));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function parseAll(dialect: typeof DIALECTS[number], bytes: Uint8Array): void {
  const parser = new MessageParser({ dialect });
  let token: number;
  do token = parser.next(bytes, parser.position, bytes.length); while (token !== NEED_MORE && token !== INVALID);
  if (token === INVALID || parser.position !== bytes.length) throw new Error("Cannot parse what was encoded");
}
