/** The feed alone, under random changes and with watchers that take frames at random times, or never. */

import { assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { type Entry, type LeaveCause, Registry } from "../../mod.ts";
import { decodeEvents } from "../../lib/wire/mod.ts";
import { Feed } from "../../lib/feed/feed.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { EventWriter } from "../../lib/wire/event_writer.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { History } from "./history.ts";
import { Mirror } from "./mirror.ts";

const CAUSES: readonly LeaveCause[] = ["close", "disconnect", "timeout", "kicked"];
const PREFIXES = ["", "", "a", "a:", "a:1", "client", "client1", "none"];

/** One step: what happens, to which client or watcher, and the size of the states. */
const step = fc.record({
  act: fc.constantFrom(
    ...["open", "open", "update", "update", "update", "close", "suspect", "live", "burst", "churn"],
    ...["watch", "watch", "take", "take", "take", "drain", "resume", "leave", "tick"],
  ),
  who: fc.nat(11),
  size: fc.constantFrom(0, 1, 50, 5_000, 40_000),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Follower {
  readonly mirror: Mirror;
  #watcher: Watcher | null = null;

  constructor(readonly world: World, prefix: string) {
    this.mirror = new Mirror(world.history, prefix);
  }

  /** Begins a watch from where the last one ended. */
  watch(): void {
    this.stop();
    const { feed, registry } = this.world;
    const { prefix, revision, isComplete } = this.mirror;
    const since = isComplete ? { since: { incarnation: registry.incarnation, revision } } : {};
    if (isComplete) this.mirror.expectResume();
    else this.mirror.expectSnapshot();
    this.#watcher = feed.watch({ prefix, ...since }, () => {});
  }

  /** Takes a frame; `false` if there is none. */
  take(): boolean {
    const watcher = this.#watcher;
    const frame = watcher?.hasNews && !watcher.isLost ? watcher.next() : null;
    if (watcher === null || frame === null) return false;
    if (frame.length !== 0) this.mirror.takeFrame(decodeEvents(frame.subarray(8)));
    // A pong would have this revision now.
    this.mirror.takeFrame([{ kind: "pong", revision: watcher.revision }]);
    return true;
  }

  drain(): void {
    while (this.take());
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}

/** A map, its feed and its watchers. */
class World {
  /** It keeps few leaves, so that those who stay away for long lose some. */
  readonly registry = new Registry({ maxTombstones: 32 });
  readonly history = new History(this.registry);
  readonly feed = new Feed(this.registry, () => new EventWriter());
  readonly #followers: Follower[] = [];
  readonly #entries: Entry[] = [];
  #states = 0;

  async step({ act, who, size }: Step, time: VirtualTime): Promise<void> {
    if (act === "tick") return await time.advance(10);
    if (act === "watch") return this.#watch(PREFIXES[who % PREFIXES.length]!);
    const follower = this.#followers[who % Math.max(1, this.#followers.length)];
    if (act === "take") follower?.take();
    else if (act === "drain") follower?.drain();
    else if (act === "resume") follower?.watch();
    else if (act === "leave") follower?.stop();
    else this.#change(act, who, size);
  }

  /** Lets all watchers take what is left, and checks that they have the map. */
  async settle(time: VirtualTime): Promise<void> {
    await time.advance(20);
    for (const follower of this.#followers) {
      follower.watch();
      follower.drain();
      follower.mirror.requireExact();
      follower.stop();
    }
  }

  #watch(prefix: string): void {
    const follower = new Follower(this, prefix);
    this.#followers.push(follower);
    follower.watch();
  }

  #change(act: string, who: number, size: number): void {
    const { registry } = this;
    const entry = this.#entries[who];
    if (act === "burst") {
      for (const each of this.#entries) if (each !== undefined) registry.update(each, this.#state(size));
    } else if (act === "churn") {
      for (let i = 0; i < 20; i++) registry.close(registry.open(this.#state(size)), "kicked");
    } else if (act === "open" && (entry === undefined || registry.get(entry.id) !== entry)) {
      const id = `${who % 3 === 0 ? "b" : "a"}:${who}`;
      this.#entries[who] = who < 8 ? registry.open(this.#state(size), { id }) : registry.open(this.#state(size));
    } else if (entry !== undefined) {
      if (act === "update") registry.update(entry, this.#state(size));
      else if (act === "close") registry.close(entry, CAUSES[size % CAUSES.length]!);
      else registry.mark(entry, act === "suspect" ? "suspect" : "live");
    }
  }

  #state(size: number): string {
    return `${++this.#states}:${"x".repeat(size)}`;
  }
}

Deno.test("watchers of any speed end up with the map, and miss no leave", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120, size: "max" }), async (steps) => {
      using time = new VirtualTime();
      const world = new World();
      for (const each of steps) {
        await world.step(each, time);
        if (each.size % 2 === 0) await time.settle();
      }
      await world.settle(time);
      assertEquals(time.running, 0);
    }),
    { numRuns: 200 },
  );
});
