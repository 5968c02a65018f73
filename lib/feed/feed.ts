/**
 * Tells watchers the changes of a map, also if it changes faster than they read.
 *
 * Every change is encoded once, into the frame of the present tick, for all watchers of the same prefix; at the end of
 * the tick the frame is appended to their change log. A watcher is a cursor in that log: it is told the news by writing
 * the frames behind its cursor, which all watchers share, straight from where they lie.
 *
 * A watcher that reads too slowly loses its cursor: the frames it has not read are forgotten, and all that is left is its
 * place in the map's own changes. When it reads again, it is told what follows that place, taken from the map as it is
 * then: the latest state of each client that changed, and every leave. So a slow watcher costs a few numbers instead of a
 * queue. A watch that resumes begins at such a place, and a new one at the front, where everything follows.
 *
 * @module
 */

import type { Position } from "../map/position.ts";
import { Pool } from "../base/pool.ts";
import type { Turns } from "../base/turns.ts";
import type { Change, Registry } from "../map/registry.ts";
import { ChangeLog } from "./change_log.ts";
import { MAX_HELD } from "./context.ts";
import type { EventEncoder } from "./event_encoder.ts";
import { Place } from "./place.ts";
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
  /** How telling shares the event loop with other work; without, all watchers are told at once. */
  turns?: Turns;
}

/** Most encoders that are kept. */
const MAX_ENCODERS = 16;

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
  readonly encoders: Pool<EventEncoder>;
  /** @internal */
  held = 0;
  /** How many changes watchers have skipped because they fell behind. */
  conflated = 0;
  readonly #tick: number;
  readonly #turns: Turns | undefined;
  /** By prefix. */
  readonly #channels = new Map<string, Channel>();
  /** The channels that have changes since the last tick. */
  #changed = new Set<Channel>();
  #unsubscribe: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isScheduled = false;
  /** Whether watchers are being told of changes. */
  #isTelling = false;
  #flushedAt = -Infinity;
  #size = 0;

  /**
   * @param registry The map
   * @param createEncoder Makes an encoder of the format that the watchers read
   * @param options The length of a tick
   */
  constructor(registry: Registry, createEncoder: () => EventEncoder, options: FeedOptions = {}) {
    this.registry = registry;
    this.encoders = new Pool(MAX_ENCODERS, createEncoder);
    this.#tick = options.tick ?? DEFAULT_TICK;
    this.#turns = options.turns;
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
    this.#unsubscribe ??= this.registry.observe((change) => this.#add(change));
    const { log, watchers } = this.#channelOf(prefix);
    const { incarnation, revision } = this.registry;
    const known = since?.incarnation === incarnation && since.revision <= revision ? since.revision : null;
    const canResume = known !== null && this.registry.changes.canResumeFrom(known);
    const watcher = new Watcher(this, log, Place.atStart(this, log, canResume ? known : null), onNews);
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
    channel.log.close();
    this.#channels.delete(watcher.prefix);
    if (this.#channels.size === 0) this.#stop();
  }

  #channelOf(prefix: string): Channel {
    let channel = this.#channels.get(prefix);
    if (channel === undefined) {
      channel = { log: new ChangeLog(prefix, this), watchers: new Set() };
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
    else if (!this.#isScheduled && !this.#isTelling) this.#schedule();
  }

  /** The first change after a quiet time is told at once; later ones wait for the end of the tick. */
  #schedule(): void {
    const wait = this.#flushedAt + this.#tick - performance.now();
    if (wait <= 0) return this.#flushSoon();
    this.#isScheduled = true;
    this.#timer = setTimeout(() => void this.#flush(), wait);
  }

  /**
   * Tells as soon as the code that changes the map has run. A full frame is told like this: waiting would add nothing to
   * it, and in a tick of many changes all watchers would lose their cursors.
   */
  #flushSoon(): void {
    if (this.#isTelling || this.#isScheduled && this.#timer === undefined) return;
    this.#stopTimer();
    this.#isScheduled = true;
    queueMicrotask(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#isScheduled = false;
    // The tick of a watch that has ended meanwhile can come before that of the next one.
    this.#stopTimer();
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#flushedAt = performance.now();
    const changed = this.#changed;
    this.#changed = new Set();
    for (const channel of changed) {
      channel.log.endFrame();
      this.#shorten(channel);
      for (const watcher of channel.watchers) {
        watcher.notice();
        if (this.#turns?.isSpent) await this.#turns.rest();
      }
    }
    this.#isTelling = false;
    // Changes that came meanwhile have waited for all to be told of those before.
    if (this.#changed.size !== 0) this.#schedule();
  }

  /** Drops the oldest frames of those who read too slowly, when there are too many. */
  #shorten(channel: Channel): void {
    while (channel.log.isTooLong) dropOldest(channel);
    while (this.held > MAX_HELD) {
      let longest = channel;
      for (const each of this.#channels.values()) if (each.log.held > longest.log.held) longest = each;
      if (longest.log.held === 0) return;
      dropOldest(longest);
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Drops the oldest frames that are kept: the watchers that need them go on from the map. */
function dropOldest({ log, watchers }: Channel): void {
  const { first } = log;
  for (const watcher of watchers) if (watcher.frame === first) watcher.fallBehind();
  log.trim();
}
