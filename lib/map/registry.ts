/**
 * The live map: which clients are open, and in what state. Pure: it does no I/O.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import { Listeners } from "../base/listeners.ts";
import type { Pieces } from "../base/pieces.ts";
import { TrackerError } from "../errors.ts";
import { INCARNATION_PATTERN, type LeaveCause, MAX_IDENTIFIER, type Status } from "../protocol.ts";
import { type Entry, StoredEntry } from "./entry.ts";
import { FlatMap } from "./flat_map.ts";
import type { Holder } from "./holder.ts";
import { ChangeList, Tombstone } from "./change_list.ts";
import { IdIndex } from "./id_index.ts";
import { type Choice, select, type Selection } from "./selection.ts";

/** A change of the map. */
export interface Change {
  /** What the client did: opened, got a new state, was set without a connection, lost its connection, came back, or left. */
  kind: "join" | "update" | "set" | "suspect" | "resume" | "leave";
  /** The client that changed. */
  entry: Entry;
  /** The revision this change made. */
  revision: number;
  /** Why it left; only set for a leave. */
  cause?: LeaveCause;
}

/** Options for {@linkcode Registry}. */
export interface RegistryOptions {
  /**
   * The wall clock, in milliseconds since 1970-01-01 UTC.
   *
   * @default {Date.now}
   */
  now?: () => number;
  /** Distinguishes this life of the map from every other; a random string of 16 characters unless given. */
  incarnation?: string;
  /**
   * How many leaves are kept, for watches that resume from an earlier revision. Up to four times as many are while a
   * watch still needs them.
   *
   * @default {MAX_TOMBSTONES}
   */
  maxTombstones?: number;
}

/** Options for {@linkcode Registry.open}. */
export interface OpenOptions {
  /**
   * Where the state begins in the bytes.
   *
   * @default {0}
   */
  start?: number;
  /** Where the state ends in the bytes; at their end unless given. */
  end?: number;
  /** The client's identifier; the next of `client1`, `client2`, …, which are never used twice, unless given. */
  id?: string;
  /** @internal Whose it is. */
  holder?: Holder;
}

/** Options for {@linkcode Registry.put}. */
export interface PutOptions extends OpenOptions {
  /** The entry's identifier. */
  id: string;
  /** Until when it is to stay, in milliseconds since 1970-01-01 UTC. The map tells it, and does not act on it. */
  until: number;
}

/**
 * The live map of all open clients.
 *
 * @example Two clients join, one leaves
 * ```ts
 * import { Registry } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * const registry = new Registry();
 * const ada = registry.open("at the desk");
 * registry.open("on the road");
 * registry.close(ada);
 * assertEquals(new TextDecoder().decode(registry.flatten()), "{client2=on the road}");
 * ```
 */
export class Registry {
  /** Distinguishes this life of the map from every other: revisions of different ones cannot be compared. */
  readonly incarnation: string;
  /** @internal Its clients and tombstones, in the order of last change. */
  readonly changes: ChangeList;
  readonly #now: () => number;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #flatMap = new FlatMap();
  readonly #ids = new IdIndex();
  /** Told of a change before anything else can happen. */
  readonly #observers = new Listeners<Change>();
  readonly #listeners = new Listeners<Change>();
  /** How many clients were given a number. */
  #numbered = 0;
  #revision = 0;
  #stateBytes = 0;

  /**
   * Makes an empty map.
   *
   * @param options The clock to use, and the incarnation
   * @throws {TrackerError} BAD_ARGUMENT if the incarnation is not 1 to 255 characters of ASCII
   */
  constructor(options: RegistryOptions = {}) {
    this.incarnation = options.incarnation ?? randomIncarnation();
    if (!INCARNATION_PATTERN.test(this.incarnation)) {
      throw new TrackerError("BAD_ARGUMENT", "Cannot make registry: its incarnation is not 1 to 255 ASCII characters");
    }
    this.#now = options.now ?? Date.now;
    this.changes = new ChangeList(options.maxTombstones);
  }

  /** @internal The present, by the clock of its records, in milliseconds since 1970-01-01 UTC. */
  get now(): number {
    return this.#now();
  }

  /** How many clients are open. */
  get size(): number {
    return this.#entries.size;
  }

  /** Total length of all states, in bytes. */
  get stateBytes(): number {
    return this.#stateBytes;
  }

