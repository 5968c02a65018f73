/** The building of release programs, as far as it can be tested without building one. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { missingBase } from "../../.release/base.ts";
import { CHECKSUMS, writeChecksums } from "../../.release/checksums.ts";
import { embeddedFiles, neutralize, strangersIn } from "../../.release/contents.ts";
import { VARIABLES } from "../../.release/permissions.ts";
import { knownTargets, programName, systemOf, TARGETS } from "../../.release/targets.ts";
import { loadCommands } from "../../lib/commands/mod.ts";

const COMMANDS = await loadCommands();

const OURS = "// lib/codec.ts\nlet a;\n// lib/commands/serve.ts\n// deno.json\n// main.ts\nmain();\n";

Deno.test("a bundle may contain the program, its version and the standard library, and nothing else", () => {
  assertEquals(strangersIn(`// npm:deno-std@1.4.0/cli/parse_args.js\n${OURS}`), []);
  for (
    const stranger of [
      "tests/support/random.ts",
      ".release/compile.ts",
      "../elsewhere/lib/codec.ts",
      "npm:fast-check@4.10.2/lib/fast-check.js",
      "npm:deno-std@1.4.0/assert/mod.js",
    ]
  ) assertEquals(strangersIn(`// ${stranger}\n${OURS}`), [stranger]);
});

Deno.test("a bundle that does not name its modules is refused", () => {
  assertEquals(strangersIn("let a;main();").length, 1);
});

Deno.test("a bundle does not reveal the machine that built it", () => {
  for (const cache of ["../../root/.cache/deno/", "../Library/Caches/deno/", "C:/Users/a/AppData/Local/deno/", ""]) {
    const line = `// ${cache}npm/registry.npmjs.org/deno-std/1.4.0/text/closest_string.js\n`;
    assertEquals(neutralize(line + OURS), `// npm:deno-std@1.4.0/text/closest_string.js\n${OURS}`);
  }
});

Deno.test("every embedded file is found in the report of deno compile, in any directory", () => {
  const report = (tree: string) =>
    `Compile a to b\n\nEmbedded Files\n\ntracker\n${tree}\n\nFiles: 3KB\nMetadata: 1KB\n`;
  assertEquals(embeddedFiles(report("└── tracker.js (121.51KB)")), ["tracker.js"]);
  const deep = "├── .npm/fast-check/* (1.46MB - 1.12MB unique)\n├─┬ lib (3KB)\n│ └── a.ts (1KB)\n└── main.ts (2KB)";
  assertEquals(embeddedFiles(report(deep)), [".npm/fast-check/*", "a.ts", "main.ts"]);
  assertEquals(embeddedFiles("error: something else"), []);
});

Deno.test("targets that a Deno does not know are left out", () => {
  const newer = "error: invalid value '?' for '--target': possible values: " +
    `${TARGETS.map(({ triple }) => triple).join(", ")}\n\nStack backtrace:\n   0: <unknown>\n`;
  assertEquals(knownTargets(newer), TARGETS);
  const older = "  [possible values: x86_64-unknown-linux-gnu, aarch64-apple-darwin]\n";
  assertEquals(knownTargets(older).map(({ os }) => os), ["linux", "macos"]);
  assertEquals(knownTargets("error: in words that nobody foresaw"), TARGETS);
});

Deno.test("every target has its own program name", () => {
  const names = TARGETS.map((target) => programName("1.2.3", target));
  assertEquals(new Set(names).size, TARGETS.length);
  assertEquals(names[1], "tracker-1.2.3-linux-aarch64");
  assertEquals(names[4], "tracker-1.2.3-windows-x86_64.exe");
});

Deno.test("the system of a program is detected from its first bytes, and not from fewer", async () => {
  using file = await Deno.open(Deno.execPath());
  const head = new Uint8Array(1_024);
  await file.read(head);
  const own = TARGETS.find(({ triple }) => triple === Deno.build.target);
  assert(own !== undefined);
  assertEquals(systemOf(head), `${own.os} ${own.arch}`);
  const windows = new Uint8Array(128);
  windows.set([0x4d, 0x5a]);
  windows.set([96], 60);
  windows.set([0x50, 0x45, 0, 0, 0x64, 0xaa], 96);
  assertEquals(systemOf(windows), "windows aarch64");
  const macos = new Uint8Array(64);
  macos.set([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1]);
  assertEquals(systemOf(macos), "macos aarch64");
  for (let length = 0; length < 102; length++) assertEquals(systemOf(windows.subarray(0, length)), undefined);
  assertEquals(systemOf(new Uint8Array(1_024)), undefined);
});

Deno.test("a base runtime that cannot be downloaded is explained in one line", () => {
  const address = "https://example.com/release/v2.9.6/denort-x86_64-apple-darwin.zip";
  const output =
    `Compile main.ts to a\nDownload ${address}\nerror: Writing\n\nCaused by:\n  0: Setting up base binary.\n`;
  const message = missingBase(output, "x86_64-apple-darwin")?.message ?? "";
  for (const part of [address, "DENORT_BIN", "x86_64-apple-darwin", Deno.version.deno]) {
    assertStringIncludes(message, part);
  }
  assertEquals(message.includes("\n"), false);
  for (const other of ["error: Module not found", `Download ${address}\nerror: No space left on device`]) {
    assertEquals(missingBase(other, "x86_64-apple-darwin"), undefined);
  }
});

Deno.test("a compiled program may read the variables of all flags", () => {
  for (const { flags } of COMMANDS) {
    for (const { environment } of Object.values(flags)) {
      if (environment !== undefined) assert(Object.hasOwn(VARIABLES, environment), environment);
    }
  }
});

Deno.test("the checksums list the version's programs, in order", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const name of ["tracker-1.0.0-b", "tracker-1.0.0-a", "tracker-0.9.0-a", "notes"]) {
      await Deno.writeTextFile(`${directory}/${name}`, "abc");
    }
    // Twice: the list does not include itself.
    await writeChecksums(directory, "1.0.0");
    await writeChecksums(directory, "1.0.0");
    const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const text = await Deno.readTextFile(`${directory}/${CHECKSUMS}`);
    assertEquals(text, `${sum}  tracker-1.0.0-a\n${sum}  tracker-1.0.0-b\n`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("the compile task refuses in one line what it cannot build", async () => {
  const compile = async (...args: string[]) => {
    const script = new URL("../../.release/compile.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-R", "--allow-run", "--allow-env=DENORT_BIN", "--no-prompt", script, ...args],
    }).output();
    return [code, new TextDecoder().decode(stderr)] as const;
  };
  assertEquals(await compile("--al"), [2, "compile: unknown flag --al; did you mean --all?\n"]);
  assertEquals(await compile("--all", "--target", TARGETS[0]!.triple), [
    2,
    "compile: --all and --target exclude each other\n",
  ]);
  const [code, message] = await compile("--target", "aarch64-apple-darwi");
  assertEquals(code, 2);
  assertStringIncludes(message, "did you mean aarch64-apple-darwin?");
});
