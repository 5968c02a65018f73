/**
 * The live map: who is open, and in what state. Pure: it does no I/O.
 *
 * The flattened map, `{id=state, id=state}`, is asked for far more often than anything else, and a change touches one
 * entry of possibly many. So entries live in chunks of a bounded number, in order of opening; each chunk keeps its
 * flattened bytes and is rebuilt only when one of its own entries has changed; and the whole is put together from the
 * chunks at most once per change.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { type LeaveCause, MAX_IDENTIFIER, type Status } from "../protocol.ts";

/** Most entries in a chunk: what one change makes the next Get rebuild, against how many pieces it then joins. */
const CHUNK_ENTRIES = 128;

/**
 * Chunks above this many bytes are not kept flattened: copying large states one by one costs no more than copying
 * their chunk, and keeping them twice would double the memory of a map of large states.
 */
const CHUNK_CACHE_BYTES = 65_536;

/**
 * Up to this many bytes a loop copies faster than `set`, which needs a view of the part to copy; beyond it `set` does,
 * view and all. Measured with a loop and a `set` side by side in `deno bench`.
 */
const LOOP_COPY_BYTES = 40;

/** How many leaves are remembered, for those who ask what has changed since a revision. */
export const MAX_TOMBSTONES = 65_536;

/** A state's memory is given back when less than a quarter of it is in use, unless it is this small, in bytes. */
const KEPT_CAPACITY = 64;

const COMMA = ",".charCodeAt(0);
const SPACE = " ".charCodeAt(0);
const OPENING_BRACE = "{".charCodeAt(0);
const CLOSING_BRACE = "}".charCodeAt(0);

const encoder = new TextEncoder();

/** Copies `source[start..end)` to `target[at..]`, making no view for a short state. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > LOOP_COPY_BYTES) {
    target.set(source.subarray(start, end), at);
  } else {
    for (let i = start; i < end; i++) target[at++] = source[i] ?? 0;
  }
}

/** One client in the map. Reading it always gives its present values; a closed entry keeps its last ones. */
export interface Entry {
  /** The client's identifier. */
  readonly id: string;
  /** When it opened, in milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** When its state was last set, in milliseconds since 1970-01-01 UTC. */
  readonly updatedAt: number;
  /** Whether its connection lasts, or its name alone is kept. */
  readonly status: Status;
  /** The map's revision at its last change of any kind. */
  readonly revision: number;
  /** The map's revision when it opened. */
  readonly joinRevision: number;
  /** The map's revision when its state was last set. */
  readonly stateRevision: number;
  /** The map's revision when its status last changed; 0 if it never did. */
  readonly statusRevision: number;
  /** A copy of the state. */
  readonly state: Uint8Array;
  /** The state's length, in bytes. */
  readonly stateLength: number;
  /** The identifier's length in UTF-8, in bytes. */
  readonly idLength: number;
  /**
   * Copies the identifier in UTF-8, making no object.
   *
   * @param target Where to
   * @param at Where it begins there
   * @returns The offset after it
   */
  writeId(target: Uint8Array, at: number): number;
  /**
   * Copies the state, making no object.
   *
   * @param target Where to
   * @param at Where it begins there
   * @returns The offset after it
   */
  writeState(target: Uint8Array, at: number): number;
}

/** An entry as the registry keeps it. */
class Slot implements Entry {
  readonly id: string;
  readonly openedAt: number;
  updatedAt: number;
  status: Status = "live";
  revision = 0;
  joinRevision = 0;
  stateRevision = 0;
  statusRevision = 0;
  /** Where the entry is flattened; `null` once it is closed. */
  chunk: Chunk | null = null;
  /** `id=` in UTF-8, and the state behind it: one piece of memory, copied in one go. */
  #bytes: Uint8Array<ArrayBuffer>;
  readonly #labelLength: number;
  #length: number;

  constructor(id: string, now: number, source: Uint8Array, start: number, end: number) {
    this.id = id;
    const label = encoder.encode(`${id}=`);
    this.openedAt = this.updatedAt = now;
    this.#labelLength = label.length;
    this.#length = label.length + end - start;
    this.#bytes = new Uint8Array(this.#length);
    this.#bytes.set(label);
    copyBytes(source, start, end, this.#bytes, label.length);
  }

  get state(): Uint8Array {
    return this.#bytes.slice(this.#labelLength, this.#length);
  }

  get stateLength(): number {
    return this.#length - this.#labelLength;
  }

  get idLength(): number {
    return this.#labelLength - 1;
  }

  writeId(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, 0, this.idLength, target, at);
    return at + this.idLength;
  }

