import { assertEquals, assertThrows } from "@std/assert";
import { Registry, TrackerError } from "../../mod.ts";
import { decodeEvents, EventWriter, type WatchEvent } from "../../lib/wire/mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";

const [REVISION, ID, STATE] = [longLength(1), bytesOf(0, 2, "ab"), bytesOf(0, 0, 0, 1, "x")];

/** Each kind of event, with its bytes. */
const EVENTS: [WatchEvent, Uint8Array, (writer: EventWriter) => void][] = [
  [
    { kind: "snapshot", revision: 0 },
    bytesOf(11, longLength(0), 0, 0),
    (writer) => writer.snapshot(0),
  ],
  [
    {
      kind: "present",
      revision: 1,
      id: "ab",
      status: "live",
      openedAt: 5,
      updatedAt: 5,
      until: 0,
      state: bytesOf("x"),
    },
    bytesOf(1, REVISION, ID, 0, longLength(5), longLength(5), longLength(0), STATE),
    (writer) => writer.present(entry),
  ],
  [
    { kind: "synced", revision: 1, incarnation: "i" },
    bytesOf(2, REVISION, 0, 0, 1, "i"),
    (writer) => writer.synced(1, "i"),
  ],
  [
    { kind: "join", revision: 1, id: "ab", state: bytesOf("x") },
    bytesOf(3, REVISION, ID, STATE),
    (writer) => writer.state("join", 1, entry),
  ],
  [
    { kind: "update", revision: 1, id: "ab", state: bytesOf("x") },
    bytesOf(4, REVISION, ID, STATE),
    (writer) => writer.state("update", 1, entry),
  ],
  [
    { kind: "suspect", revision: 1, id: "ab" },
    bytesOf(5, REVISION, ID),
    (writer) => writer.status("suspect", 1, entry),
  ],
  [
    { kind: "resume", revision: 1, id: "ab" },
    bytesOf(6, REVISION, ID),
    (writer) => writer.status("resume", 1, entry),
  ],
  [
    { kind: "leave", revision: 1, id: "ab", cause: "timeout" },
    bytesOf(7, REVISION, ID, 2),
    (writer) => writer.leave(1, "ab", "timeout"),
  ],
  [
    { kind: "pong", revision: 1 },
    bytesOf(8, REVISION, 0, 0),
    (writer) => writer.pong(1),
  ],
];

const entry = new Registry({ now: () => 5 }).open("x", { id: "ab" });

function framed(payload: Uint8Array): Uint8Array {
  return bytesOf(longLength(payload.length), payload);
}

Deno.test("events have their golden bytes, written and read", () => {
  const writer = new EventWriter();
  for (const [event, bytes, add] of EVENTS) {
    add(writer);
    assertEquals([writer.count, writer.length], [1, 8 + bytes.length], event.kind);
    assertEquals(writer.finish(), framed(bytes), event.kind);
    assertEquals(decodeEvents(bytes), [event]);
  }
});

Deno.test("frame holds events in order, and its writer starts the next one empty", () => {
  const writer = new EventWriter();
  for (const [, , add] of EVENTS) add(writer);
  const payload = bytesOf(...EVENTS.map(([, bytes]) => bytes));
  assertEquals(writer.count, EVENTS.length);
  assertEquals(writer.finish(), framed(payload));
  assertEquals([writer.count, writer.length], [0, 8]);
  const ends: number[] = [];
  assertEquals(decodeEvents(payload, (_, end) => ends.push(end)), EVENTS.map(([event]) => event));
  assertEquals(ends.at(-1), payload.length);
});

Deno.test("event writer grows with its frame, and gives back memory after a large one", () => {
  const writer = new EventWriter();
  const large = new Registry({ now: () => 5 }).open("s".repeat(50_000), { id: "ab" });
  for (let round = 0; round < 2; round++) {
    for (let revision = 1; revision <= 40; revision++) writer.state("update", revision, large);
    const events = decodeEvents(writer.finish().subarray(8));
    assertEquals(events.map(({ revision }) => revision), Array.from({ length: 40 }, (_, index) => index + 1));
    writer.pong(7);
    assertEquals(decodeEvents(writer.finish().subarray(8)), [{ kind: "pong", revision: 7 }]);
  }
});

Deno.test("event writer keeps identifiers and revisions exact", () => {
  const writer = new EventWriter();
  for (const id of ["", "\ufeffada", "☃".repeat(5_000), "🦕"]) {
    for (const revision of [0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      writer.leave(revision, id, "close");
      const expected: WatchEvent = { kind: "leave", revision, id, cause: "close" };
      assertEquals(decodeEvents(writer.finish().subarray(8)), [expected]);
    }
  }
});

Deno.test("events that are cut off or invalid are refused", () => {
  const refuse = (bytes: Uint8Array, why: string) => {
    const { code, message } = assertThrows(() => decodeEvents(bytes), TrackerError);
    assertEquals([code, message], ["BAD_REPLY", `Cannot parse reply: ${why}`]);
  };
  for (const [, bytes] of EVENTS) {
    for (let end = 1; end < bytes.length; end++) refuse(bytes.subarray(0, end), "its last part is cut off");
  }
  refuse(bytesOf(10, REVISION, 0, 0), "an event of kind 10 does not exist");
  refuse(bytesOf(1, REVISION, ID, 3, STATE), "3 is none of live, suspect, detached");
  refuse(bytesOf(8, longLength(2n ** 53n), 0, 0), "the number 9007199254740992 is too large");
});
