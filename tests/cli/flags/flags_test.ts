import { assertEquals, assertThrows } from "@std/assert";
import { type Flag, parseFlags, toggle } from "../../../lib/cli/flags/flags.ts";
import { loadCommands } from "../../../lib/commands/mod.ts";
import { UsageError } from "../../../lib/cli/flags/usage.ts";
import { address, choice, duration, host, integer } from "../../../lib/cli/flags/values.ts";
import { formatAddress } from "../../../lib/transport/listener.ts";

const text: Flag<string> = { placeholder: "TEXT", default: "default", description: "any text", parse: (text) => text };
const TABLE = { text, on: toggle("is on") };
const MANY = { placeholder: "[WORD...]", most: Infinity };

Deno.test("parseFlags keeps every argument as written", () => {
  for (const word of ["0x10", "007", "1e3", "", "-", "true", "a=b", "=", "é", " ", "a\nb"]) {
    assertEquals(parseFlags([word], TABLE, MANY).positionals, [word]);
    assertEquals(parseFlags(["--on", word], TABLE, MANY), {
      flags: { text: "default", on: true },
      positionals: [word],
      given: new Set(["on"]),
    });
    if (word === "") continue;
    assertEquals(parseFlags(["--text", word], TABLE).flags.text, word);
    assertEquals(parseFlags([`--text=${word}`], TABLE).flags.text, word);
  }
});

Deno.test("an empty value is a mistake for every flag of every command that does not say otherwise", async () => {
  for (const { name, flags } of await loadCommands()) {
    for (const [flag, { placeholder, mayBeEmpty }] of Object.entries(flags)) {
      if (placeholder === undefined || mayBeEmpty === true) continue;
      for (const args of [[`--${flag}=`], [`--${flag}`, ""]]) {
        const error = assertThrows(() => parseFlags(args, flags), UsageError);
        assertEquals(error.message, `--${flag} must not be empty`, name);
      }
    }
  }
  assertEquals(parseFlags(["--text="], { text: { ...text, mayBeEmpty: true } }).flags.text, "");
});

Deno.test("parseFlags takes everything after -- as positionals", () => {
  const { flags, positionals } = parseFlags(["--on", "--", "--text", "-x", "--"], TABLE, MANY);
  assertEquals([flags.on, flags.text, positionals], [true, "default", ["--text", "-x", "--"]]);
});

Deno.test("parseFlags takes flags before, between and after positionals", () => {
  const { flags, positionals } = parseFlags(["a", "--text", "-b", "c", "--on", "d"], TABLE, MANY);
  assertEquals([flags, positionals], [{ text: "-b", on: true }, ["a", "c", "d"]]);
});

Deno.test("parseFlags takes an alias for the flag itself", () => {
  const table = { text: { ...text, aliases: ["words", "w-o"] }, on: { ...toggle("is on"), aliases: ["live"] } };
  for (const args of [["--words", "a=b"], ["--words=a=b"], ["--w-o", "a=b"]]) {
    const { flags, given } = parseFlags([...args, "--live"], table);
    assertEquals([flags, given], [{ text: "a=b", on: true }, new Set(["text", "on"])]);
  }
  for (const args of [["--words", "a", "--text", "b"], ["--w-o=a", "--words=a"]]) {
    assertThrows(() => parseFlags(args, table), UsageError, "--text (or --words, --w-o) is given more than once");
  }
  assertThrows(() => parseFlags(["--words"], table), UsageError, "--words needs a value");
  assertThrows(() => parseFlags(["--word"], table), UsageError, "unknown flag --word");
});

Deno.test("parseFlags survives hostile flag names", () => {
  const names = ["--__proto__", "--constructor", "--constructor.x=1", "--a.b", "---", "--=", "-=", "-5", "-abc"];
  for (const name of [...names, "-_", "--_", "--_=x", "-_x", "-_=x"]) {
    assertThrows(() => parseFlags([name, "x"], TABLE, MANY), UsageError, "unknown flag");
  }
});

Deno.test("integer accepts digits within the range and nothing else", () => {
  const parse = integer(1, 100);
  assertEquals([parse("1"), parse("100"), parse("007")], [1, 100, 7]);
  for (const wrong of ["0", "101", "", " 1", "1 ", "1.0", "1e1", "0x1", "+1", "-1", "NaN", "١", "9".repeat(400)]) {
    assertThrows(() => parse(wrong), UsageError);
  }
});

Deno.test("duration accepts units, and seconds without one", () => {
  const good: [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["10", 10_000],
    ["10s", 10_000],
    ["500ms", 500],
    ["1m", 60_000],
    ["1.5h", 5_400_000],
    ["1.005", 1_005],
    ["2147483647ms", 2_147_483_647],
  ];
  for (const [written, milliseconds] of good) assertEquals(duration(written), milliseconds, written);
  for (const wrong of ["", "s", "-1", "1d", "10 s", "1e3", ".5", "1.", "0.5ms", "2147483648ms", "Infinity"]) {
    assertThrows(() => duration(wrong), UsageError);
  }
});

Deno.test("address accepts HOST:PORT, with brackets for IPv6, or no port", () => {
  const good: [string, string, number | null][] = [
    ["127.0.0.1:6789", "127.0.0.1", 6789],
    ["localhost", "localhost", null],
    ["a-b.example:1", "a-b.example", 1],
    ["[::1]:65535", "::1", 65_535],
    ["[fe80::1%eth0]", "fe80::1%eth0", null],
  ];
  for (const [written, hostname, port] of good) {
    assertEquals(address(written), { hostname, port }, written);
    if (port !== null) assertEquals(address(formatAddress({ hostname, port })), { hostname, port });
  }
  for (const wrong of ["", ":1", "a:", "a:0", "a:65536", "a:1x", "::1", "[::1", "[a]:1", "a b:1", "a:1:2", "-a:1"]) {
    assertThrows(() => address(wrong), UsageError);
  }
});

Deno.test("host accepts names and addresses, with or without brackets", () => {
  assertEquals([host("0.0.0.0"), host("::"), host("[::1]"), host("pi.local")], ["0.0.0.0", "::", "::1", "pi.local"]);
  for (const wrong of ["", "a b", "a:1", "http://a", "[", "\x1b"]) assertThrows(() => host(wrong), UsageError);
});

Deno.test("choice suggests a near word, and only such a one", () => {
  const { choices, parse } = choice(["compact", "wide", "java"]);
  assertEquals(choices, ["compact", "wide", "java"]);
  assertEquals(parse("wide"), "wide");
  assertThrows(() => parse("wid"), UsageError, "did you mean wide?");
  assertEquals(assertThrows(() => parse("wid"), UsageError).suggestion, "wide");
  const { message, suggestion } = assertThrows(() => parse("morse"), UsageError);
  assertEquals([message.includes("did you mean"), suggestion], [false, undefined]);
});
