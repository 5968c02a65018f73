import { assert, assertEquals, assertThrows } from "@std/assert";
import { MAX_REQUEST, MAX_TOKEN, Tokens, TrackerError } from "../../mod.ts";
import { encodeRequest } from "../../lib/wire/mod.ts";

const ROBOTS = "7d1f0c9b2e44a8865f3f";
const DASHBOARD = "b0f9a1e6cc7d4d0f83aa";

Deno.test("token file has one token per line, blank lines and comments", () => {
  const tokens = Tokens.parse(`# ours\r\n\r\nrobots:${ROBOTS}\n  dashboard:${DASHBOARD}:read  \nboss:${ROBOTS}x:write`);
  assertEquals(tokens.size, 3);
  assertEquals(tokens.find(ROBOTS), { name: "robots", access: "write" });
  assertEquals(tokens.find(DASHBOARD), { name: "dashboard", access: "read" });
  assertEquals(tokens.find(`${ROBOTS}x`), { name: "boss", access: "write" });
});

Deno.test("longest token fits into a Hello, however JSON writes it", () => {
  const longest = ["x", "☃", '"', "\u{1f600}".slice(0, 2)].map((part) => part.repeat(MAX_TOKEN / part.length));
  for (const token of longest) {
    assertEquals(Tokens.parse(`a:${token}`).size, 1);
    assert(encodeRequest({ name: "n".repeat(128), token, resume: "0".repeat(32) }).length <= MAX_REQUEST);
  }
  for (const part of ["\x01", "\x7f", "\x85", "\ud800"]) {
    assertThrows(() => Tokens.parse(`a:${part.repeat(MAX_TOKEN)}`), TrackerError, "line 1 is not name:token");
  }
});

Deno.test("unknown token is not found, however similar", () => {
  const tokens = Tokens.parse(`robots:${ROBOTS}`);
  for (const guess of ["", ROBOTS.slice(0, -1), `${ROBOTS}\0`, ROBOTS.toUpperCase(), "robots", `robots:${ROBOTS}`]) {
    assertEquals(tokens.find(guess), null, guess);
  }
});

Deno.test("invalid line is reported by its number, without any token", () => {
  const wrong = [
    ROBOTS,
    `a b:${ROBOTS}`,
    `a:${ROBOTS}:owner`,
    `a:${ROBOTS}:read:`,
    `a:${ROBOTS}:read:a b`,
    `a:${ROBOTS}:`,
    "a:tooshort",
    `a:${"x".repeat(1_025)}`,
  ];
  for (const line of [...wrong, `a:${ROBOTS}\nb:${ROBOTS}`]) {
    const error = assertThrows(() => Tokens.parse(`# first\n${line}`), TrackerError);
    assertEquals(error.code, "BAD_ARGUMENT");
    assert(/line [23]/.test(error.message), error.message);
    assert(!error.message.includes(ROBOTS) && !error.message.includes("tooshort"), error.message);
  }
  assertThrows(() => Tokens.parse("# nothing\n"), TrackerError, "nobody could connect");
});
