import { assert, assertEquals } from "@std/assert";
import { layOutScreen, Rows, type View } from "../../../lib/cli/terminal/client_table.ts";
import { measure } from "../../../lib/cli/text/width.ts";
import type { MapEvent } from "../../../mod.ts";
import type { Omitting } from "../../../lib/cli/text/forms.ts";
import { bytesOf } from "../../support/bytes.ts";
import { assertHarmless, HOSTILE_TEXTS } from "../../support/hostile.ts";

const NOW = new Date(2026, 10, 23, 12, 0, 0).getTime();

const VIEW: View = { title: "tracker here", footer: "Ctrl-C ends", columns: 60, rows: 8, now: NOW };

/** An event without the time at which it came. */
type ClientTableEvent = Omitting<MapEvent, "time">;

function follow(...events: ClientTableEvent[]): Rows {
  const rows = new Rows();
  for (const event of events) rows.apply(event, NOW);
  return rows;
}

/** A client that opened yesterday. Clients that opened at once are shown in the order in which they came. */
const present = (id: string, state = "on"): ClientTableEvent => {
  const openedAt = NOW - 86_400_000;
  return {
    kind: "present",
    revision: 1,
    id,
    status: "live",
    openedAt,
    updatedAt: NOW,
    until: 0,
    state: bytesOf(state),
  };
};

const synced: ClientTableEvent = { kind: "synced", revision: 1, incarnation: "x" };

/** Lays out a screen, with runs of spaces reduced to one. */
function shown(rows: Rows, view: Partial<View> = {}): string[] {
  return layOutScreen(rows, { ...VIEW, ...view }).map((line) => line.replaceAll(/ +/g, " "));
}

Deno.test("the table follows every event", () => {
  const rows = follow({ kind: "snapshot" }, present("a"), present("b"), synced);
  rows.apply({ kind: "join", revision: 2, id: "c", state: bytesOf("new") }, NOW);
  rows.apply({ kind: "update", revision: 3, id: "a", state: bytesOf("off") }, NOW);
  rows.apply({ kind: "suspect", revision: 4, id: "c" }, NOW);
  rows.apply({ kind: "leave", revision: 5, id: "b", cause: "close" }, NOW);
  // Nothing else is known of a client whose join was skipped.
  rows.apply({ kind: "suspect", revision: 6, id: "d" }, NOW);
  assertEquals(shown(rows), [
    "tracker here 2 clients",
    "ID STATUS SINCE CHANGED STATE",
    "a live 2026-11-22 12:00:00 off",
    "c suspect 12:00:00 12:00:00 new",
    "Ctrl-C ends",
  ]);
  rows.apply({ kind: "resume", revision: 7, id: "c" }, NOW);
  assertEquals(shown(rows)[3], "c live 12:00:00 12:00:00 new");
});

Deno.test("an incomplete snapshot is never shown, and a complete one replaces everything", () => {
  const rows = follow({ kind: "snapshot" }, present("a"), synced);
  rows.apply({ kind: "snapshot" }, NOW);
  rows.apply(present("b"), NOW);
  assertEquals(shown(rows)[2], "a live 2026-11-22 12:00:00 on");
  rows.apply(synced, NOW);
  assertEquals(shown(rows).slice(2), ["b live 2026-11-22 12:00:00 on", "Ctrl-C ends"]);
});

Deno.test("the screen fits any terminal, and counts the clients that do not fit", () => {
  const events = Array.from({ length: 20 }, (_, at) => present(`client${at}`, "state ".repeat(100)));
  const rows = follow({ kind: "snapshot" }, ...events, synced);
  for (let height = 1; height < 30; height++) {
    for (const columns of [1, 10, 80]) {
      const lines = layOutScreen(rows, { ...VIEW, columns, rows: height });
      assert(lines.length <= height, `${lines.length} lines of ${height}`);
      for (const line of lines) assert(measure(line) <= columns, line);
    }
  }
  assertEquals(shown(rows, { rows: 8 }).slice(2).map((line) => line.slice(0, 13)), [
    "client0 live ",
    "client1 live ",
    "client2 live ",
    "client3 live ",
    "… and 16 more",
    "Ctrl-C ends",
  ]);
  assertEquals(layOutScreen(rows, { ...VIEW, rows: 23 }).length, 23);
});

Deno.test("no state or identifier can send commands to the terminal", () => {
  const texts = Object.values(HOSTILE_TEXTS);
  const rows = follow({ kind: "snapshot" }, ...texts.map((text) => present(text.slice(0, 200), text)), synced);
  rows.apply(present("bytes", "\xff\x1b"), NOW);
  const lines = layOutScreen(rows, { ...VIEW, rows: 40 });
  assertEquals(lines.length, texts.length + 1 + 3);
  for (const line of lines) {
    assertHarmless(line);
    assert(measure(line) <= VIEW.columns);
  }
});
