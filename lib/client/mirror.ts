/**
 * A copy of the map that is kept up to date.
 *
 * @module
 */

import { brokenError, closedError } from "./calls.ts";
import { ignore } from "../base/async.ts";
import type { TrackerError } from "../errors.ts";
import type { LeaveCause, Status } from "../protocol.ts";
import type { Position } from "../wire/requests.ts";
import type { MapEvent, Watch } from "./watch.ts";

/** A client, as a {@linkcode Mirror} has it. It is never changed: a change of the client makes another one. */
export interface MirrorEntry {
  /** Its identifier. */
  readonly id: string;
  /** Its state. */
  readonly state: Uint8Array;
  /** Whether its connection lasts. */
  readonly status: Status;
  /** The server's revision at its last change that is known. */
  readonly revision: number;
}

/** What happened to a client in a {@linkcode Mirror}, which shows it already. */
export type MirrorChange =
  /** It entered the map. */
  | { kind: "join"; id: string; entry: MirrorEntry; previous: null }
  /** It has a new state; its connection has ended, and its name is kept; or it is back. */
  | { kind: "update" | "suspect" | "resume"; id: string; entry: MirrorEntry; previous: MirrorEntry }
  /** It left the map. The cause is `null` when that happened while the connection was lost: nobody can tell then. */
  | { kind: "leave"; id: string; entry: null; previous: MirrorEntry; cause: LeaveCause | null };

/** What a mirror can be told. */
export interface MirrorOptions {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /** Ends the mirror when aborted; its `error` is ABORTED then. */
  signal?: AbortSignal;
}

/**
 * A live copy of the map, in the order in which the clients opened. It is empty until it is `synced`; half a snapshot
 * is never seen. While the connection is lost it keeps what it has. If a whole snapshot comes then, because the server
 * was started anew or too much has changed, all of it takes effect at once, and every difference is told as a change.
 */
export class Mirror implements ReadonlyMap<string, MirrorEntry>, AsyncDisposable {
  /** Resolves when the mirror first shows the map; rejects when it ended before. */
  readonly synced: Promise<void>;
  /** Resolves when the mirror has ended; `error` then tells why. Never rejects. */
  readonly finished: Promise<void>;
  readonly #watch: Watch;
  readonly #listeners = new Set<(change: MirrorChange) => void>();
  #entries = new Map<string, MirrorEntry>();
  /** The snapshot that is coming in. */
  #fresh: Map<string, MirrorEntry> | null = null;
  #position: Position | null = null;
  #error: TrackerError | null = null;

