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

import type { EventEncoder } from "./event_encoder.ts";
import type { Change, Registry } from "../map/registry.ts";
import type { Entry } from "../map/entry.ts";
import { MAX_TOMBSTONES, type Tombstone } from "../map/tombstones.ts";
import type { Position } from "../map/position.ts";

/** Longest a change waits to be told together with others, in milliseconds. */
export const DEFAULT_TICK = 10;

/** Frames of a snapshot or of catching up are ended at this size, and so is a tick's that grows beyond it, in bytes. */
const FRAME_BYTES = 65_536;

/** A catching up before `synced` that the map has overtaken this often is kept ready in memory the next time. */
const MAX_OVERTAKEN = 2;

/** A watcher with more than this behind its place in the chain falls off it, in bytes. */
const MAX_BEHIND = 1_048_576;

/** Memory that watchers which catch up may hold together, in bytes. Past it each goes on in small steps. */
export const MAX_HELD = 67_108_864;

/** How many changes such a step has: looking through the map for so few is cheap, and so is keeping them. */
const STEP = 512;

/** A link of the chain: the changes of one tick, encoded. */
interface Frame {
  readonly bytes: Uint8Array;
  /** The revision before its first event. */
  readonly since: number;
  /** The revision of its last event. */
  readonly revision: number;
  /** Bytes of the chain up to its end. */
  readonly end: number;
  /** Events of the chain up to its end. */
  readonly count: number;
  next: Frame | null;
}

/** The chain of one prefix. */
class Chain {
  readonly prefix: string;
  readonly watchers = new Set<Watcher>();
  readonly #builder: EventEncoder;
  #since = 0;
  #revision = 0;
  tail: Frame = { bytes: new Uint8Array(0), since: 0, revision: 0, end: 0, count: 0, next: null };

  constructor(prefix: string, encoder: EventEncoder) {
    this.prefix = prefix;
    this.#builder = encoder;
  }

  /** Bytes of changes that no frame has yet. */
  get gathered(): number {
    return this.#builder.length;
  }

  /** Bytes of all changes since the chain began. */
  get bytes(): number {
    return this.tail.end + this.gathered;
  }

  /** Whether there are changes that no frame has yet. */
  get hasNews(): boolean {
    return this.#builder.count !== 0;
  }

  /** The revision before the first change that no frame has yet; `null` when there is none. */
  get untold(): number | null {
    return this.hasNews ? this.#since : null;
  }

  /** Adds a change; `true` when its frame is full with it, and has been ended. */
  add({ kind, entry, revision, cause }: Change): boolean {
    const builder = this.#builder;
    if (!this.hasNews) this.#since = revision - 1;
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
    const count = this.tail.count + this.#builder.count;
    const bytes = this.#builder.finish();
    const end = this.tail.end + bytes.length;
    this.tail = this.tail.next = { bytes, since: this.#since, revision: this.#revision, end, count, next: null };
  }
}

/** What part of the map a watcher follows, and from where. */
export interface WatchScope {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /** Where an earlier watch ended: what has happened since then is told instead of everything. */
  since?: Position;
}

/** Options for {@linkcode Feed}. */
export interface FeedOptions {
  /** Longest a change waits to be told together with others, in milliseconds. Default 10. */
  tick?: number;
}

/** The watchers of one map. With none of them it does not listen to the map at all. */
export class Feed {
  /** @internal */
  readonly registry: Registry;
  /** @internal Lent to one watcher after another, each of which is done with it before the next. */
  readonly builder: EventEncoder;
  readonly #createEncoder: () => EventEncoder;
  readonly #tick: number;
  readonly #chains = new Map<string, Chain>();
  /** The chains that have something to tell since the last tick. */
  #changed = new Set<Chain>();
  #unsubscribe: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #scheduled = false;
  #flushedAt = -Infinity;
  #size = 0;
  /** What each of those holds who are catching up, in bytes. */
  readonly #held = new Map<Watcher, number>();
  #heldBytes = 0;
  /** How many changes watchers were not told because they fell behind. */
  conflated = 0;

