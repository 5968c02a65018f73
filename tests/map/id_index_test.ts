import { assertEquals } from "@std/assert";
import { StoredEntry } from "../../lib/map/entry.ts";
import { IdIndex } from "../../lib/map/id_index.ts";
import { EMPTY } from "../../lib/base/bytes.ts";
import { Registry } from "../../mod.ts";
import { Random } from "../support/random.ts";

const PREFIXES = ["", "a", "ab", "abc", "b", "ba", "bb1", "c", "\u{10000}", "\ud800", "\uffff", "é", "zzz"];

/** Joins and leaves at random, compared with a sorted list; it grows to several buckets and shrinks to none. */
function compareWithList(seed: number): void {
  const random = new Random(seed);
  const index = new IdIndex();
  const model = new Map<string, StoredEntry>();
  const check = () => {
    for (const prefix of PREFIXES) {
      const expected = [...model.keys()].filter((id) => id.startsWith(prefix)).sort();
      assertEquals(index.count(prefix), expected.length, prefix);
      assertEquals(Array.from(index.with(prefix), ({ id }) => id), expected);
    }
  };
  for (let count = 0; count < 10_000; count++) {
    const isGrowing = count % 5_000 < 3_000;
    const ids = [...random.next() < 0.05 ? model.keys() : []];
    if (random.next() < (isGrowing ? 0.8 : 0.1)) add(`${random.pick(PREFIXES)}${random.integer(0, 4_000)}`);
    else remove(ids.length > 0 ? random.pick(ids) : model.keys().next().value);
    if (count % 1_000 === 999) check();
  }
  for (const id of [...model.keys()]) remove(id);
  check();

  function add(id: string): void {
    if (model.has(id)) return;
    const entry = new StoredEntry(id, 0, EMPTY, 0, 0);
    model.set(id, entry);
    index.add(entry);
  }
  function remove(id: string | undefined): void {
    const entry = id === undefined ? undefined : model.get(id);
    if (entry === undefined) return;
    model.delete(entry.id);
    index.remove(entry);
  }
}

for (let seed = 1; seed <= 3; seed++) {
  Deno.test(`index finds and counts what begins with any prefix, seed ${seed}`, () => compareWithList(seed));
}

Deno.test("registry finds and counts clients by prefix, in order of UTF-16 code units", () => {
  const registry = new Registry();
  const ids = ["b", "ab", "a", "é", "aa", "\u{10000}", "\uffff"];
  const entries = ids.map((id) => registry.open("x", { id }));
  const found = (prefix: string) => Array.from(registry.entriesWith(prefix), ({ id }) => id);
  assertEquals(found(""), ["a", "aa", "ab", "b", "é", "\u{10000}", "\uffff"]);
  assertEquals(found("a"), ["a", "aa", "ab"]);
  registry.close(entries[1]!);
  assertEquals(found("a"), ["a", "aa"]);
  assertEquals(["", "a", "aa", "b", "c"].map((prefix) => registry.countWith(prefix)), [6, 2, 1, 1, 0]);
});
