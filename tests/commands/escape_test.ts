import { assertEquals } from "@std/assert";
import { escapeBytes, escapeControls, quoteBytes } from "../../lib/commands/escape.ts";

Deno.test("escapeControls leaves nothing that a terminal acts on", () => {
  assertEquals(escapeControls("a\x00\x1b[2J\x7f\x9b\r\n\tz"), "a\\x00\\x1b[2J\\x7f\\x9b\\x0d\\x0a\\x09z");
  assertEquals(escapeControls("\u202eabc\u2028"), "\\u{202e}abc\\u{2028}");
  assertEquals(escapeControls("häßlich 雪 🦕"), "häßlich 雪 🦕");
});

Deno.test("escapeBytes shows what is not UTF-8 byte by byte", () => {
  assertEquals(escapeBytes(new TextEncoder().encode("\ufeffé\x1b")), "\\u{feff}é\\x1b");
  assertEquals(escapeBytes(Uint8Array.of(0x61, 0xff, 0xc3, 0x0a, 0x7e, 0x7f)), "a\\xff\\xc3\\x0a~\\x7f");
});

Deno.test("quoteBytes tells a backslash from an escape", () => {
  assertEquals(quoteBytes(new TextEncoder().encode('say "\\n"\x1b')), '"say \\"\\\\n\\"\\x1b"');
});
