/** Gets and Lists that are read in pieces while the map changes: each shows the map exactly as it was when it began. */

import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { EMPTY } from "../../lib/base/bytes.ts";
import { PIECE_BYTES, type Pieces } from "../../lib/base/pieces.ts";
import { concat } from "../../lib/cli/std.ts";
import { MIN_PAST_BYTES } from "../../lib/map/snapshots.ts";
import { ListPieces } from "../../lib/wire/list_pieces.ts";
import { ListWriter } from "../../lib/wire/mod.ts";
import { type Entry, Registry, TrackerError } from "../../mod.ts";
import { Random } from "../support/random.ts";

/** The longest piece: a chunk that has grown. */
const MOST = 2 * PIECE_BYTES;

function listOf(registry: Registry, prefix: string): Uint8Array {
  const writer = new ListWriter();
  writer.begin(registry.revision);
  for (const entry of registry.entries()) if (entry.id.startsWith(prefix)) writer.record(entry);
  return writer.finish();
}

/** A reply that is being read, and what it must be. */
class Reader {
  readonly #pieces: Pieces;
  readonly #expected: Uint8Array;
  readonly #taken: Uint8Array[] = [];

  constructor(pieces: Pieces, expected: Uint8Array) {
    this.#pieces = pieces;
    this.#expected = expected;
  }

  static get(registry: Registry): Reader {
    return new Reader(registry.flattenInPieces(), registry.flatten().slice());
  }

  static list(registry: Registry, prefix: string): Reader {
    const pieces = new ListPieces(new ListWriter(), registry.select({ prefix }));
    return new Reader(pieces, listOf(registry, prefix));
  }

  #piece: Uint8Array = EMPTY;

