import { assertEquals } from "@std/assert";
import { Feed } from "../../lib/feed/feed.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { EventWriter } from "../../lib/wire/event_writer.ts";
import type { WatchRequest } from "../../lib/wire/requests.ts";
import { MAX_TOMBSTONES, Registry } from "../../mod.ts";
import { decodeEvents, type WatchEvent } from "../../lib/wire/mod.ts";
import { textOf } from "../support/bytes.ts";
import { VirtualTime } from "../support/virtual_time.ts";

/** A state of which a frame has no more than two. */
export const LONG = "x".repeat(40_000);

/** A map with a feed, in virtual time. */
export class Stage implements Disposable {
  readonly time = new VirtualTime();
  readonly registry = new Registry({ incarnation: "i" });
  readonly feed = new Feed(this.registry, () => new EventWriter());
  readonly #watchers: Watcher[] = [];

  /** Begins a watch that ends with the stage. */
  watch(request: WatchRequest = {}): Watcher {
    const watcher = this.feed.watch(request, () => {});
    this.#watchers.push(watcher);
    return watcher;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
    this.time[Symbol.dispose]();
    assertEquals(this.time.running, 0);
    assertEquals(this.feed.held, 0);
    assertEquals(this.registry.changes.bookmarks, 0);
  }
}

/** The events of the next frame, if there is one. */
export function take(watcher: Watcher): WatchEvent[] {
  const frame = watcher.hasNews ? watcher.next() : null;
  return frame === null || frame.length === 0 ? [] : decodeEvents(frame.subarray(8));
}

/** The events of all frames that are left, unless the watcher is lost. */
export function drain(watcher: Watcher): WatchEvent[] {
  const events: WatchEvent[] = [];
  while (watcher.hasNews && !watcher.isLost) events.push(...take(watcher));
  return events;
}

/** Opens and closes clients until the registry has dropped the first of these leaves, even if a watcher needs it. */
export function dropLeaves(registry: Registry): void {
  for (let i = 0; i < MAX_TOMBSTONES * 4; i++) registry.close(registry.open("", { id: `passing:${i}` }));
}

/** Events in short: revision, kind, identifier and the beginning of the state. */
export function brief(events: readonly WatchEvent[]): string[] {
  return events.map((event) => {
    const state = "state" in event ? ` ${textOf(event.state).slice(0, 6)}` : "";
    return `${event.revision} ${event.kind} ${"id" in event ? event.id : ""}${state}`.trim();
  });
}
