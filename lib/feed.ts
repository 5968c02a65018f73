/**
 * What watchers are told, and how they keep up with a map that changes faster than they read.
 *
 * Every change is written once into the frame of the present tick, for all who watch the same prefix; when the tick is
 * over the frame is chained behind the one before it. A watcher is a place in that chain. To tell it the news is to
 * write the frames behind its place, the same bytes for all, straight from where they lie.
 *
 * A watcher that reads too slowly falls off the chain: the frames it has not read are forgotten, and all it keeps is
 * the revision up to which it has been told. When it can take more it gets what has changed since, read from the map
 * as it is then: the latest state of each client that changed, and every leave. So a slow watcher costs a number, and
 * not a queue. A snapshot, and the catching up of a watch that comes back, are that same thing.
 *
 * @module
 */

import { FrameBuilder } from "./frames.ts";
import type { Change, Departure, Entry, Registry } from "./registry.ts";
import type { WatchRequest } from "./requests.ts";

/** Longest a change waits to be told together with others, in milliseconds. */
export const DEFAULT_TICK = 10;

/** Frames of a snapshot or of catching up are ended at this size, and so is a tick's that grows beyond it, in bytes. */
const FRAME_BYTES = 65_536;

/** A watcher with more than this behind its place in the chain falls off it, in bytes. */
const MAX_BEHIND = 1_048_576;

/** A link of the chain: the changes of one tick, encoded. */
interface Frame {
  readonly bytes: Uint8Array;
  /** The revision of its last event. */
  readonly revision: number;
  /** Bytes of the chain up to its end. */
  readonly end: number;
  next: Frame | null;
}

/** The chain of one prefix. */
class Chain {
  readonly prefix: string;
  readonly watchers = new Set<Watcher>();
  readonly #builder = new FrameBuilder();
  #revision = 0;
  tail: Frame = { bytes: new Uint8Array(0), revision: 0, end: 0, next: null };

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Whether there are changes that no frame has yet. */
  get hasNews(): boolean {
    return this.#builder.count !== 0;
  }

  /** Adds a change; `true` when its frame is full with it, and has been ended. */
  add({ kind, entry, revision, cause }: Change): boolean {
    const builder = this.#builder;
    if (kind === "join" || kind === "update") builder.state(kind, revision, entry);
    else if (kind === "leave") builder.leave(revision, entry.id, cause ?? "close");
    else builder.status(kind, revision, entry);
    this.#revision = revision;
    if (builder.length < FRAME_BYTES) return false;
    this.endFrame();
    return true;
  }

  endFrame(): void {
    if (!this.hasNews) return;
    const bytes = this.#builder.finish();
    const frame: Frame = { bytes, revision: this.#revision, end: this.tail.end + bytes.length, next: null };
    this.tail.next = frame;
    this.tail = frame;
  }
}

/** What {@linkcode Feed} can be told. */
export interface FeedOptions {
  /** Longest a change waits to be told together with others, in milliseconds. Default 10. */
  tick?: number;
}

/** The watchers of one map. With none of them it does not listen to the map at all. */
export class Feed {
  /** @internal */
  readonly registry: Registry;
  /** @internal Lent to one watcher after another, each of which is done with it before the next. */
  readonly builder = new FrameBuilder();
  readonly #tick: number;
  readonly #chains = new Map<string, Chain>();
  #unsubscribe: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #scheduled = false;
  #flushedAt = -Infinity;

  /**
   * @param registry The map
   * @param options How long changes are gathered
   */
  constructor(registry: Registry, options: FeedOptions = {}) {
    this.registry = registry;
    this.#tick = options.tick ?? DEFAULT_TICK;
  }

  /**
   * Begins a watch.
   *
   * @param request What to watch, and since when
   * @param onNews Called when there is something to take
   * @returns The watcher, which has something to take already
   */
  watch(request: WatchRequest, onNews: () => void): Watcher {
    const { prefix = "", since } = request;
    this.#unsubscribe ??= this.registry.subscribe((change) => this.#add(change));
    let chain = this.#chains.get(prefix);
    if (chain === undefined) this.#chains.set(prefix, chain = new Chain(prefix));
    const { incarnation, revision } = this.registry;
    const known = since?.incarnation === incarnation && since.revision <= revision ? since.revision : null;
    const watcher = new Watcher(this, chain, known, onNews);
    chain.watchers.add(watcher);
    return watcher;
  }