  /** @internal `Client.mirror` makes it. */
  constructor(watch: Watch) {
    this.#watch = watch;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.synced.catch(ignore);
    this.finished = this.#run(resolve).then(() => {
      reject(this.#error ?? closedError("mirror", "it was closed"));
    });
  }

  /** What ended the mirror, or `null` while it lasts and after {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** How far the mirror has come: the last revision it shows, and of which life of the server. `null` before `synced`. */
  get position(): Position | null {
    return this.#position;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Finds a client.
   *
   * @param id Its identifier
   * @returns The client, or `undefined` when it is not in the map
   */
  get(id: string): MirrorEntry | undefined {
    return this.#entries.get(id);
  }

  /**
   * Finds a client's state.
   *
   * @param id Its identifier
   * @returns The state as text, in which bytes that are not UTF-8 are U+FFFD; `undefined` when it is not in the map
   */
  getText(id: string): string | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }).decode(entry.state);
  }

  /**
   * Tells whether a client is in the map.
   *
   * @param id Its identifier
   * @returns `true` when it is
   */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** The identifiers, in the order the clients opened. */
  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  /** The clients, in the order they opened. */
  values(): MapIterator<MirrorEntry> {
    return this.#entries.values();
  }

  /** The identifiers and clients, in the order they opened. */
  entries(): MapIterator<[string, MirrorEntry]> {
    return this.#entries.entries();
  }

  /** The identifiers and clients, in the order they opened. */
  [Symbol.iterator](): MapIterator<[string, MirrorEntry]> {
    return this.#entries[Symbol.iterator]();
  }

  /**
   * Calls a function for each client, in the order they opened.
   *
   * @param callback The function
   * @param thisArg Its `this`
   */
  forEach(
    callback: (entry: MirrorEntry, id: string, mirror: ReadonlyMap<string, MirrorEntry>) => void,
    thisArg?: unknown,
  ): void {
    for (const [id, entry] of this.#entries) callback.call(thisArg, entry, id, this);
  }

  /**
   * Calls a function after every change, once the mirror shows it. The clients of the first snapshot are told as joins.
   *
   * @param listener Called with each change, in order
   * @returns Call it to hear no more
   */
  subscribe(listener: (change: MirrorChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Ends the mirror, which keeps what it has. Doing it again is safe. */
  async close(): Promise<void> {
    await this.#watch.return();
    await this.finished;
  }

  /** Ends the mirror. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(onSynced: () => void): Promise<void> {
    try {
      for await (const event of this.#watch) {
        if (event.kind === "snapshot") this.#fresh = new Map();
        else if (event.kind === "synced") this.#endSnapshot(onSynced);
        else if (this.#fresh !== null) applyTo(this.#fresh, event);
        else this.#show(event);
      }
    } catch (error) {
      this.#error = brokenError(error);
    }
  }

  #show(event: EntryEvent): void {
    const [previous, entry] = applyTo(this.#entries, event);
    this.#position = this.#watch.position;
    const change = changeOf(event, previous, entry);
    if (change !== null) this.#announce(change);
  }

  #endSnapshot(onSynced: () => void): void {
    const previous = this.#entries;
    if (this.#fresh !== null) this.#entries = this.#fresh;
    this.#fresh = null;
    this.#position = this.#watch.position;
    onSynced();
    for (const change of differences(previous, this.#entries)) this.#announce(change);
  }

  /** A listener that throws is its owner's fault: it stops neither the others nor the mirror. */
  #announce(change: MirrorChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** An event of one client. */
type EntryEvent = Exclude<MapEvent, { kind: "snapshot" | "synced" }>;

/** Brings a map up to date, and returns the client before and after. */
function applyTo(entries: Map<string, MirrorEntry>, event: EntryEvent): [MirrorEntry | null, MirrorEntry | null] {
  const previous = entries.get(event.id) ?? null;
  const entry = entryAfter(event, previous);
  if (entry === null) entries.delete(event.id);
  else entries.set(event.id, entry);
  return [previous, entry];
}

function entryAfter(event: EntryEvent, previous: MirrorEntry | null): MirrorEntry | null {
  const { id, revision } = event;
  switch (event.kind) {
    case "present":
      return { id, state: event.state, status: event.status, revision };
    case "join":
      return { id, state: event.state, status: "live", revision };
    case "update":
      return { id, state: event.state, status: previous?.status ?? "live", revision };
    case "suspect":
      return previous && { ...previous, status: "suspect", revision };
    case "resume":
      return previous && { ...previous, status: "live", revision };
    case "leave":
      return null;
  }
}

/** What to tell of an event; `null` when it changed nothing, as the leave of a client that was never seen. */
function changeOf(event: EntryEvent, previous: MirrorEntry | null, entry: MirrorEntry | null): MirrorChange | null {
  const { id, kind } = event;
  if (entry === null) {
    if (previous === null) return null;
    return { kind: "leave", id, entry, previous, cause: kind === "leave" ? event.cause : null };
  }
  if (previous === null) return { kind: "join", id, entry, previous };
  return { kind: kind === "suspect" || kind === "resume" ? kind : "update", id, entry, previous };
}

/** Everything that became different between two snapshots: leaves first, then the others in the map's order. */
function* differences(
  before: ReadonlyMap<string, MirrorEntry>,
  after: ReadonlyMap<string, MirrorEntry>,
): Generator<MirrorChange> {
  for (const [id, previous] of before) {
    if (!after.has(id)) yield { kind: "leave", id, entry: null, previous, cause: null };
  }
  for (const [id, entry] of after) {
    const previous = before.get(id);
    if (previous === undefined) {
      yield { kind: "join", id, entry, previous: null };
      continue;
    }
    if (!areEqual(previous.state, entry.state)) yield { kind: "update", id, entry, previous };
    if (previous.status !== entry.status) {
      yield { kind: entry.status === "live" ? "resume" : "suspect", id, entry, previous };
    }
  }
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