  /**
   * @param registry The map
   * @param createEncoder Makes what turns events into bytes
   * @param options How long changes are gathered
   */
  constructor(registry: Registry, createEncoder: () => EventEncoder, options: FeedOptions = {}) {
    this.registry = registry;
    this.#createEncoder = createEncoder;
    this.builder = createEncoder();
    this.#tick = options.tick ?? DEFAULT_TICK;
  }

  /** How many watchers there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Begins a watch.
   *
   * @param scope What to watch, and since when
   * @param onNews Called when there is something to take
   * @returns The watcher, which has something to take already
   */
  watch(scope: WatchScope, onNews: () => void): Watcher {
    const { prefix = "", since } = scope;
    this.#unsubscribe ??= this.registry.subscribe((change) => this.#add(change));
    let chain = this.#chains.get(prefix);
    if (chain === undefined) this.#chains.set(prefix, chain = new Chain(prefix, this.#createEncoder()));
    const { incarnation, revision } = this.registry;
    const known = since?.incarnation === incarnation && since.revision <= revision ? since.revision : null;
    const watcher = new Watcher(this, chain, known, onNews);
    chain.watchers.add(watcher);
    this.#size++;
    return watcher;
  }

  /** How many bytes watchers hold who are catching up. */
  get held(): number {
    return this.#heldBytes;
  }

  /** @internal Whether there is room for what a watcher would hold. There always is for one alone. */
  hasRoom(watcher: Watcher, bytes: number): boolean {
    const others = this.#heldBytes - (this.#held.get(watcher) ?? 0);
    return others === 0 || others + bytes <= MAX_HELD;
  }

  /** @internal Notes what a watcher holds. */
  hold(watcher: Watcher, bytes: number): void {
    this.#release(watcher);
    if (bytes === 0) return;
    this.#held.set(watcher, bytes);
    this.#heldBytes += bytes;
  }

  #release(watcher: Watcher): void {
    this.#heldBytes -= this.#held.get(watcher) ?? 0;
    this.#held.delete(watcher);
  }

  /** @internal */
  forget(watcher: Watcher, chain: Chain): void {
    if (!chain.watchers.delete(watcher)) return;
    this.#release(watcher);
    this.#size--;
    if (chain.watchers.size !== 0) return;
    this.#chains.delete(chain.prefix);
    if (this.#chains.size !== 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scheduled = false;
    this.#changed.clear();
  }

  /** However many prefixes are watched, an identifier begins with few of them. */
  #add(change: Change): void {
    const { id } = change.entry;
    if (this.#chains.size <= id.length) {
      for (const chain of this.#chains.values()) {
        if (id.startsWith(chain.prefix)) this.#addTo(chain, change);
      }
    } else {
      for (let length = 0; length <= id.length; length++) {
        const chain = this.#chains.get(id.slice(0, length));
        if (chain !== undefined) this.#addTo(chain, change);
      }
    }
  }