  /** @internal */
  forget(watcher: Watcher, chain: Chain): void {
    if (!chain.watchers.delete(watcher) || chain.watchers.size !== 0) return;
    this.#chains.delete(chain.prefix);
    if (this.#chains.size !== 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scheduled = false;
  }

  #add(change: Change): void {
    let isFull = false;
    for (const chain of this.#chains.values()) {
      if (change.entry.id.startsWith(chain.prefix) && chain.add(change)) isFull = true;
    }
    if (isFull) this.#flushSoon();
    else if (!this.#scheduled) this.#schedule();
  }

  /** The first change after a quiet time is told at once; those behind it wait for the tick to be over. */
  #schedule(): void {
    const wait = this.#flushedAt + this.#tick - performance.now();
    if (wait <= 0) return this.#flushSoon();
    this.#scheduled = true;
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  /**
   * Tells as soon as whoever changes the map is done. So is a full frame told: waiting would put nothing more into it,
   * and in one tick of many changes everybody would fall off the chain.
   */
  #flushSoon(): void {
    if (this.#scheduled && this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    for (const chain of this.#chains.values()) {
      chain.endFrame();
      for (const watcher of chain.watchers) watcher.notice();
    }
  }
}

/** One watch: what it has been told, and what is next. */
export class Watcher {
  readonly #feed: Feed;
  readonly #chain: Chain;
  readonly #onNews: () => void;
  /** The frame told last, while it is on the chain. */
  #place: Frame | null = null;
  /** Where the snapshot is, while there is one. */
  #snapshot: IterableIterator<Entry> | null = null;
  #backlog: Backlog | null = null;
  #revision: number;
  /** The revision at which the snapshot began: what has joined since comes after it. */
  #begun = 0;
  #synced = false;

  /** @internal {@linkcode Feed.watch} makes it. */
  constructor(feed: Feed, chain: Chain, since: number | null, onNews: () => void) {
    this.#feed = feed;
    this.#chain = chain;
    this.#onNews = onNews;
    this.#begun = feed.registry.revision;
    this.#revision = since ?? this.#begun;
    if (since === null || !feed.registry.remembers(since)) this.#startSnapshot();
  }

  /** Everything up to this revision has been told. */
  get revision(): number {
    const { registry } = this.#feed;
    const isCurrent = this.#place === this.#chain.tail && !this.#chain.hasNews;
    return isCurrent ? registry.revision : this.#revision;
  }

  /** Whether there is something to take. */
  get hasNews(): boolean {
    return !this.#synced || this.#place === null || this.#place.next !== null;
  }

  /** Ends the watch. */
  close(): void {
    this.#feed.forget(this, this.#chain);
  }

