/**
 * Who must be in the map, and how: what the server tells is compared with this.
 *
 * @module
 */

import { equals } from "../../lib/cli/std.ts";
import type { ListRecord, Status } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";

/** How much later than promised a client may leave the map by itself, in milliseconds: a stopped server is late. */
const SLACK = 5_000;

/** One client that must be in the map. */
interface Expected {
  readonly key: string;
  /** Its identifier; `null` as long as only the server knows which number it got. */
  id: string | null;
  state: Uint8Array;
  status: Status;
  /** Its place in the order of opening; `null` before the map has been seen with it. */
  place: number | null;
  /** From when on it must be gone, on the monotonic clock; before that it may be. `null` for one that stays. */
  goneAt: number | null;
}

/** The part of a client that can be compared. */
export type Seen = Pick<ListRecord, "id" | "state" | "status">;

/**
 * The expected map. A client is known by a key, with which its first state begins: clients open at the same time, so
 * that only the server knows which of them gets which number.
 */
export class Model {
  readonly #clients = new Map<string, Expected>();
  /** How many clients have been given a number, and the highest one seen. */
  #numbered = 0;
  #highest = 0;
  #places = 0;

  /** How many clients there are, besides those that may have gone. */
  get size(): number {
    return this.#certain().length;
  }

  /** How many of them have no connection. */
  get suspects(): number {
    return this.#certain().filter(({ status }) => status === "suspect").length;
  }

  /** How many may have gone, and may be there. */
  get fading(): number {
    return this.#clients.size - this.size;
  }

  /** A client enters the map, or leaves it and enters it anew. */
  join(key: string, id: string | null, state: Uint8Array): void {
    if (id === null) this.#numbered++;
    this.#clients.set(key, { key, id, state, status: "live", place: null, goneAt: null });
  }

  /** A client has a new state. */
  update(key: string, state: Uint8Array): void {
    this.#get(key).state = state;
  }

  /** A client loses its connection, or is back. */
  mark(key: string, status: Status): void {
    this.#get(key).status = status;
  }

  /** A client leaves the map. */
  leave(key: string): void {
    this.#clients.delete(key);
  }

  /** A client will leave the map by itself. */
  fade(key: string, milliseconds: number): void {
    this.#get(key).goneAt = performance.now() + milliseconds + SLACK;
  }

  /**
   * Compares a list with what must be in it. If they agree, the numbers and the order that it tells are remembered.
   *
   * @param records The whole list
   * @returns What is wrong; empty when nothing is
   */
  compare(records: readonly ListRecord[]): string[] {
    const found = new Map<string, ListRecord>();
    const problems: string[] = [];
    for (const record of records) {
      const expected = this.#find(record);
      if (expected === undefined) problems.push(`${record.id} is in the map and should not be`);
      else found.set(expected.key, record);
    }
    const now = performance.now();
    for (const expected of this.#clients.values()) {
      problems.push(...differences(expected, found.get(expected.key), now));
    }
    problems.push(...this.#misplaced([...found.keys()]));
    if (problems.length === 0) this.#learn(found);
    return problems;
  }

  /** Of some clients those that will not leave by themselves, since nobody knows exactly when these do. */
  lasting<T extends Seen>(clients: Iterable<T>): T[] {
    const fading = new Set<string | null>();
    for (const { id, goneAt } of this.#clients.values()) if (goneAt !== null) fading.add(id);
    return [...clients].filter(({ id }) => !fading.has(id));
  }

  #certain(): Expected[] {
    return [...this.#clients.values()].filter(({ goneAt }) => goneAt === null);
  }

  #get(key: string): Expected {
    const expected = this.#clients.get(key);
    if (expected === undefined) throw new Error(`${key} is not in the model`);
    return expected;
  }

  #find({ id, state }: ListRecord): Expected | undefined {
    const number = /^client(\d+)$/.exec(id)?.[1];
    for (const expected of this.#clients.values()) if (expected.id === id) return expected;
    if (number === undefined || Number(number) <= this.#highest || Number(number) > this.#numbered) return undefined;
    const expected = this.#clients.get(keyOf(state));
    return expected?.id === null ? expected : undefined;
  }

  /** The map is in the order of opening: those seen before as they were, behind them those that have come since. */
  #misplaced(keys: readonly string[]): string[] {
    let last = -1;
    for (const key of keys) {
      const place = this.#get(key).place ?? Infinity;
      if (place < last) return [`${this.#get(key).id} is not where it was in the map`];
      last = place;
    }
    return [];
  }

  #learn(found: ReadonlyMap<string, ListRecord>): void {
    for (const [key, { id }] of found) {
      const expected = this.#get(key);
      expected.id = id;
      expected.place ??= this.#places++;
    }
    for (const [key, { goneAt }] of this.#clients) if (goneAt !== null && !found.has(key)) this.#clients.delete(key);
    // Whoever opened before this has its number by now, or has left again: no later one can be as low.
    this.#highest = this.#numbered;
  }
}

function keyOf(state: Uint8Array): string {
  const end = state.indexOf(":".charCodeAt(0));
  return end === -1 ? "" : textOf(state.subarray(0, end));
}

function differences({ key, id, state, status, goneAt }: Expected, found: Seen | undefined, now: number): string[] {
  const name = id === null ? `the client that opened with ${key}` : id;
  if (found === undefined) return goneAt === null ? [`${name} is not in the map`] : [];
  if (goneAt !== null) return now < goneAt ? [] : [`${name} is still in the map`];
  if (!equals(found.state, state)) return [`${name} has another state: ${brief(found.state)}, not ${brief(state)}`];
  return found.status === status ? [] : [`${name} is ${found.status}, not ${status}`];
}

/** The beginning of a state, and its length. */
function brief(state: Uint8Array): string {
  return `${JSON.stringify(textOf(state.subarray(0, 24)))} (${state.length} bytes)`;
}