  /** How many changes the map has seen. Each change gets the next number, from 1. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Finds a client.
   *
   * @param id The client's identifier
   * @returns Its entry, or `undefined` if it is not open
   */
  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /**
   * Iterates over all open clients, in order of opening.
   *
   * @returns The entries
   */
  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /**
   * Iterates over the clients that joined after a revision, in order of opening. Starting again from the last one seen
   * costs next to nothing. An iterator of {@linkcode entries} can be paused too, but while it is kept unfinished, so are
   * all entries that were in the map meanwhile.
   *
   * @param revision The revision; 0 for all clients
   * @returns The entries; the map must not change during the iteration
   */
  entriesSince(revision: number): Generator<Entry, void> {
    return this.#flatMap.entriesSince(revision);
  }

  /**
   * Adds a client at the end of the map.
   *
   * @param state Its state, which is copied; a string is encoded as UTF-8
   * @param options The part of the bytes that is the state, and the client's identifier
   * @returns The client's entry
   * @throws {TrackerError} BAD_ARGUMENT if the identifier is already open, has the form of a numbered one, or is longer
   *   than {@linkcode MAX_IDENTIFIER}
   */
  open(state: Uint8Array | string, options: OpenOptions = {}): Entry {
    const entry = this.#add(this.#identify(options.id), state, options);
    this.#commitState("join", entry);
    return entry;
  }

  /**
   * Sets an entry without a connection: a new one at the end of the map, or in place of the one of its identifier.
   *
   * @param state Its state, which is copied; a string is encoded as UTF-8
   * @param options Its identifier, until when it stays, and the part of the bytes that is the state
   * @returns The entry, which is *detached*
   * @throws {TrackerError} BAD_ARGUMENT as {@linkcode open}, but not if the identifier is open
   */
  put(state: Uint8Array | string, options: PutOptions): Entry {
    const known = this.#entries.get(options.id);
    const entry = known ?? this.#add(this.#identify(options.id), state, options);
    if (known !== undefined) this.#assign(entry, state, options.start, options.end);
    entry.status = "detached";
    entry.until = options.until;
    entry.statusRevision = this.#revision + 1;
    this.#commitState("set", entry);
    return entry;
  }

  /**
   * Replaces a client's state.
   *
   * @param entry The client, as returned by {@linkcode open}
   * @param state Its new state, which is copied; a string is encoded as UTF-8
   * @param start Where the state begins in the bytes
   * @param end Where it ends
   * @returns `false` if the client is no longer open; then nothing changes
   */
  update(entry: Entry, state: Uint8Array | string, start?: number, end?: number): boolean {
    if (!(entry instanceof StoredEntry) || entry.group === null) return false;
    this.#assign(entry, state, start, end);
    this.#commitState("update", entry);
    return true;
  }

  /**
   * Marks whether a client is connected. It stays in the map either way.
   *
   * @param entry The client, as returned by {@linkcode open}
   * @param status Its new status
   * @param until Until when a suspect client is waited for, in milliseconds since 1970-01-01 UTC
   * @returns `false` if the client is no longer open, or already has that status; then nothing changes
   */
  mark(entry: Entry, status: Exclude<Status, "detached">, until = 0): boolean {
    if (!(entry instanceof StoredEntry) || entry.group === null || entry.status === status) return false;
    this.#flatMap.willChange(entry, this.#revision + 1);
    entry.status = status;
    entry.until = status === "live" ? 0 : until;
    entry.statusRevision = entry.revision = ++this.#revision;
    this.changes.append(entry);
    this.#notify(status === "live" ? "resume" : "suspect", entry);
    return true;
  }

  /**
   * Removes a client from the map. Doing it twice is safe.
   *
   * @param entry The client, as returned by {@linkcode open}
   * @param cause Why it leaves
   * @returns `false` if the client was no longer open; then nothing changes
   */
  close(entry: Entry, cause: LeaveCause = "close"): boolean {
    if (!(entry instanceof StoredEntry) || entry.group === null) return false;
    this.#flatMap.willChange(entry, this.#revision + 1);
    this.#entries.delete(entry.id);
    this.#ids.remove(entry);
    this.#flatMap.remove(entry, this.#revision + 1);
    this.#stateBytes -= entry.stateLength;
    entry.revision = ++this.#revision;
    this.changes.remove(entry);
    this.changes.bury(new Tombstone(entry.id, entry.revision, cause));
    this.#notify("leave", entry, cause);
    return true;
  }

  /**
   * Flattens the map to `{id=state, id=state}`, in order of opening, states verbatim.
   *
   * @returns The bytes. All callers at the same revision may share them: do not write to them. A later change of the map
   *   makes new bytes and leaves these as they are. Those of a long map are made for each call.
   */
  flatten(): Uint8Array {
    return this.#flatMap.flatten();
  }