  writeState(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, this.#labelLength, this.#length, target, at);
    return at + this.stateLength;
  }

  /** Bytes the entry takes in its chunk: `id=state, `. */
  get flatLength(): number {
    return this.#length + 2;
  }

  /** Replaces the state with a copy of `source[start..end)`, in the memory it has when that fits. */
  assign(source: Uint8Array, start: number, end: number): void {
    const length = this.#labelLength + end - start;
    const capacity = this.#bytes.length;
    if (length > capacity || (capacity > KEPT_CAPACITY && length < capacity / 4)) {
      const bytes = new Uint8Array(length);
      copyBytes(this.#bytes, 0, this.#labelLength, bytes, 0);
      this.#bytes = bytes;
    }
    copyBytes(source, start, end, this.#bytes, this.#labelLength);
    this.#length = length;
  }

  /** Writes `id=state, ` and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    copyBytes(this.#bytes, 0, this.#length, target, at);
    at += this.#length;
    target[at] = COMMA;
    target[at + 1] = SPACE;
    return at + 2;
  }
}

/** Up to {@linkcode CHUNK_ENTRIES} neighbours in the map and, unless they are large, their flattened bytes. */
class Chunk {
  readonly entries: Slot[] = [];
  dirty = true;
  #length = 0;
  #bytes: Uint8Array | null = null;

  /** Brings the chunk up to date and returns how many bytes it takes. */
  refresh(): number {
    if (!this.dirty) return this.#length;
    this.#length = 0;
    for (const entry of this.entries) this.#length += entry.flatLength;
    this.#bytes = this.#length > CHUNK_CACHE_BYTES ? null : this.#rebuild(this.#length);
    this.dirty = false;
    return this.#length;
  }

  /** Writes the chunk, which must be up to date, and returns the offset after it. */
  flattenInto(target: Uint8Array, at: number): number {
    if (this.#bytes === null) return this.#flattenEntries(target, at);
    target.set(this.#bytes, at);
    return at + this.#length;
  }

  #rebuild(length: number): Uint8Array {
    const bytes = this.#bytes?.length === length ? this.#bytes : new Uint8Array(length);
    this.#flattenEntries(bytes, 0);
    return bytes;
  }

  #flattenEntries(target: Uint8Array, at: number): number {
    for (const entry of this.entries) at = entry.flattenInto(target, at);
    return at;
  }
}

/** What happened to the map. */
export interface Change {
  /** What the client did: opened, got a new state, lost its connection, came back, or left. */
  kind: "join" | "update" | "suspect" | "resume" | "leave";
  /** The client it happened to. */
  entry: Entry;
  /** The revision this change made. */
  revision: number;
  /** Why it left; only of a leave. */
  cause?: LeaveCause;
}

/** A client that has left, as long as it is remembered. */
export interface Tombstone {
  /** Its identifier. */
  readonly id: string;
  /** The revision its leaving made. */
  readonly revision: number;
  /** Why it left. */
  readonly cause: LeaveCause;
}

/** The latest tombstones, in order: the oldest are forgotten when there are too many. */
class Tombstones {
  #kept: Tombstone[] = [];
  /** Revision of the last tombstone that was forgotten. */
  #forgotten = 0;

  add(tombstone: Tombstone): void {
    this.#kept.push(tombstone);
    if (this.#kept.length < MAX_TOMBSTONES) return;
    // Half at once, since taking them one by one from the front would move all the others each time.
    const dropped = this.#kept.splice(0, MAX_TOMBSTONES / 2);
    this.#forgotten = dropped.at(-1)?.revision ?? this.#forgotten;
  }

  canResumeFrom(revision: number): boolean {
    return revision >= this.#forgotten;
  }

  since(revision: number): Tombstone[] | null {
    if (!this.canResumeFrom(revision)) return null;
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#kept.slice(low);
  }
}

/** What a {@linkcode Registry} can be told. */
export interface RegistryOptions {
  /** The wall clock, in milliseconds since 1970-01-01 UTC. Default `Date.now`. */
  now?: () => number;
  /** What tells this life of the map from every other. Default a random string of 16 characters. */
  incarnation?: string;
}

function randomIncarnation(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
}

/**
 * The live map of every open client.
 *
 * @example Two clients come, one goes
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
  /** What tells this life of the map from every other: revisions of different ones cannot be compared. */
  readonly incarnation: string;
  readonly #now: () => number;
  readonly #entries = new Map<string, Slot>();
  readonly #chunks: Chunk[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #tombstones = new Tombstones();
  #opened = 0;
  #revision = 0;
  #stateBytes = 0;
  #flat: Uint8Array | null = null;

  /**
   * Makes an empty map.
   *
   * @param options The clock to use, and the name of this life of the map
   * @throws {TrackerError} BAD_ARGUMENT when that name is not 1 to 255 characters of ASCII
   */
  constructor(options: RegistryOptions = {}) {
    this.incarnation = options.incarnation ?? randomIncarnation();
    if (!/^[\x21-\x7e]{1,255}$/.test(this.incarnation)) {
      throw new TrackerError("BAD_ARGUMENT", "Cannot make registry: its incarnation is not 1 to 255 ASCII characters");
    }
    this.#now = options.now ?? Date.now;
  }

  /** How many clients are open. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many bytes all states have together. */
  get stateBytes(): number {
    return this.#stateBytes;
  }

  /** How many changes the map has seen: each gets the next number, from 1. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Finds a client.
   *
   * @param id The client's identifier
   * @returns Its entry, or `undefined` when it is not open
   */
  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /**
   * Walks over every open client, in the order they opened.
   *
   * @returns The entries
   */
  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /**
   * Walks over the clients that entered the map after a revision, in the order they opened. To go on later from where
   * it was left costs next to nothing. The iterator of {@linkcode entries} can be left too; but as long as somebody
   * keeps one that has not come to its end, it keeps all who were in the map meanwhile.
   *
   * @param revision The revision; 0 for everybody
   * @returns The entries; the map must not change while they are walked over
   */
  *entriesSince(revision: number): Generator<Entry, void> {
    for (let at = this.#chunkSince(revision); at < this.#chunks.length; at++) {
      for (const entry of this.#chunks[at]!.entries) {
        if (entry.joinRevision > revision) yield entry;
      }
    }
  }

  /**
   * Adds a client at the end of the map.
   *
   * @param state Its state; a string is taken as UTF-8
   * @param options `start` and `end`: the part of the bytes that is the state; `id`: its identifier, by default the
   *   next of `client1`, `client2`, …, which are never used twice
   * @returns The client's entry
   * @throws {TrackerError} BAD_ARGUMENT when the identifier is open already, has the form of a numbered one, or is longer
   *   than {@linkcode MAX_IDENTIFIER}
   */
  open(state: Uint8Array | string, options: { start?: number; end?: number; id?: string } = {}): Entry {
    const bytes = typeof state === "string" ? encoder.encode(state) : state;
    const { start = 0, end = bytes.length } = options;
    const id = this.#identify(options.id);
    const entry = new Slot(id, this.#now(), bytes, start, end);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.entries.length === CHUNK_ENTRIES) {
      chunk = new Chunk();
      this.#chunks.push(chunk);
    }
    chunk.entries.push(entry);
    entry.chunk = chunk;
    this.#stateBytes += entry.stateLength;
    this.#entries.set(id, entry);
    this.#commit("join", entry, chunk);
    return entry;
  }

  /**
   * Replaces a client's state. The bytes are copied.
   *
   * @param entry The client, as {@linkcode open} returned it
   * @param state Its new state; a string is taken as UTF-8
   * @param start Where the state begins in the bytes
   * @param end Where it ends
   * @returns `false` when the client is not open any more, and nothing was done
   */
  update(entry: Entry, state: Uint8Array | string, start?: number, end?: number): boolean {
    if (!(entry instanceof Slot) || entry.chunk === null) return false;
    const bytes = typeof state === "string" ? encoder.encode(state) : state;
    const before = entry.stateLength;
    entry.assign(bytes, start ?? 0, end ?? bytes.length);
    this.#stateBytes += entry.stateLength - before;
    entry.updatedAt = this.#now();
    this.#commit("update", entry, entry.chunk);
    return true;
  }

  /**
   * Marks whether a client's connection lasts. It stays in the map either way.
   *
   * @param entry The client, as {@linkcode open} returned it
   * @param status Its new status
   * @returns `false` when the client is not open any more, or has that status already, and nothing was done
   */
  mark(entry: Entry, status: Status): boolean {
    if (!(entry instanceof Slot) || entry.chunk === null || entry.status === status) return false;
    entry.status = status;
    entry.statusRevision = entry.revision = ++this.#revision;
    this.#tell(status === "live" ? "resume" : "suspect", entry);
    return true;
  }

  /**
   * Takes a client out of the map. Doing it twice is safe.
   *
   * @param entry The client, as {@linkcode open} returned it
   * @param cause Why; `"close"` unless given
   * @returns `false` when the client was not open any more, and nothing was done
   */
  close(entry: Entry, cause: LeaveCause = "close"): boolean {
    if (!(entry instanceof Slot) || entry.chunk === null) return false;
    const { chunk } = entry;
    entry.chunk = null;
    this.#entries.delete(entry.id);
    this.#stateBytes -= entry.stateLength;
    chunk.entries.splice(chunk.entries.indexOf(entry), 1);
    if (chunk.entries.length === 0) this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
    chunk.dirty = true;
    this.#flat = null;
    entry.revision = ++this.#revision;
    this.#tombstones.add({ id: entry.id, revision: entry.revision, cause });
    this.#tell("leave", entry, cause);
    return true;
  }

  /**
   * Whether every tombstone since a revision is still remembered.
   *
   * @param revision The revision
   * @returns `false` when some are forgotten
   */
  canResumeFrom(revision: number): boolean {
    return this.#tombstones.canResumeFrom(revision);
  }

  /**
   * Who has left since a revision.
   *
   * @param revision The last revision that is known already
   * @returns The tombstones after it, in order; `null` when some of them are forgotten
   */
  tombstonesSince(revision: number): Tombstone[] | null {
    return this.#tombstones.since(revision);
  }

  /**
   * The whole map as `{id=state, id=state}`, in the order of opening, states verbatim.
   *
   * @returns The bytes. They are shared with everyone who asks for the same revision: do not write to them. A later
   *   change of the map makes new bytes and leaves these as they are.
   */
  flatten(): Uint8Array {
    return this.#flat ??= this.#assemble();
  }

  /**
   * Calls a function after every change, once the map shows it.
   *
   * @param listener Called with each change, in order
   * @returns Call it to hear no more
   */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The identifier asked for, or the next number: asking for a numbered one could make a number come twice. */
  #identify(wanted: string | undefined): string {
    if (wanted === undefined) return `client${++this.#opened}`;
    if (this.#entries.has(wanted) || /^client\d+$/.test(wanted)) {
      const why = this.#entries.has(wanted) ? "is already open" : "has the form that the server numbers";
      throw new TrackerError("BAD_ARGUMENT", `Cannot open client: the identifier ${wanted} ${why}`);
    }
    const { length } = encoder.encode(wanted);
    if (length <= MAX_IDENTIFIER) return wanted;
    const why = `its identifier has ${length} bytes, which is above the limit of ${MAX_IDENTIFIER}`;
    throw new TrackerError("BAD_ARGUMENT", `Cannot open client: ${why}`);
  }

  /** The first chunk with a client that entered after a revision: they lie in the order of opening. */
  #chunkSince(revision: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.entries.at(-1)!.joinRevision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #assemble(): Uint8Array {
    let length = 2;
    for (const chunk of this.#chunks) length += chunk.refresh();
    if (length === 2) return Uint8Array.of(OPENING_BRACE, CLOSING_BRACE);
    // Every entry is followed by ", ": the last one's makes room for the braces.
    const flat = new Uint8Array(length - 1);
    flat[0] = OPENING_BRACE;
    let at = 1;
    for (const chunk of this.#chunks) at = chunk.flattenInto(flat, at);
    flat[at - 2] = CLOSING_BRACE;
    return flat.subarray(0, at - 1);
  }

  /** Of the two changes that set a state: everything else about them is the caller's. */
  #commit(kind: "join" | "update", entry: Slot, chunk: Chunk): void {
    chunk.dirty = true;
    this.#flat = null;
    entry.revision = entry.stateRevision = ++this.#revision;
    if (kind === "join") entry.joinRevision = entry.revision;
    this.#tell(kind, entry);
  }

  #tell(kind: Change["kind"], entry: Slot, cause?: LeaveCause): void {
    if (this.#listeners.size === 0) return;
    const { revision } = entry;
    this.#announce(cause === undefined ? { kind, entry, revision } : { kind, entry, revision, cause });
  }

  /** A listener that throws is its owner's fault: it stops neither the others nor the change. */
  #announce(change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        reportError(error);
      }
    }
  }
}
