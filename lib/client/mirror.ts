/**
 * A live copy of the map.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import { equals, toText } from "../base/bytes.ts";
import { Listeners } from "../base/listeners.ts";
import { MapSize } from "./map_size.ts";
import { inOpeningOrder } from "./opening_order.ts";
import type { TrackerError } from "../errors.ts";
import type { LeaveCause, Status } from "../protocol.ts";
import type { Position } from "../wire/requests.ts";
import { brokenError, closedError } from "./calls.ts";
import type { MapEvent, Watch } from "./watch.ts";

/** A client in a {@linkcode Mirror}. Immutable: a change of the client replaces it. */
export interface MirrorEntry {
  /** Its identifier. */
  readonly id: string;
  /** Its state. */
  readonly state: Uint8Array;
  /** Whether it is connected. */
  readonly status: Status;
  /** The server's revision at its last known change. */
  readonly revision: number;
  /** When it opened, in milliseconds since 1970-01-01 UTC: by the server's clock, or by this one's if that was seen. */
  readonly openedAt: number;
  /** When its state was last set, likewise. */
  readonly updatedAt: number;
  /** Until when an entry that was set stays without a connection, likewise; 0 if it has one, or that is not known. */
  readonly until: number;
}

/** A change of a client in a {@linkcode Mirror}, which shows it already. */
export type MirrorChange =
  /** It entered the map. */
  | { kind: "join"; id: string; entry: MirrorEntry; previous: null }
  /** It has a new state; it was set without a connection; it has lost its connection and keeps its name; or it is back. */
  | { kind: "update" | "set" | "suspect" | "resume"; id: string; entry: MirrorEntry; previous: MirrorEntry }
  /** It left the map. The cause is `null`, since unknown, if that happened while the mirror's connection was lost. */
  | { kind: "leave"; id: string; entry: null; previous: MirrorEntry; cause: LeaveCause | null };

/** Options for {@linkcode Mirror}. */
export interface MirrorOptions {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /** Ends the mirror when aborted; its `error` is ABORTED then. */
  signal?: AbortSignal;
}

/**
 * A live copy of the map, in the order in which the clients opened, as far as the server's clock can tell. It is empty until it is `synced`, and never shows
 * half a snapshot. While the connection is lost it keeps what it has. If a snapshot follows, because the server was
 * started anew or too much has changed, it takes effect all at once, and every difference is announced as a change.
 */
export class Mirror implements ReadonlyMap<string, MirrorEntry>, AsyncDisposable {
  /** Resolves when the mirror first shows the map; rejects if it ends before. */
  readonly synced: Promise<void>;
  /** Resolves when the mirror has ended; `error` then tells why. Never rejects. */
  readonly finished: Promise<void>;
  readonly #watch: Watch;
  readonly #listeners = new Listeners<MirrorChange>();
  #entries = new Map<string, MirrorEntry>();
  /** The snapshot being received, and when its clients opened. */
  #fresh: Map<string, MirrorEntry> | null = null;
  readonly #openedAt = new Map<string, number>();
  /** What the clients take, and those of the snapshot. */
  #size: MapSize;
  #freshSize: MapSize;
  #position: Position | null = null;
  #error: TrackerError | null = null;