  #addTo(chain: Chain, change: Change): void {
    const isFull = chain.add(change);
    this.#changed.add(chain);
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
    // The tick of a watch that has ended meanwhile can come before that of the next one.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    const changed = this.#changed;
    this.#changed = new Set();
    for (const chain of changed) {
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
  /**
   * The revision at which the client entered that its snapshot has told last; `null` when it has no snapshot, or all of
   * it. It is no iterator of the map: that of a watcher that is stuck would keep everybody who comes and goes meanwhile.
   */
  #presented: number | null = null;
  #backlog: Backlog | null = null;
  #overtaken = 0;
  /** Frames that could not wait to be made. */
  readonly #ready: Ready[] = [];
  #revision: number;
  /** The revision at which the watch began: what has joined since comes after the snapshot. */
  readonly #begun: number;
  readonly #hasSnapshot: boolean;
  #synced = false;
  /** What {@linkcode unsent} found when it looked through the map last, and how long the chain was then, in bytes. */
  #measured = Infinity;
  #measuredAt = 0;
  /** While it is off the chain: how many events there had been when it was told the last of them. */
  #toldCount = 0;

  /** @internal {@linkcode Feed.watch} makes it. */
  constructor(feed: Feed, chain: Chain, since: number | null, onNews: () => void) {
    this.#feed = feed;
    this.#chain = chain;
    this.#onNews = onNews;
    this.#begun = feed.registry.revision;
    this.#revision = since ?? this.#begun;
    this.#hasSnapshot = since === null || !feed.registry.canResumeFrom(since);
    if (this.#hasSnapshot) this.#startSnapshot();
  }

  /** Everything up to this revision has been told: it is a place to come back to. 0 as long as a snapshot lasts. */
  get revision(): number {
    const [ready] = this.#ready;
    if (this.#hasSnapshot && (!this.#synced || ready !== undefined)) return 0;
    if (ready !== undefined) return ready.since;
    if (this.#place === null || !this.#isOnChain) return this.#revision;
    return this.#place.next?.since ?? this.#chain.untold ?? this.#feed.registry.revision;
  }

  /** Whether there is something to take. */
  get hasNews(): boolean {
    return !this.#isOnChain || this.#place?.next !== null;
  }

  /** Ends the watch. */
  close(): void {
    this.#feed.forget(this, this.#chain);
  }

  /** @internal Something is new on the chain. */
  notice(): void {
    if (this.#place !== null && this.#chain.tail.end - this.#place.end > MAX_BEHIND) this.#fallOff(this.#place);
    if (this.hasNews) this.#onNews();
  }

  /**
   * Takes what is next.
   *
   * @returns A whole frame, whose bytes are shared; `null` when there is nothing until `onNews` is called
   */
  next(): Uint8Array | null {
    if (this.#isOnChain) return this.#nextFrame();
    const frame = this.#ready.shift()?.bytes ?? this.#catchUp();
    this.#feed.hold(this, this.#holding);
    return frame ?? (this.isLost ? null : this.next());
  }

  /** Gives up what it holds, if it takes nothing anyway: what has not been told is found in the map when it goes on. */
  putOff(): void {
    const [ready] = this.#ready;
    if (ready !== undefined) {
      // Prepared for one who was not synced yet, and is not now.
      this.#revision = ready.since;
      this.#synced = false;
      this.#overtaken = MAX_OVERTAKEN;
      this.#ready.length = 0;
    } else if (this.#backlog === null) {
      return;
    }
    this.#toldCount = (this.#place?.count ?? this.#toldCount) - (this.#backlog?.left ?? 0);
    this.#backlog = null;
    this.#place = null;
    this.#feed.hold(this, 0);
  }

  /** A part of what it has not been told and is not on the chain. */
  #catchUp(): Uint8Array | null {
    const { builder } = this.#feed;
    if (this.#presented !== null) this.#presented = this.#tellSnapshot(builder, this.#presented);
    while (this.#needsBacklog && builder.length < FRAME_BYTES) this.#tellBacklog(builder);
    if (builder.count !== 0) return builder.finish();
    return this.#ready.shift()?.bytes ?? null;
  }

  /** Bytes that it keeps for itself until they are told. */
  get #holding(): number {
    let bytes = (this.#backlog?.size ?? 0) * ITEM_SIZE;
    for (const ready of this.#ready) bytes += ready.bytes.length;
    return bytes;
  }

  /**
   * Takes at once what is left for a watcher that keeps up, the changes of a tick that is not over included. What one
   * that has fallen behind lacks is too much for last words.
   *
   * @returns The frames, in order
   */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    this.#chain.endFrame();
    while (this.#isOnChain) {
      const frame = this.#nextFrame();
      if (frame === null) break;
      frames.push(frame);
    }
    return frames;
  }

  /**
   * How many bytes it would take to tell all that has changed, by now, since the revision it has been told.
   *
   * @param enough A size below which it does not matter: looking through the map is spared when it cannot be more
   * @returns The size of the events, in bytes, or something above it that is not above `enough`
   */
  pendingBytes(enough = 0): number {
    const behind = this.#behind;
    if (behind <= enough) return behind;
    // It cannot be more than it was the last time, and all that has been told to anybody since.
    const most = this.#measured + this.#chain.bytes - this.#measuredAt;
    if (most <= enough) return most;
    this.#measuredAt = this.#chain.bytes;
    return this.#measured = this.#measure();
  }

  /** Looks through the map for what it has not been told. */
  #measure(): number {
    const { registry } = this.#feed;
    let size = 0;
    for (const { bytes } of this.#ready) size += bytes.length;
    for (const entry of registry.entries()) {
      const isNew = entry.revision > this.#revision || entry.joinRevision > (this.#presented ?? Infinity);
      if (isNew && entry.id.startsWith(this.#chain.prefix)) size += EVENT_SIZE + entry.idLength + entry.stateLength;
    }
    for (const { id } of registry.tombstonesSince(this.#revision) ?? []) {
      if (id.startsWith(this.#chain.prefix)) size += EVENT_SIZE + id.length;
    }
    return size;
  }

  /** Whether leaves that it has not been told are forgotten, so that it cannot catch up any more. */
  get isLost(): boolean {
    return this.#place === null && this.#backlog === null && !this.#feed.registry.canResumeFrom(this.#revision);
  }

  /** Whether all that it needs is the frames behind its place. */
  get #isOnChain(): boolean {
    return this.#synced && this.#place !== null && this.#backlog === null && this.#ready.length === 0;
  }

  get #needsBacklog(): boolean {
    return this.#presented === null && this.#ready.length === 0 && !this.#isOnChain && !this.isLost;
  }

  /** Bytes of the chain that it has not been told; infinite when it takes more than the chain. */
  get #behind(): number {
    if (this.#place === null || !this.#isOnChain) return Infinity;
    return this.#chain.bytes - this.#place.end;
  }

  #nextFrame(): Uint8Array | null {
    const frame = this.#place?.next ?? null;
    if (frame === null) return null;
    this.#place = frame;
    this.#revision = frame.revision;
    return frame.bytes;
  }

  /** Up to the first frame that is forgotten there was nothing to tell, however long that is ago. */
  #fallOff({ next, count }: Frame): void {
    this.#toldCount = count;
    if (this.#isOnChain && next !== null) this.#revision = next.since;
    this.#place = null;
  }

  #startSnapshot(): void {
    this.#revision = this.#begun;
    this.#presented = 0;
  }

  /** Tells those who have been there since the watch began, and are still there when it comes by; `null` at the end. */
  #tellSnapshot(builder: EventEncoder, presented: number): number | null {
    const { prefix } = this.#chain;
    for (const entry of this.#feed.registry.entriesSince(presented)) {
      if (builder.length >= FRAME_BYTES) return presented;
      presented = entry.joinRevision;
      if (presented > this.#begun) break;
      if (entry.id.startsWith(prefix)) builder.present(entry);
    }
    return null;
  }

  /** Tells a part of what changed while it was away, or while its snapshot was under way. */
  #tellBacklog(builder: EventEncoder): void {
    const { registry } = this.#feed;
    this.#backlog ??= this.#makeBacklog(registry);
    if (this.#mayPrepare(this.#backlog)) return this.#prepareBacklog(builder, this.#backlog);
    const isDone = this.#backlog.tell(builder);
    this.#revision = this.#backlog.revision;
    if (isDone) this.#endBacklog(builder, this.#backlog);
  }

  /** What has changed, or the first of it when there is no room for more. */
  #makeBacklog(registry: Registry): Backlog {
    const { prefix } = this.#chain;
    if (this.#mustStep(registry)) return new Backlog(registry, prefix, this.#revision, STEP);
    const backlog = new Backlog(registry, prefix, this.#revision);
    // What is on the chain from here on is exactly what the backlog does not have.
    this.#chain.endFrame();
    this.#place = this.#chain.tail;
    if (this.#synced) this.#feed.conflated += Math.max(0, this.#place.count - this.#toldCount - backlog.size);
    return backlog;
  }

  /** Whether all that has changed is more than there is room for. */
  #mustStep(registry: Registry): boolean {
    if (this.#feed.hasRoom(this, (registry.size + MAX_TOMBSTONES) * ITEM_SIZE)) return false;
    const size = countChanges(registry, this.#chain.prefix, this.#revision);
    return size > STEP && !this.#feed.hasRoom(this, size * ITEM_SIZE);
  }

  #mayPrepare({ isWhole, left, size }: Backlog): boolean {
    return isWhole && left === size && this.#overtaken >= MAX_OVERTAKEN &&
      this.#feed.hasRoom(this, this.pendingBytes());
  }

  /** `synced` stands for the map at one revision: if a part was told as it was later, it needs another round. */
  #endBacklog(builder: EventEncoder, { target, isExact, isWhole, size }: Backlog): void {
    this.#backlog = null;
    if (!isWhole) this.#toldCount += size;
    if (this.#synced || !isWhole) return;
    this.#synced = isExact;
    if (isExact) return builder.synced(target, this.#feed.registry.incarnation);
    this.#overtaken++;
    // The next round begins where this one ended, and needs every leave since then.
    this.#place = null;
  }

  /** A client that reads more slowly than the map changes would never hear `synced`: this round cannot be overtaken. */
  #prepareBacklog(builder: EventEncoder, backlog: Backlog): void {
    let since = this.#revision;
    while (!backlog.tell(builder)) {
      this.#ready.push({ bytes: builder.finish(), since });
      since = backlog.revision;
    }
    this.#overtaken = 0;
    this.#revision = backlog.target;
    this.#endBacklog(builder, backlog);
    this.#ready.push({ bytes: builder.finish(), since });
  }
}

/** Bytes of an event besides its identifier and state, rounded up. */
const EVENT_SIZE = 16;

/** Memory that an item of a backlog takes, in bytes, measured. */
const ITEM_SIZE = 64;

/** A frame made before it could be taken. */
interface Ready {
  readonly bytes: Uint8Array;
  /** The revision that has been told when it is next. */
  readonly since: number;
}

/**
 * One event of a backlog. Its revision and kind are those of the moment in which the backlog was made. It has no entry,
 * which a watcher that is stuck would keep in memory long after the client has left.
 */
type Item =
  | { revision: number; kind: "join" | "update" | "suspect" | "resume"; id: string; joinRevision: number }
  | { revision: number; kind: "leave"; tombstone: Tombstone };

/** What has changed between two revisions: each client once or twice, every leave, in order. */
class Backlog {
  /** The revision it leads to. */
  readonly target: number;
  /** Whether that is the map's, as it was when the backlog was made. */
  readonly isWhole: boolean;
  /** Whether what it told is the map at `target`, and not in part a later one. */
  isExact = true;
  /** The revision up to which it has been told: who comes back to it is told the rest. */
  revision: number;
  readonly #registry: Registry;
  readonly #items: Item[] = [];
  #at = 0;

  /**
   * Looks through the map.
   *
   * @param registry The map
   * @param prefix Whose changes
   * @param since The revision before the first of them
   * @param most How many at most: the first of them, and no longer up to the map's revision
   */
  constructor(registry: Registry, prefix: string, since: number, most = Infinity) {
    this.#registry = registry;
    this.isWhole = most === Infinity;
    this.revision = since;
    const tombstones = registry.tombstonesSince(since) ?? [];
    this.target = this.isWhole ? registry.revision : revisionAfter(registry, tombstones, prefix, since, most);
    if (this.target === since) return;
    for (const entry of registry.entries()) {
      if (entry.revision > since && entry.id.startsWith(prefix)) this.#add(entry, since);
    }
    for (const tombstone of tombstones) {
      if (tombstone.revision > this.target) break;
      if (tombstone.id.startsWith(prefix)) this.#push({ revision: tombstone.revision, kind: "leave", tombstone });
    }
    this.#items.sort((one, other) => one.revision - other.revision);
  }

  #push(item: Item): void {
    if (item.revision <= this.target) this.#items.push(item);
  }

  #add({ id, joinRevision, stateRevision, statusRevision, status }: Entry, since: number): void {
    const isSuspect = status === "suspect";
    if (joinRevision > since) {
      // With its latest state, but under the revision of its join: who is cut off here and comes back is told of
      // changes after that, which for a client that joined before it are no joins any more. What a client's status was
      // before it was told of, nobody needs to know.
      this.#push({ revision: joinRevision, kind: "join", id, joinRevision });
      if (isSuspect) this.#push({ revision: statusRevision, kind: "suspect", id, joinRevision });
      return;
    }
    if (stateRevision > since) this.#push({ revision: stateRevision, kind: "update", id, joinRevision });
    if (statusRevision <= since) return;
    this.#push({ revision: statusRevision, kind: isSuspect ? "suspect" : "resume", id, joinRevision });
  }

  /** How many events it has. */
  get size(): number {
    return this.#items.length;
  }

  /** How many of them are still to be told. */
  get left(): number {
    return this.#items.length - this.#at;
  }

  /** Tells a frame's worth; `true` when that was the last of it. */
  tell(builder: EventEncoder): boolean {
    while (this.#at < this.#items.length) {
      if (builder.length >= FRAME_BYTES) return false;
      const item = this.#items[this.#at++]!;
      this.#tellItem(builder, item);
      this.revision = item.revision;
    }
    this.revision = this.target;
    return true;
  }

  /**
   * A client that has changed again meanwhile is told as it is now, under the earlier revision: that its newer state
   * comes a second time does no harm, but a join that was left out would. Of one that has left only its leave is told,
   * which comes later.
   */
  #tellItem(builder: EventEncoder, item: Item): void {
    if (item.kind === "leave") {
      builder.leave(item.revision, item.tombstone.id, item.tombstone.cause);
      return;
    }
    const { kind, revision, id, joinRevision } = item;
    const entry = this.#registry.get(id);
    const isThere = entry?.joinRevision === joinRevision;
    if (!isThere || entry.revision > this.target) this.isExact = false;
    if (!isThere) return;
    if (kind === "join" || kind === "update") builder.state(kind, revision, entry);
    else builder.status(kind, revision, entry);
  }
}

/** The revision of the first change that an entry has after one. */
function firstChange({ joinRevision, stateRevision, statusRevision }: Entry, since: number): number {
  if (joinRevision > since) return joinRevision;
  return Math.min(stateRevision > since ? stateRevision : Infinity, statusRevision > since ? statusRevision : Infinity);
}

/** How many clients have changed since a revision, or left. */
function countChanges(registry: Registry, prefix: string, since: number): number {
  let count = 0;
  for (const entry of registry.entries()) {
    if (entry.revision > since && entry.id.startsWith(prefix)) count++;
  }
  for (const { id } of registry.tombstonesSince(since) ?? []) {
    if (id.startsWith(prefix)) count++;
  }
  return count;
}

/** The revision up to which there are so many changes; the map's if there are not. */
function revisionAfter(
  registry: Registry,
  tombstones: readonly Tombstone[],
  prefix: string,
  since: number,
  count: number,
): number {
  const revisions: number[] = [];
  for (const entry of registry.entries()) {
    if (entry.revision > since && entry.id.startsWith(prefix)) revisions.push(firstChange(entry, since));
  }
  for (const { id, revision } of tombstones) {
    if (id.startsWith(prefix)) revisions.push(revision);
  }
  return Float64Array.from(revisions).sort()[count - 1] ?? registry.revision;
}
