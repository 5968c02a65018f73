/**
 * The expected map, which the server's reports are compared with.
 *
 * @module
 */

import { equals } from "../../lib/cli/std.ts";
import type { ListRecord, Status } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";

/** Tolerance for a client that leaves the map by itself, in milliseconds: a stalled server is late. */
const SLACK = 5_000;

/** An expected entry. */
interface Expected {
  readonly key: string;
  /** Its identifier; `null` while only the server knows its number. */
  id: string | null;
  state: Uint8Array;
  status: Status;
  /** Its place in the order of opening; `null` until it was seen in the map. */
  place: number | null;
  /** Monotonic time from which it must be gone, while it may be gone earlier; `null` if it stays. */
  goneAt: number | null;
}

/** The comparable part of an entry. */
export type Seen = Pick<ListRecord, "id" | "state" | "status">;

/**
 * The expected map. Each client has a key with which its first state begins: clients open at the same time, so only the
 * server knows which of them gets which number.
 */
export class Model {
  readonly #clients = new Map<string, Expected>();
  /** Clients that were given a number, and the highest number seen. */
  #numbered = 0;
  #highest = 0;
  #places = 0;

  /** Number of clients, without those that may have gone. */
  get size(): number {
    return this.#certain().length;
  }

  /** Number of those without a connection. */
  get suspects(): number {
    return this.#certain().filter(({ status }) => status === "suspect").length;
  }

  /** Number of clients that may or may not have gone. */
  get fading(): number {
    return this.#clients.size - this.size;
  }

  /** Notes that a client enters the map, or re-enters it. */
  join(key: string, id: string | null, state: Uint8Array): void {
    if (id === null) this.#numbered++;
    this.#clients.set(key, { key, id, state, status: "live", place: null, goneAt: null });
  }

  /** Notes a client's new state. */
  update(key: string, state: Uint8Array): void {
    this.#get(key).state = state;
  }

  /** Notes that a client has lost its connection, or is back. */
  mark(key: string, status: Status): void {
    this.#get(key).status = status;
  }

  /** Notes that a client leaves the map. */
  leave(key: string): void {
    this.#clients.delete(key);
  }

  /** Notes that a client will leave the map by itself. */
  fade(key: string, milliseconds: number): void {
    this.#get(key).goneAt = performance.now() + milliseconds + SLACK;
  }

  /**
   * Compares a list with the expected map. If they agree, its numbers and its order are remembered.
   *
   * @param records The complete list
   * @returns The differences; empty if there are none
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

  /** Filters out clients that will leave by themselves, since the moment is not known exactly. */
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

  /** Checks the order of opening: known clients keep their places, and new ones follow. */
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
    // Clients that opened earlier have their numbers by now, or have left: no later number can be as low.
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
