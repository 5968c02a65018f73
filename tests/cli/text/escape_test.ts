import { assertEquals } from "@std/assert";
import { safeJson } from "../../../lib/base/text.ts";
import { escapeBytes, escapeControls, escapeWord, quoteBytes } from "../../../lib/cli/text/escape.ts";
import { assertHarmless, HOSTILE_TEXTS } from "../../support/hostile.ts";

const encoder = new TextEncoder();

Deno.test("escapeControls leaves nothing that a terminal acts on", () => {
  assertEquals(escapeControls("a\x00\x1b[2J\x7f\x9b\r\n\tz"), "a\\x00\\x1b[2J\\x7f\\x9b\\x0d\\x0a\\x09z");
  assertEquals(escapeControls("\u202eabc\u2028"), "\\u{202e}abc\\u{2028}");
  assertEquals(escapeControls("häßlich 雪 🦕"), "häßlich 雪 🦕");
});

Deno.test("escaped text is harmless, on one line", () => {
  for (const text of Object.values(HOSTILE_TEXTS)) {
    for (const escaped of [escapeControls(text), escapeBytes(encoder.encode(text)), escapeWord(text)]) {
      assertHarmless(escaped);
      assertEquals(escaped.includes("\n"), false);
    }
  }
  // Every byte, alone and as part of a sequence.
  for (let byte = 0; byte < 256; byte++) {
    for (const bytes of [[byte], [0x61, byte], [0xc2, byte], [0xe2, 0x80, byte]]) {
      assertHarmless(escapeBytes(Uint8Array.from(bytes)));
    }
  }
});

Deno.test("escapeWord makes one word of any text", () => {
  assertEquals(escapeWord("pi 7\tlive\u3000x"), "pi\\x207\\x09live\\x3000x");
});

Deno.test("safeJson is harmless, and still JSON of the same value", () => {
  for (const text of Object.values(HOSTILE_TEXTS)) {
    const json = safeJson({ [text]: [text] });
    assertHarmless(json);
    assertEquals(json.includes("\n"), false);
    assertEquals(JSON.parse(json), { [text]: [text] });
  }
});

Deno.test("escapeBytes shows invalid UTF-8 byte by byte", () => {
  assertEquals(escapeBytes(encoder.encode("\ufeffé\x1b")), "\\u{feff}é\\x1b");
  assertEquals(escapeBytes(Uint8Array.of(0x61, 0xff, 0xc3, 0x0a, 0x7e, 0x7f)), "a\\xff\\xc3\\x0a~\\x7f");
});

Deno.test("quoteBytes distinguishes a backslash from an escape", () => {
  assertEquals(quoteBytes(encoder.encode('say "\\n"\x1b')), '"say \\"\\\\n\\"\\x1b"');
});