  /** @internal Something is new on the chain. */
  notice(): void {
    if (this.#place !== null && this.#chain.tail.end - this.#place.end > MAX_BEHIND) this.#place = null;
    if (this.hasNews) this.#onNews();
  }

  /**
   * Takes what is next.
   *
   * @returns A whole frame, whose bytes are shared; `null` when there is nothing until `onNews` is called
   */
  next(): Uint8Array | null {
    if (this.#synced && this.#place !== null && this.#backlog === null) return this.#nextFrame(this.#place);
    const { builder } = this.#feed;
    if (this.#snapshot !== null) this.#tellSnapshot(builder, this.#snapshot);
    while (this.#snapshot === null && builder.length < FRAME_BYTES && this.#hasBacklog) this.#tellBacklog(builder);
    return builder.count === 0 ? this.next() : builder.finish();
  }

  /**
   * How many bytes it would take to tell all that has changed, by now, since the revision it has been told.
   *
   * @returns The size of the events, in bytes
   */
  unsent(): number {
    const { registry } = this.#feed;
    let size = 0;
    for (const entry of registry.entries()) {
      const isNew = this.#snapshot !== null || entry.revision > this.#revision;
      if (isNew && entry.id.startsWith(this.#chain.prefix)) size += EVENT_SIZE + entry.idLength + entry.stateLength;
    }
    for (const { id } of registry.departuresSince(this.#revision) ?? []) {
      if (id.startsWith(this.#chain.prefix)) size += EVENT_SIZE + id.length;
    }
    return size;
  }

  /** Whether leaves that it has not been told are forgotten, so that it cannot catch up any more. */
  get isLost(): boolean {
    return this.#place === null && this.#backlog === null && !this.#feed.registry.remembers(this.#revision);
  }

  get #hasBacklog(): boolean {
    return this.#backlog !== null || !this.#synced || this.#place === null;
  }

  #nextFrame(place: Frame): Uint8Array | null {
    const frame = place.next;
    if (frame === null) return null;
    this.#place = frame;
    this.#revision = frame.revision;
    return frame.bytes;
  }

  #startSnapshot(): void {
    this.#revision = this.#begun;
    this.#snapshot = this.#feed.registry.entries();
  }

  /** The map's own iterator goes on while the map changes: it meets whoever is still there when it comes by. */
  #tellSnapshot(builder: FrameBuilder, entries: IterableIterator<Entry>): void {
    const { prefix } = this.#chain;
    while (builder.length < FRAME_BYTES) {
      const { value: entry, done } = entries.next();
      if (done) {
        this.#snapshot = null;
        return;
      }
      if (entry.joinRevision <= this.#begun && entry.id.startsWith(prefix)) builder.present(entry);
    }
  }

  /** Tells a part of what changed while it was away, or while its snapshot was under way. */
  #tellBacklog(builder: FrameBuilder): void {
    const { registry } = this.#feed;
    if (this.#backlog === null) {
      // What is on the chain from here on is exactly what the backlog does not have.
      this.#chain.endFrame();
      this.#place = this.#chain.tail;
      this.#backlog = new Backlog(registry, this.#chain.prefix, this.#revision);
    }
    if (!this.#backlog.tell(builder)) return;
    const { target, isExact } = this.#backlog;
    this.#backlog = null;
    this.#revision = target;
    if (this.#synced || !isExact) return;
    this.#synced = true;
    builder.synced(target, registry.incarnation);
  }
}

/** Bytes of an event besides its identifier and state, rounded up. */
const EVENT_SIZE = 16;

/** One event of a backlog. Its revision and kind are those of the moment in which the backlog was made. */
type Item =
  | { revision: number; kind: "join" | "update" | "suspect" | "resume"; entry: Entry }
  | { revision: number; kind: "leave"; departure: Departure };

/** What has changed between two revisions: each client once or twice, every leave, in order. */
class Backlog {
  /** The revision it leads to. */
  readonly target: number;
  /** Whether what it told is the map at `target`, and not in part a later one. */
  isExact = true;
  readonly #items: Item[] = [];
  #at = 0;

  constructor(registry: Registry, prefix: string, since: number) {
    this.target = registry.revision;
    if (this.target === since) return;
    for (const entry of registry.entries()) {
      if (entry.revision > since && entry.id.startsWith(prefix)) this.#add(entry, since);
    }
    for (const departure of registry.departuresSince(since) ?? []) {
      if (departure.id.startsWith(prefix)) this.#items.push({ revision: departure.revision, kind: "leave", departure });
    }
    this.#items.sort((one, other) => one.revision - other.revision);
  }

  #add(entry: Entry, since: number): void {
    const { joinRevision, stateRevision, statusRevision, status } = entry;
    const isNew = joinRevision > since;
    if (stateRevision > since) this.#items.push({ revision: stateRevision, kind: isNew ? "join" : "update", entry });
    // A new client is told with its latest state. What its status did before that, nobody needs to know any more.
    if (statusRevision > (isNew ? stateRevision : since)) {
      this.#items.push({ revision: statusRevision, kind: status === "live" ? "resume" : "suspect", entry });
    }
  }

  /** Tells a frame's worth; `true` when that was the last of it. */
  tell(builder: FrameBuilder): boolean {
    while (this.#at < this.#items.length) {
      if (builder.length >= FRAME_BYTES) return false;
      this.#tellItem(builder, this.#items[this.#at++]!);
    }
    return true;
  }

  /**
   * A client that has changed again meanwhile is told as it is now, under the earlier revision: that its newer state
   * comes a second time does no harm, but a join that was left out would.
   */
  #tellItem(builder: FrameBuilder, item: Item): void {
    if (item.kind === "leave") {
      builder.leave(item.revision, item.departure.id, item.departure.cause);
      return;
    }
    const { kind, revision, entry } = item;
    if (entry.revision > this.target) this.isExact = false;
    if (kind === "join" || kind === "update") builder.state(kind, revision, entry);
    else builder.status(kind, revision, entry);
  }
}
