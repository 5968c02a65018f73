/** What snapshots keep of the past: exactly the versions that one of them shows. */

import { assertEquals } from "@std/assert";
import { StoredEntry, VERSION_OVERHEAD } from "../../lib/map/entry.ts";
import { FlatMap } from "../../lib/map/flat_map.ts";
import type { Snapshot } from "../../lib/map/snapshots.ts";
import { bytesOf } from "../support/bytes.ts";
import { Random } from "../support/random.ts";

/** All identifiers and states have one length, so all versions cost the same. */
const STATE = bytesOf("some state");
const COST = VERSION_OVERHEAD + "id0000=".length + STATE.length;

/** A map, its snapshots, and when each version of each entry was there. */
class Model {
  readonly map = new FlatMap();
  readonly #random: Random;
  readonly #entries: StoredEntry[] = [];
  readonly #snapshots: Snapshot[] = [];
  readonly #versions: { from: number; until: number }[] = [];
  #revision = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  step(): void {
    const dice = this.#random.integer(0, 9);
    const entry = this.#pick(this.#entries);
    if (dice < 3 || entry === undefined) this.#open();
    else if (dice < 6) this.#update(entry);
    else if (dice < 7) this.#close(entry);
    else if (dice < 8) this.#snapshots.push(this.map.snapshots.take(this.#revision));
    else this.release();
  }

  /** Releases a snapshot. Returns `false` if there is none. */
  release(): boolean {
    const snapshot = this.#pick(this.#snapshots);
    if (snapshot === undefined) return false;
    this.#snapshots.splice(this.#snapshots.indexOf(snapshot), 1);
    this.map.snapshots.release(snapshot);
    return true;
  }

  /** What has to be kept, in bytes. */
  get needed(): number {
    const isNeeded = ({ from, until }: { from: number; until: number }) =>
      this.#snapshots.some(({ revision }) => from <= revision && revision < until);
    return this.#versions.filter(isNeeded).length * COST;
  }

  /** Closes all entries. */
  clear(): void {
    for (const entry of [...this.#entries]) this.#close(entry);
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#random.integer(0, Math.max(0, items.length - 1))];
  }

  #open(): void {
    const entry = new StoredEntry(`id${1_000 + this.#revision}`, 0, STATE, 0, STATE.length);
    entry.joinRevision = entry.revision = ++this.#revision;
    this.map.add(entry);
    this.#entries.push(entry);
  }

  #update(entry: StoredEntry): void {
    this.#change(entry);
    entry.assign(STATE, 0, STATE.length);
    this.map.noteState(entry, this.#revision, STATE.length);
    entry.revision = this.#revision;
  }

  #close(entry: StoredEntry): void {
    this.#change(entry);
    this.map.remove(entry, this.#revision);
    entry.revision = this.#revision;
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }

  #change(entry: StoredEntry): void {
    this.map.willChange(entry, ++this.#revision);
    this.#versions.push({ from: entry.revision, until: this.#revision });
  }
}

for (let seed = 1; seed <= 5; seed++) {
  Deno.test(`snapshots keep the versions that one of them shows, and no other, seed ${seed}`, () => {
    const model = new Model(seed);
    const { snapshots } = model.map;
    const check = () => {
      snapshots.sweep(Infinity);
      assertEquals(snapshots.bytes, model.needed);
    };
    for (let count = 0; count < 1_500; count++) {
      model.step();
      if (count % 7 === 0) check();
    }
    model.clear();
    do check(); while (model.release());
    assertEquals([snapshots.bytes, model.map.size, model.map.length], [0, 0, 2]);
  });
}

Deno.test("without snapshots nothing is kept", () => {
  const { map } = new Model(1);
  const snapshot = map.snapshots.take(0);
  const entry = new StoredEntry("id0000", 0, STATE, 0, STATE.length);
  entry.joinRevision = entry.revision = 1;
  map.add(entry);
  map.willChange(entry, 2);
  assertEquals(entry.past, null, "it joined after the snapshot");
  map.snapshots.release(snapshot);
  map.snapshots.release(snapshot);
  assertEquals(map.snapshots.bytes, 0);
});
