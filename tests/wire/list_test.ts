import { assertEquals, assertThrows } from "@std/assert";
import { Registry, TrackerError } from "../../mod.ts";
import { decodeList, ListWriter } from "../../lib/wire/mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";

const registry = new Registry({ now: () => 7 });
const first = registry.open("x", { id: "ab" });
const second = registry.open("", { id: "c" });

const PAYLOAD = bytesOf(
  ...[longLength(2)],
  ...[0, 2, "ab", 0, longLength(1), longLength(7), longLength(7), 0, 0, 0, 1, "x"],
  ...[0, 1, "c", 0, longLength(2), longLength(7), longLength(7), 0, 0, 0, 0],
);

/** Where the second record begins. */
const SECOND_RECORD = 8 + 34;

Deno.test("list has its golden bytes, written and read", () => {
  const writer = new ListWriter();
  for (let round = 0; round < 2; round++) {
    writer.begin(registry.revision);
    for (const entry of [first, second]) writer.record(entry);
    assertEquals(writer.finish(), bytesOf(longLength(PAYLOAD.length), PAYLOAD));
  }
  const ends: number[] = [];
  assertEquals(decodeList(PAYLOAD, (_, end) => ends.push(end)), {
    revision: 2,
    records: [
      { id: "ab", status: "live", revision: 1, openedAt: 7, updatedAt: 7, state: bytesOf("x") },
      { id: "c", status: "live", revision: 2, openedAt: 7, updatedAt: 7, state: bytesOf() },
    ],
  });
  assertEquals(ends, [SECOND_RECORD, PAYLOAD.length]);
});

Deno.test("list of no clients is its revision alone", () => {
  const writer = new ListWriter();
  writer.begin(3);
  assertEquals(writer.finish(), bytesOf(longLength(8), longLength(3)));
  assertEquals(decodeList(longLength(3)), { revision: 3, records: [] });
});

Deno.test("list that is cut off within a record is refused", () => {
  for (let end = 0; end < PAYLOAD.length; end++) {
    // A list may end after its revision, and after each record.
    if (end === 8 || end === SECOND_RECORD) continue;
    const { code, message } = assertThrows(() => decodeList(PAYLOAD.subarray(0, end)), TrackerError);
    assertEquals([code, message], ["BAD_REPLY", "Cannot parse reply: its last part is cut off"]);
  }
});