  /** @internal Length of the flattened map, in bytes. */
  get flatLength(): number {
    return this.#flatMap.length;
  }

  /** @internal What is kept of the past for those who read the map in pieces, in bytes. */
  get pastBytes(): number {
    return this.#flatMap.snapshots.bytes;
  }

  /** @internal Flattens the map as it is now in pieces, while it goes on changing. There must be a client. */
  flattenInPieces(): Pieces {
    return this.#flatMap.flattenInPieces(this.#revision);
  }

  /** @internal Selects clients as they are now, to be read in steps. */
  select(choice: Choice): Selection {
    return select(this.#flatMap, this.#ids, choice, this.#revision);
  }

  /**
   * Counts the open clients whose identifier begins with a prefix, without looking at each.
   *
   * @param prefix The prefix; `""` for all clients
   * @returns Their number
   */
  countWith(prefix: string): number {
    return this.#ids.count(prefix);
  }

  /**
   * Iterates over the open clients whose identifier begins with a prefix, without looking at others.
   *
   * @param prefix The prefix
   * @returns The entries, in order of the UTF-16 code units of their identifiers; the map must not change during the
   *   iteration
   */
  entriesWith(prefix: string): Generator<Entry, void> {
    return this.#ids.with(prefix);
  }

  /**
   * Calls a function after every change, once the map shows it. A listener may change the map; then all of them are told
   * of that change after this one, so that each hears of all changes in their order.
   *
   * @param listener Called with each change, in order
   * @returns A function that ends the subscription
   */
  subscribe(listener: (change: Change) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** @internal Calls a function with every change, before anything else can happen; it must not change the map. */
  observe(observer: (change: Change) => void): () => void {
    return this.#observers.add(observer);
  }

  /** @internal Notes whose an entry is from now on, which is no change of the map. */
  assignTo(entry: Entry, holder: Holder): void {
    if (entry instanceof StoredEntry) entry.holder = holder;
  }

  /** Adds an entry at the end of the map. */
  #add(id: string, state: Uint8Array | string, options: OpenOptions): StoredEntry {
    const bytes = toBytes(state);
    const { start = 0, end = bytes.length } = options;
    const entry = new StoredEntry(id, this.#now(), bytes, start, end);
    entry.joinRevision = this.#revision + 1;
    entry.holder = options.holder ?? null;
    this.#flatMap.add(entry);
    this.#ids.add(entry);
    this.#stateBytes += entry.stateLength;
    this.#entries.set(id, entry);
    return entry;
  }

  #assign(entry: StoredEntry, state: Uint8Array | string, start = 0, end?: number): void {
    const bytes = toBytes(state);
    this.#flatMap.willChange(entry, this.#revision + 1);
    const before = entry.stateLength;
    entry.assign(bytes, start, end ?? bytes.length);
    this.#stateBytes += entry.stateLength - before;
    entry.updatedAt = this.#now();
    this.#flatMap.noteState(entry, this.#revision + 1, before);
  }

  /** The identifier asked for, or the next number. A numbered one cannot be asked for: its number could come twice. */
  #identify(wanted: string | undefined): string {
    if (wanted === undefined) return `client${++this.#numbered}`;
    if (this.#entries.has(wanted)) throw identifierError(`the identifier ${wanted} is already open`);
    if (/^client\d+$/.test(wanted)) {
      throw identifierError(`the identifier ${wanted} has the form that the server numbers`);
    }
    const { length } = toBytes(wanted);
    if (length <= MAX_IDENTIFIER) return wanted;
    throw identifierError(`its identifier has ${length} bytes, which is above the limit of ${MAX_IDENTIFIER}`);
  }

  /** Shared end of open, put and update: bumps the revision, moves the entry to the end of the changes, and notifies. */
  #commitState(kind: "join" | "update" | "set", entry: StoredEntry): void {
    entry.revision = entry.stateRevision = ++this.#revision;
    this.changes.append(entry);
    this.#notify(kind, entry);
  }

  #notify(kind: Change["kind"], entry: StoredEntry, cause?: LeaveCause): void {
    // Without subscribers a change allocates nothing.
    if (this.#listeners.size === 0 && this.#observers.size === 0) return;
    const { revision } = entry;
    const change = cause === undefined ? { kind, entry, revision } : { kind, entry, revision, cause };
    this.#observers.notify(change);
    this.#listeners.notify(change);
  }
}

function identifierError(why: string): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot open client: ${why}`);
}

function randomIncarnation(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}
