import { assert, assertEquals } from "@std/assert";
import { escapeControls } from "../../../lib/cli/text/escape.ts";
import { previewOf } from "../../../lib/cli/text/forms.ts";
import { layOutTable } from "../../../lib/cli/text/table.ts";
import { longDuration, shortTime } from "../../../lib/cli/text/times.ts";
import { cutTo, fit, measure } from "../../../lib/cli/text/width.ts";
import { HOSTILE_TEXTS } from "../../support/hostile.ts";

Deno.test("text is measured in columns, not in characters", () => {
  const widths: [string, number][] = [["", 0], ["abc", 3], ["雪", 2], ["🦕", 2], ["e\u0301", 1], ["한", 2], ["ｆ", 2]];
  for (const [text, width] of widths) assertEquals(measure(text), width, text);
});

Deno.test("text that is cut fits its width, and ends in an ellipsis", () => {
  assertEquals([cutTo("abcdef", 6), cutTo("abcdef", 5), cutTo("abc", 1), cutTo("abc", 0)], [
    "abcdef",
    "abcd…",
    "…",
    "",
  ]);
  // A wide character cannot be shown by half.
  assertEquals([cutTo("雪雪雪", 6), cutTo("雪雪雪", 5), cutTo("雪雪雪", 4)], ["雪雪雪", "雪雪…", "雪…"]);
  for (const text of Object.values(HOSTILE_TEXTS).map(escapeControls)) {
    for (let width = 0; width < 40; width++) {
      const cut = cutTo(text, width);
      assert(measure(cut) <= width, `${text} ${width}`);
      assertEquals(measure(fit(text, width)), width);
      // Marks take no room in a line, but too many would reach into other lines.
      assert([...cut].length <= width * 5);
    }
  }
});

Deno.test("a table is aligned, whatever its cells contain", () => {
  const texts = Object.values(HOSTILE_TEXTS).map(escapeControls);
  const rows = [["ID", "STATUS", "STATE"], ...texts.map((text) => [text.slice(0, 50), "live", text])];
  for (const width of [20, 60, 200, undefined]) {
    const lines = layOutTable(rows, { width });
    assertEquals(lines.length, rows.length);
    const at = lines[0]!.indexOf("STATUS");
    for (const [index, line] of lines.entries()) {
      if (width !== undefined) assert(measure(line) <= width);
      if (index === 0 || (width ?? 200) < 60) continue;
      const before = line.slice(0, line.indexOf("  live"));
      assert(measure(`${before}  `) <= at, line);
    }
  }
});

Deno.test("a table that is piped is not cut", () => {
  const long = "x".repeat(1_000);
  assertEquals(layOutTable([["a", long], ["bcd", "e"]]), [`a    ${long}`, "bcd  e"]);
  assertEquals(layOutTable([["a", ""], ["bcd", ""]], { width: 80 }), ["a", "bcd"]);
  assertEquals(layOutTable([]), []);
});

Deno.test("a preview does not end in the middle of a character", () => {
  const state = new TextEncoder().encode("🦕".repeat(100));
  for (let columns = 1; columns < 20; columns++) assertEquals(previewOf(state, columns), `${"🦕".repeat(columns)}…`);
  assertEquals(previewOf(state.subarray(0, 8), 2), "🦕🦕");
  assertEquals(previewOf(new Uint8Array(100).fill(0x80), 2), "…");
  assertEquals(previewOf(Uint8Array.of(0xff, 0x41), 80), "\\xffA");
});

Deno.test("a time of today is shown as time, another one as date, and no number is too large", () => {
  const now = new Date(2026, 10, 23, 14, 3, 22);
  assertEquals(shortTime(now.getTime(), now.getTime()), "14:03:22");
  assertEquals(shortTime(new Date(2026, 10, 22, 23, 59, 59).getTime(), now.getTime()), "2026-11-22");
  assertEquals(shortTime(Number.MAX_SAFE_INTEGER, now.getTime()), "?");
});

Deno.test("a duration is shown in its two largest units", () => {
  const durations: [number, string][] = [
    [0, "0s"],
    [999, "0s"],
    [59_000, "59s"],
    [61_000, "1m 1s"],
    [3_600_000, "1h 0m"],
    [90_061_000, "1d 1h"],
    [-5, "0s"],
  ];
  for (const [milliseconds, words] of durations) assertEquals(longDuration(milliseconds), words);
});
