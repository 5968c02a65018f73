/**
 * Tells watchers the changes of a map, also if it changes faster than they read.
 *
 * Every change is encoded once, into the frame of the present tick, for all watchers of the same prefix; at the end of
 * the tick the frame is appended to their change log. A watcher is a cursor in that log: it is told the news by writing
 * the frames behind its cursor, which all watchers share, straight from where they lie.
 *
 * A watcher that reads too slowly loses its cursor: the frames it has not read are forgotten, and all it keeps is the
 * revision up to which it has been told. When it reads again, it is told what has changed since, taken from the map as
 * it is then: the latest state of each client that changed, and every leave. So a slow watcher costs a number instead of
 * a queue. A watch that resumes catches up in the same way, and so does a new one after its snapshot.
 *
 * @module
 */

import type { Position } from "../map/position.ts";
import type { Change, Registry } from "../map/registry.ts";
import { Budget, MAX_HELD } from "./budget.ts";
import { ChangeLog } from "./change_log.ts";
import type { EventEncoder } from "./event_encoder.ts";
import { Watcher, type WatcherOwner } from "./watcher.ts";

/** Longest time that changes are gathered before they are told, in milliseconds. */
const DEFAULT_TICK = 10;

/** The part of the map to watch, and where to begin. */
export interface WatchScope {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /** Where an earlier watch ended: the changes since then are told instead of a snapshot. */
  since?: Position;
}

/** Options for {@linkcode Feed}. */
export interface FeedOptions {
  /**
   * Longest time that changes are gathered before they are told, in milliseconds.
   *
   * @default {10}
   */
  tick?: number;
}

/** The watchers of one prefix, and their log. */
interface Channel {
  readonly log: ChangeLog;
  readonly watchers: Set<Watcher>;
}

/** The watchers of one map. Without watchers it does not subscribe to the map. */
export class Feed implements WatcherOwner {
  /** @internal */
  readonly registry: Registry;
  /** @internal */
  readonly encoder: EventEncoder;
  /** @internal */
  readonly budget: Budget = new Budget(MAX_HELD);
  /** How many changes watchers have skipped because they fell behind. */
  conflated = 0;
  readonly #createEncoder: () => EventEncoder;
  readonly #tick: number;
  /** By prefix. */
  readonly #channels = new Map<string, Channel>();
  /** The channels that have changes since the last tick. */
  #changed = new Set<Channel>();
  #unsubscribe: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isScheduled = false;
  #flushedAt = -Infinity;
  #size = 0;

  /**
   * @param registry The map
   * @param createEncoder Makes an encoder of the format that the watchers read
   * @param options The length of a tick
   */
  constructor(registry: Registry, createEncoder: () => EventEncoder, options: FeedOptions = {}) {
    this.registry = registry;
    this.#createEncoder = createEncoder;
    this.encoder = createEncoder();
    this.#tick = options.tick ?? DEFAULT_TICK;
  }

  /** How many watchers there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Begins a watch.
   *
   * @param scope The part of the map to watch, and where to begin
   * @param onNews Called when there is something to take
   * @returns The watcher, which has something to take already
   */
  watch(scope: WatchScope, onNews: () => void): Watcher {
    const { prefix = "", since } = scope;
    this.#unsubscribe ??= this.registry.subscribe((change) => this.#add(change));
    const { log, watchers } = this.#channelOf(prefix);
    const { incarnation, revision } = this.registry;
    const known = since?.incarnation === incarnation && since.revision <= revision ? since.revision : null;
    const watcher = new Watcher(this, log, known, onNews);
    watchers.add(watcher);
    this.#size++;
    return watcher;
  }

  /** @internal Called by {@linkcode Watcher.close}. */
  remove(watcher: Watcher): void {
    const channel = this.#channels.get(watcher.prefix);
    if (channel === undefined || !channel.watchers.delete(watcher)) return;
    this.#size--;
    if (channel.watchers.size !== 0) return;
    this.#channels.delete(watcher.prefix);
    if (this.#channels.size === 0) this.#stop();
  }

  #channelOf(prefix: string): Channel {
    let channel = this.#channels.get(prefix);
    if (channel === undefined) {
      channel = { log: new ChangeLog(prefix, this.#createEncoder()), watchers: new Set() };
      this.#channels.set(prefix, channel);
    }
    return channel;
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#stopTimer();
    this.#isScheduled = false;
    this.#changed.clear();
  }

  /** However many prefixes are watched, an identifier begins with few of them. */
  #add(change: Change): void {
    const { id } = change.entry;
    if (this.#channels.size <= id.length) {
      for (const channel of this.#channels.values()) {
        if (id.startsWith(channel.log.prefix)) this.#addTo(channel, change);
      }
    } else {
      for (let length = 0; length <= id.length; length++) {
        const channel = this.#channels.get(id.slice(0, length));
        if (channel !== undefined) this.#addTo(channel, change);
      }
    }
  }

  #addTo(channel: Channel, change: Change): void {
    const isFull = channel.log.add(change);
    this.#changed.add(channel);
    if (isFull) this.#flushSoon();
    else if (!this.#isScheduled) this.#schedule();
  }

  /** The first change after a quiet time is told at once; later ones wait for the end of the tick. */
  #schedule(): void {
    const wait = this.#flushedAt + this.#tick - performance.now();
    if (wait <= 0) return this.#flushSoon();
    this.#isScheduled = true;
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  /**
   * Tells as soon as the code that changes the map has run. A full frame is told like this: waiting would add nothing to
   * it, and in a tick of many changes all watchers would lose their cursors.
   */
  #flushSoon(): void {
    if (this.#isScheduled && this.#timer === undefined) return;
    this.#stopTimer();
    this.#isScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    // The tick of a watch that has ended meanwhile can come before that of the next one.
    this.#stopTimer();
    this.#flushedAt = performance.now();
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { log, watchers } of changed) {
      log.endFrame();
      for (const watcher of watchers) watcher.notice();
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