  /** Reads a piece. Returns `false` after the last, when everything must be as expected. */
  step(): boolean {
    assertEquals(this.#piece, this.#taken.at(-1) ?? EMPTY, "a piece stays as it is until the next is asked for");
    const piece = this.#pieces.next();
    if (piece !== null) {
      assert(piece.length <= MOST, `${piece.length} bytes`);
      this.#piece = piece;
      this.#taken.push(piece.slice());
      return true;
    }
    const bytes = concat(this.#taken);
    assertEquals(bytes.length, this.#expected.length);
    assert(bytes.every((byte, at) => byte === this.#expected[at]), "the bytes are those of another time");
    this.release();
    return false;
  }

  release(): void {
    this.#pieces.release();
  }
}

/** A map that changes at random, and readers at different places in different pasts of it. */
class Turmoil {
  readonly registry = new Registry();
  readonly #random: Random;
  readonly #open: Entry[] = [];
  readonly #readers: Reader[] = [];
  #named = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  step(): void {
    const { registry } = this;
    const random = this.#random;
    const dice = random.integer(0, 99);
    const entry = this.#open[random.integer(0, Math.max(0, this.#open.length - 1))];
    if (dice < 20) this.#join();
    else if (dice < 50 && entry !== undefined) registry.update(entry, this.#state());
    else if (dice < 60 && entry !== undefined) registry.mark(entry, entry.status === "live" ? "suspect" : "live");
    else if (dice < 75 && entry !== undefined) this.#leave(entry);
    else if (dice < 78) { for (let count = 0; count < 300; count++) this.#join(); }
    else if (dice < 80) { for (const one of this.#open.splice(0, 250)) registry.close(one); }
    else if (dice < 85) this.#read();
    else if (dice < 87) this.#readers.splice(random.integer(0, this.#readers.length), 1)[0]?.release();
    else this.#advance();
  }

  /** Reads everything to its end. */
  finish(): void {
    while (this.#readers.length > 0) this.#advance();
  }

  #join(): void {
    const id = this.#random.next() < 0.5 ? {} : { id: `${"abc"[this.#random.integer(0, 2)]}${this.#named++}` };
    this.#open.push(this.registry.open(this.#state(), id));
  }

  #leave(entry: Entry): void {
    this.#open.splice(this.#open.indexOf(entry), 1);
    this.registry.close(entry);
  }

  #read(): void {
    if (this.#readers.length > 12) return;
    const prefix = ["", "", "a", "client", "c", "b1", "nobody"][this.#random.integer(0, 6)]!;
    if (this.registry.size > 0) this.#readers.push(Reader.get(this.registry));
    this.#readers.push(Reader.list(this.registry, prefix));
  }

  #advance(): void {
    const at = this.#random.integer(0, Math.max(0, this.#readers.length - 1));
    if (this.#readers[at]?.step() === false) this.#readers.splice(at, 1);
  }

  #state(): Uint8Array {
    const random = this.#random;
    const longest = [0, 20, 20, 100, 100, 300, 5_000, random.next() < 0.02 ? 200_000 : 50];
    return new Uint8Array(random.integer(0, longest[random.integer(0, 7)]!)).fill(random.integer(97, 122));
  }
}

for (let seed = 1; seed <= 6; seed++) {
  Deno.test(`readers in pieces see the map of their revision, and leave nothing behind, seed ${seed}`, () => {
    const turmoil = new Turmoil(seed);
    for (let count = 0; count < 1_500; count++) turmoil.step();
    turmoil.finish();
    assertEquals(turmoil.registry.pastBytes, 0);
  });
}

Deno.test("pieces that were taken do not change with the map", () => {
  const registry = new Registry();
  const entries = Array.from({ length: 2_000 }, () => registry.open(new Uint8Array(100).fill(97)));
  const expected = registry.flatten();
  const pieces = registry.flattenInPieces();
  const taken: Uint8Array[] = [];
  for (let piece = pieces.next(); piece !== null; piece = pieces.next()) taken.push(piece.slice());
  pieces.release();
  for (const entry of entries) registry.update(entry, new Uint8Array(100).fill(98));
  registry.flatten();
  assertEquals(concat(taken), expected);
});

Deno.test("readers of the same map share the bytes of its chunks", () => {
  const registry = new Registry();
  for (let count = 0; count < 2_000; count++) registry.open(new Uint8Array(100));
  const [one, other] = [registry.flattenInPieces(), registry.flattenInPieces()];
  for (const pieces of [one, other]) pieces.next();
  const piece = one.next();
  assert(piece !== null && piece.length > PIECE_BYTES / 2);
  assertStrictEquals(other.next(), piece);
  for (const pieces of [one, other]) pieces.release();
});

Deno.test("a piece takes a bounded time, however many clients have left since another reader began", () => {
  const registry = new Registry();
  const crowd = Array.from({ length: 20_000 }, () => registry.open("x"));
  const slow = registry.flattenInPieces();
  for (const entry of crowd) registry.close(entry);
  registry.open("y");
  const pieces = registry.flattenInPieces();
  const taken = [];
  for (let piece = pieces.next(); piece !== null; piece = pieces.next()) taken.push(piece.slice());
  assertEquals(concat(taken), registry.flatten());
  assert(taken.length > 4 && taken.some((piece) => piece.length === 0), `${taken.length} pieces`);
  pieces.release();
  slow.release();
  const again = registry.flattenInPieces();
  assertEquals(again.next(), registry.flatten());
  again.release();
});

Deno.test("a List of a prefix that many have is counted in steps before it begins", () => {
  const registry = new Registry();
  for (let count = 0; count < 10_000; count++) {
    registry.open("x", { id: `${count % 2 === 0 ? "even" : "odd"}${count}` });
  }
  const reader = Reader.list(registry, "even");
  const pieces = new ListPieces(new ListWriter(), registry.select({ prefix: "even" }));
  assertEquals(pieces.next(), EMPTY);
  assertEquals(pieces.next(), EMPTY);
  assertLess(0, pieces.next()?.length ?? 0);
  pieces.release();
  for (const entry of registry.entries()) registry.update(entry, "y");
  while (reader.step());
});

Deno.test("a state of many pieces is divided among them", () => {
  const registry = new Registry();
  const entry = registry.open(new Uint8Array(1_000_000).fill(97), { id: "long" });
  const readers = [Reader.get(registry), Reader.list(registry, ""), Reader.list(registry, "lo")];
  for (const reader of readers) for (let count = 0; count < 3; count++) reader.step();
  registry.update(entry, "short");
  registry.close(entry);
  for (const reader of readers) while (reader.step());
  assertEquals(registry.pastBytes, 0);
});

/** A map of more states than are kept of the past in any case. */
function largeMap(): { registry: Registry; changeAll: () => void } {
  const registry = new Registry();
  const state = new Uint8Array(2 ** 22);
  const entries = Array.from({ length: MIN_PAST_BYTES / state.length + 1 }, () => registry.open(state));
  return { registry, changeAll: () => entries.forEach((entry) => registry.update(entry, state)) };
}

Deno.test("the oldest reader is cut when the past would take more than one more copy of the map", () => {
  const { registry, changeAll } = largeMap();
  const old = registry.flattenInPieces();
  old.next();
  changeAll();
  assertLess(registry.stateBytes, registry.pastBytes);
  assert(old.next() !== null, "one reader alone is never cut by updates");
  const recent = Reader.get(registry);
  recent.step();
  changeAll();
  const error = assertThrows(() => old.next(), TrackerError, "the map has changed too much");
  assertEquals(error.code, "SLOW_CONSUMER");
  while (recent.step());
  old.release();
  assertEquals(registry.pastBytes, 0);
});

Deno.test("the past has a limit, whatever readers do", () => {
  const { registry, changeAll } = largeMap();
  const limit = registry.stateBytes * 1.01;
  const readers: Pieces[] = [];
  for (let count = 0; count < 6; count++) {
    const prefix = count % 2 === 0 ? "client" : "client1";
    readers.push(registry.flattenInPieces(), new ListPieces(new ListWriter(), registry.select({ prefix })));
    changeAll();
    assertLess(registry.pastBytes, limit + 2 ** 23);
  }
  assertThrows(() => readers[1]!.next(), TrackerError);
  for (const reader of readers) reader.release();
  assertEquals(registry.pastBytes, 0);
});
