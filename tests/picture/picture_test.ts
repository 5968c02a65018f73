import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createClock } from "./clock.ts";
import { drawTerminal } from "./drawing.ts";
import { SCENES, STILL } from "./scenes.ts";
import { latestDrawing, textOf } from "./screen.ts";

Deno.test("the latest complete drawing is read, line by line and with its bold text", () => {
  const output = "\x1b[?1049h\x1b[Hold\x1b[K\x1b[J\x1b[Htitle\x1b[K\r\r\n\x1b[1mID\x1b[22m  x\x1b[K\x1b[J\x1b[Hhalf";
  const lines = latestDrawing(output);
  assertEquals(lines?.map(textOf), ["title", "ID  x"]);
  assertEquals(lines?.[1], [{ text: "ID", isBold: true }, { text: "  x", isBold: false }]);
  assertEquals(latestDrawing("\x1b[Hhalf"), undefined);
});

Deno.test("the picture's clock counts whole seconds from the same time in every run", () => {
  let now = 1_000;
  const clock = createClock(1_000, () => now);
  const first = clock();
  assertEquals(new Date(first).toISOString(), "2026-11-26T09:41:00.000Z");
  now = 3_400;
  assertEquals(clock() - first, 2_000);
});

Deno.test("the drawing escapes what it shows, and shows each frame for its share of the time", () => {
  const frame = { lines: [[{ text: "<a> & b", isBold: false }]], caption: "one", seconds: 1 };
  const svg = drawTerminal([frame, { ...frame, seconds: 3 }], { command: "x", columns: 20, rows: 2, still: 1 });
  assertStringIncludes(svg, "&lt;a&gt; &amp; b");
  assertStringIncludes(svg, "@keyframes f0{0%{opacity:1}25%{opacity:0}}");
  assertStringIncludes(svg, "@keyframes f1{0%{opacity:0}25%{opacity:1}}");
  assertStringIncludes(svg, ".frame{opacity:0}.f1{opacity:1}");
});

Deno.test("README's picture shows the story that is told", async () => {
  const svg = await Deno.readTextFile(new URL("../../.github/watch.svg", import.meta.url));
  for (const { caption } of SCENES) assertStringIncludes(svg, `>${caption}</text>`);
  assert(STILL < SCENES.length);
});
