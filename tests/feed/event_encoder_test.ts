import { assertEquals, assertGreater } from "@std/assert";
import type { EventEncoder } from "../../lib/feed/event_encoder.ts";
import { Feed, type WatchScope } from "../../lib/feed/feed.ts";
import type { Watcher } from "../../lib/feed/watcher.ts";
import { EventWriter } from "../../lib/wire/event_writer.ts";
import { Registry } from "../../mod.ts";
import { decodeEvents, type EventKind, type WatchEvent } from "../../lib/wire/mod.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { JsonLines, parseLines } from "./json_lines.ts";

const LONG = "é".repeat(20_000);

/** A feed in one format, and how to read that. */
class Reader {
  readonly feed: Feed;
  readonly #decode: (frame: Uint8Array) => WatchEvent[];
  #watcher: Watcher;

  constructor(registry: Registry, createEncoder: () => EventEncoder, decode: (frame: Uint8Array) => WatchEvent[]) {
    this.feed = new Feed(registry, createEncoder);
    this.#decode = decode;
    this.#watcher = this.feed.watch({}, () => {});
  }

  watch(scope: WatchScope): void {
    this.#watcher.close();
    this.#watcher = this.feed.watch(scope, () => {});
  }

  read(): WatchEvent[] {
    const events: WatchEvent[] = [];
    for (let frame = this.#watcher.next(); frame !== null; frame = this.#watcher.next()) {
      events.push(...this.#decode(frame));
    }
    return events;
  }

  close(): void {
    this.#watcher.close();
  }
}

/** A map with a feed of binary frames and one of JSON lines. */
class Readers implements Disposable {
  readonly #time = new VirtualTime();
  readonly registry = new Registry({ incarnation: "i" });
  readonly binary = new Reader(this.registry, () => new EventWriter(), (frame) => decodeEvents(frame.subarray(8)));
  readonly lines = new Reader(this.registry, () => new JsonLines(), parseLines);

  watch(scope: WatchScope): void {
    for (const reader of [this.binary, this.lines]) reader.watch(scope);
  }

  /** Ends the tick and returns the kinds of the events, which must be the same in both formats. */
  async read(): Promise<EventKind[]> {
    await this.#time.advance(20);
    const [events, lines] = [this.binary.read(), this.lines.read()];
    assertEquals(lines, events);
    return events.map(({ kind }) => kind);
  }

  [Symbol.dispose](): void {
    for (const reader of [this.binary, this.lines]) reader.close();
    this.#time[Symbol.dispose]();
  }
}

Deno.test("feed tells the same events as JSON lines and as binary frames: snapshot, live, resume and catch-up", async () => {
  using readers = new Readers();
  const { registry, binary, lines } = readers;
  const entries = ["ada", "ben", "client-é"].map((id) => registry.open(`${id} ${LONG}`, { id }));
  registry.mark(entries[1]!, "suspect");
  readers.watch({});
  assertEquals(await readers.read(), ["snapshot", "present", "present", "present", "synced"]);

  registry.update(entries[0]!, "line one\nline two");
  registry.mark(entries[1]!, "live");
  registry.close(entries[2]!, "timeout");
  registry.close(registry.open("", { id: "dan" }), "kicked");
  assertEquals(await readers.read(), ["update", "resume", "leave", "join", "leave"]);

  readers.watch({ prefix: "b", since: { incarnation: "i", revision: 3 } });
  assertEquals(await readers.read(), ["update", "resume", "synced"]);

  readers.watch({});
  assertEquals(await readers.read(), ["snapshot", "present", "present", "synced"]);
  for (let i = 0; i < 40; i++) for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
  registry.mark(entries[0]!, "suspect");
  registry.close(entries[1]!);
  assertEquals(await readers.read(), ["update", "suspect", "leave"]);
  for (const { feed } of [binary, lines]) assertGreater(feed.conflated, 70);
});