  /** @internal Use `Client.mirror`. */
  constructor(watch: Watch, maxMap: number) {
    this.#watch = watch;
    this.#size = new MapSize(maxMap);
    this.#freshSize = new MapSize(maxMap);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.synced.catch(ignore);
    this.finished = this.#run(resolve).then(() => {
      reject(this.#error ?? closedError("mirror", "it was closed"));
    });
  }

  /** What ended the mirror; `null` while it lasts and after {@linkcode close}. */
  get error(): TrackerError | null {
    return this.#error;
  }

  /** The last revision the mirror shows, and the server's incarnation. `null` before `synced`. */
  get position(): Position | null {
    return this.#position;
  }

  /** The number of clients. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Finds a client.
   *
   * @param id Its identifier
   * @returns The client; `undefined` if it is not in the map
   */
  get(id: string): MirrorEntry | undefined {
    return this.#entries.get(id);
  }

  /**
   * Finds a client's state.
   *
   * @param id Its identifier
   * @returns The state as text, with U+FFFD for bytes that are not UTF-8; `undefined` if it is not in the map
   */
  getText(id: string): string | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined ? undefined : toText(entry.state);
  }

  /**
   * Checks whether a client is in the map.
   *
   * @param id Its identifier
   * @returns `true` if it is
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
   * Calls a function after every change, once the mirror shows it. The clients of the first snapshot come as joins.
   *
   * @param listener Called with each change, in order
   * @returns Removes the listener
   */
  subscribe(listener: (change: MirrorChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Ends the mirror, which keeps what it has. Safe to repeat. */
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
        if (event.kind === "snapshot") this.#startSnapshot();
        else if (event.kind === "synced") this.#endSnapshot(onSynced);
        else if (this.#fresh !== null) this.#collect(this.#fresh, event);
        else this.#show(event);
      }
    } catch (error) {
      this.#error = brokenError(error);
    }
  }

  #show(event: EntryEvent): void {
    const [previous, entry] = applyTo(this.#entries, event);
    this.#size.replace(previous, entry);
    this.#position = this.#watch.position;
    const change = changeOf(event, previous, entry);
    if (change !== null) this.#listeners.notify(change);
  }

  #startSnapshot(): void {
    this.#fresh = new Map();
    this.#freshSize.clear();
    this.#openedAt.clear();
  }

  #collect(fresh: Map<string, MirrorEntry>, event: EntryEvent): void {
    this.#freshSize.replace(...applyTo(fresh, event));
    if (event.kind === "present") this.#openedAt.set(event.id, event.openedAt);
  }

  #endSnapshot(onSynced: () => void): void {
    const previous = this.#entries;
    if (this.#fresh !== null) this.#entries = inOpeningOrder(this.#fresh, (id) => this.#openedAt.get(id) ?? Infinity);
    if (this.#fresh !== null) [this.#size, this.#freshSize] = [this.#freshSize, this.#size];
    this.#freshSize.clear();
    this.#openedAt.clear();
    this.#fresh = null;
    this.#position = this.#watch.position;
    onSynced();
    for (const change of differences(previous, this.#entries)) this.#listeners.notify(change);
  }
}

/** An event of one client. */
type EntryEvent = Exclude<MapEvent, { kind: "snapshot" | "synced" }>;

/** Applies an event to a map. Returns the client before and after. */
function applyTo(entries: Map<string, MirrorEntry>, event: EntryEvent): [MirrorEntry | null, MirrorEntry | null] {
  const previous = entries.get(event.id) ?? null;
  const entry = entryAfter(event, previous);
  if (entry === null) entries.delete(event.id);
  else entries.set(event.id, entry);
  return [previous, entry];
}

function entryAfter(event: EntryEvent, previous: MirrorEntry | null): MirrorEntry | null {
  const { id, revision, time } = event;
  const openedAt = previous?.openedAt ?? time;
  switch (event.kind) {
    case "present": {
      const { state, status, openedAt, updatedAt, until } = event;
      return { id, state, status, revision, openedAt, updatedAt, until };
    }
    case "join":
      return { id, state: event.state, status: "live", revision, openedAt: time, updatedAt: time, until: 0 };
    case "update": {
      const { status = "live", until = 0 } = previous ?? {};
      return { id, state: event.state, status, revision, openedAt, updatedAt: time, until };
    }
    case "set":
      return { id, state: event.state, status: "detached", revision, openedAt, updatedAt: time, until: event.until };
    case "suspect":
    case "resume":
      return previous && { ...previous, status: event.kind === "suspect" ? "suspect" : "live", until: 0, revision };
    case "leave":
      return null;
  }
}

/** The change that an event makes; `null` for none, as with the leave of a client that was never seen. */
function changeOf(event: EntryEvent, previous: MirrorEntry | null, entry: MirrorEntry | null): MirrorChange | null {
  const { id, kind } = event;
  if (entry === null) {
    if (previous === null) return null;
    return { kind: "leave", id, entry, previous, cause: kind === "leave" ? event.cause : null };
  }
  if (previous === null) return { kind: "join", id, entry, previous };
  const isOther = kind === "set" || kind === "suspect" || kind === "resume";
  return { kind: isOther ? kind : "update", id, entry, previous };
}

/** The changes from one snapshot to another: leaves first, then the others in the map's order. */
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
    yield* changesOf(previous, entry);
  }
}

/** The names of changes by the status that they lead to. */
const STATUS_CHANGES = { live: "resume", suspect: "suspect", detached: "set" } as const;

/** The changes from one entry of a client to another. */
function* changesOf(previous: MirrorEntry, entry: MirrorEntry): Generator<MirrorChange> {
  const { id, status, until } = entry;
  const isSame = equals(previous.state, entry.state);
  if (status === "detached") {
    if (isSame && previous.status === status && previous.until === until) return;
    return yield { kind: "set", id, entry, previous };
  }
  if (!isSame) yield { kind: "update", id, entry, previous };
  if (previous.status !== status) yield { kind: STATUS_CHANGES[status], id, entry, previous };
}
