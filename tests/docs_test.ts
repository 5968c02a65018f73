/**
 * The documentation against the code: its tables must say what is, and the bytes it shows must do what it says.
 */

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { programName, TARGETS } from "../.release/targets.ts";
import { bashScript } from "../lib/cli/completions/bash.ts";
import { fishScript } from "../lib/cli/completions/fish.ts";
import { zshScript } from "../lib/cli/completions/zsh.ts";
import type { Flag } from "../lib/cli/flags/flags.ts";
import { helpOf } from "../lib/cli/help.ts";
import type { LogEvent } from "../lib/cli/log/log.ts";
import { COMMANDS } from "../lib/commands/mod.ts";
import * as tracker from "../mod.ts";
import { LEAVE_CAUSES } from "../mod.ts";
import { fail } from "./support/program.ts";
import { readExactly, readToEnd, textOf, writeFully } from "./support/bytes.ts";
import {
  bytesOfCell,
  codeOf,
  read,
  ROOT,
  sectionOf,
  tableOf,
  tablesOf,
  withoutCode,
  workedExample,
} from "./support/page.ts";

const PAGES = ["README.md", "PROTOCOL.md", "CONTRIBUTING.md", "CHANGELOG.md"];

Deno.test("README lists every command, each with its arguments", async () => {
  const rows = tableOf(await read("README.md"), "Commands");
  assertEquals(
    rows.map(([command = ""]) => codeOf(command)[0]),
    COMMANDS.map(({ name, positionals }) => positionals === undefined ? name : `${name} ${positionals.placeholder}`),
  );
});

Deno.test("README lists every flag of every command, each with its default", async () => {
  const page = await read("README.md");
  for (const { name, flags } of COMMANDS) {
    if (Object.keys(flags).length === 0) continue;
    const documented = tableOf(page, name).map(([flag = "", written = "", meaning = ""]) => {
      assert(meaning.length > 0, `${flag} of ${name} has no meaning`);
      return [codeOf(flag)[0], codeOf(written)[0] ?? written];
    });
    assertEquals(documented, Object.entries(flags).map(([flag, value]) => rowOf(flag, value)), name);
  }
});

function rowOf(name: string, { placeholder, default: written }: Flag<unknown>): string[] {
  return placeholder === undefined ? [`--${name}`, "off"] : [`--${name} ${placeholder}`, written || "none"];
}

Deno.test("README, help, completions and the program itself know the same flags of every command", async () => {
  const page = await read("README.md");
  const scripts = [bashScript, zshScript, fishScript].map((script) => script(COMMANDS));
  const everyFlag = new Map(COMMANDS.flatMap(({ flags }) => Object.entries<Flag<unknown>>(flags)));
  for (const command of COMMANDS) {
    const { name, flags } = command;
    const names = Object.keys(flags).map((flag) => `--${flag}`);
    const documented = names.length === 0 ? [] : tableOf(page, name).map(([flag = ""]) => flag);
    const helped = flagsIn(/^Flags:\n[^]*?\n\n/m.exec(helpOf(command))?.[0]);
    assertEquals(flagsIn(documented.join("\n")), names, `README of ${name}`);
    assertEquals(helped, [...Object.entries<Flag<unknown>>(flags).flatMap(spellings), "--help"], `help of ${name}`);
    for (const script of scripts) assertEquals(flagsIn(partFor(name, script)), [...names, "--help"], script);
    // The program knows a flag if it minds how it is used.
    const known = await Promise.all(Array.from(everyFlag, async ([flag, { placeholder }]) => {
      const misused = placeholder === undefined ? `--${flag}=misused` : `--${flag}`;
      return (await fail([name, misused], 2)).startsWith("tracker: unknown flag") ? [] : [`--${flag}`];
    }));
    assertEquals(known.flat().sort(), [...names].sort(), `program: ${name}`);
  }
});

/** A flag and its aliases, which only the help names. */
function spellings([name, { aliases = [] }]: [string, Flag<unknown>]): string[] {
  return [name, ...aliases].map((spelling) => `--${spelling}`);
}

/** The flags that a text names, each once, in their order. */
function flagsIn(text = ""): string[] {
  return [...new Set(Array.from(text.matchAll(/(?<![\w-])--[a-z-]+/g), ([flag]) => flag))];
}

/** What a completion script has for a command: fish has a line for each flag, the others a case for each command. */
function partFor(command: string, script: string): string {
  const lines = script.split("\n").filter((line) => line.includes(`'__tracker_takes ${command} --`));
  if (lines.length !== 0) return lines.map((line) => flagsIn(line)[0]).join("\n");
  return new RegExp(`^ +${command}\\)\n[^]*?;;$`, "m").exec(script)?.[0] ?? "";
}

Deno.test("README lists every environment variable that is read", async () => {
  const documented = tableOf(await read("README.md"), "Environment").map(([variable = ""]) => codeOf(variable)[0]);
  const variables = new Set(
    COMMANDS.flatMap(({ flags }) => Object.values(flags).flatMap((flag) => flag.environment ?? [])),
  );
  for await (const { name, isFile } of Deno.readDir(new URL("lib/commands/", ROOT))) {
    if (!isFile) continue;
    for (const [, variable = ""] of (await read(`lib/commands/${name}`)).matchAll(/readEnvironment\("(\w+)"\)/g)) {
      variables.add(variable);
    }
  }
  assertEquals(documented.toSorted(), [...variables, "NO_COLOR"].sort());
});

Deno.test("README lists every error code with its meaning, and no other", async () => {
  const tables = tablesOf(sectionOf(await read("README.md"), "Errors"));
  const documented = tables.map((rows) => rows.map(([code = "", meaning]) => [codeOf(code)[0], meaning]));
  assertEquals(documented, [Object.entries(tracker.WIRE_ERRORS), Object.entries(tracker.LOCAL_ERRORS)]);
});

Deno.test("PROTOCOL lists every error code of the wire, and no other", async () => {
  const documented = tableOf(await read("PROTOCOL.md"), "Errors").map(([code = ""]) => codeOf(code)[0]);
  assertEquals(documented, Object.keys(tracker.WIRE_ERRORS));
});

Deno.test("README lists every event of the log and every cause of a leave", async () => {
  // The compiler sees to it that these are complete.
  const events: Record<LogEvent["kind"] | "dropped", true> = {
    join: true,
    suspect: true,
    resume: true,
    leave: true,
    error: true,
    "tls-error": true,
    "accept-error": true,
    reload: true,
    "reload-error": true,
    dropped: true,
  };
  const tables = tablesOf(sectionOf(await read("README.md"), "The log"));
  const documented = tables.map((rows) => rows.map(([first = ""]) => codeOf(first)[0]));
  assertEquals(documented, [Object.keys(events), [...LEAVE_CAUSES]]);
});

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  connections: 1,
  characters: 1,
  lines: 1,
  leaves: 1,
};

/** `16 MiB` or `16,384 connections`, as a number of bytes, milliseconds or things. */
function quantity(text: string): number {
  const [, amount = "", unit = ""] = /^([\d,]+) (\w+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  assert(factor !== undefined, `"${text}" is not a number and a unit`);
  return Number(amount.replaceAll(",", "")) * factor;
}

/** The value of a constant that is not exported, out of its source. */
async function constantIn(path: string, name: string): Promise<number> {
  const [, base, exponent = "1"] =
    new RegExp(`^(?:export )?const ${name} = ([\\d_]+)(?: \\*\\* (\\d+))?;$`, "m").exec(await read(path)) ?? [];
  assert(base !== undefined, `${path} has no number ${name}`);
  return Number(base.replaceAll("_", "")) ** Number(exponent);
}

Deno.test("README gives every limit its value in the code", async () => {
  const exported: Record<string, unknown> = { ...tracker };
  const missing = new Set(Object.keys(exported).filter((name) => /MAX_|TIMEOUT/.test(name)));
  // The room to reserve for a length is not a limit on anything.
  missing.delete("MAP_LENGTH_SIZE");
  for (const [limit = "", value = "", constant = ""] of tableOf(await read("README.md"), "Limits")) {
    const [name = ""] = codeOf(constant);
    const [, path] = /\]\(\.\/(.+)\)$/.exec(constant) ?? [];
    assertEquals(quantity(value), path === undefined ? exported[name] : await constantIn(path, name), limit);
    missing.delete(name);
  }
  assertEquals([...missing], []);
});

Deno.test("README tells to run and to test with what the gate uses", async () => {
  const page = await read("README.md");
  const [line] = /npx -y deno@\S+ task test\b/.exec(await read(".ci/run")) ?? [];
  assert(line !== undefined, ".ci/run does not run the tests as the README says");
  assertStringIncludes(page, `\n${line}\n`);
  assertStringIncludes(page, `\n${line.replace("task test", "run -N main.ts serve")}\n`);
  const [version] = /deno@[\d.]+/.exec(line) ?? [];
  for (const path of PAGES) {
    for (const [named] of (await read(path)).matchAll(/deno@[\d.]*\d/g)) assertEquals(named, version, path);
  }
});

Deno.test("every version that is written down is the version", async () => {
  const { version } = JSON.parse(await read("deno.json"));
  assertEquals(/^## \[(.+)\] - \d{4}-\d\d-\d\d$/m.exec(await read("CHANGELOG.md"))?.[1], version);
  const page = await read("README.md");
  assertStringIncludes(page, `\ntracker ${version} listening on 127.0.0.1:6789\n`);
  assertStringIncludes(page, `\ntracker ${version} (deno `);
  const named = Array.from(page.matchAll(/(?:\btracker-|\/v)(\d+\.\d+\.[\w.+]+?)[-/]/g), ([, named]) => named);
  assertGreater(named.length, 10);
  assertEquals([...new Set(named)], [version]);
});

Deno.test("README lists the program of every target", async () => {
  const { version } = JSON.parse(await read("deno.json"));
  const documented = tableOf(await read("README.md"), "Install").map(([, program = ""]) => codeOf(program)[0]);
  assertEquals(documented, TARGETS.map((target) => programName(version, target)));
});

Deno.test("CONTRIBUTING lists every task", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const documented = tableOf(await read("CONTRIBUTING.md"), "Set up").map(([task = ""]) => codeOf(task)[0]);
  assertEquals(documented, Object.keys(tasks).map((name) => `deno task ${name}`));
});

Deno.test("CONTRIBUTING lists every file of the library", async () => {
  const documented = tableOf(await read("CONTRIBUTING.md"), "Where things are").map(([path = ""]) => path);
  for await (const { name, isFile } of Deno.readDir(new URL("lib/", ROOT))) {
    if (isFile) assert(documented.includes(`[lib/${name}](./lib/${name})`), name);
  }
});

/** What one client that sends this and then ends its stream gets, and the map just before its end. */
async function replay(sent: Uint8Array): Promise<{ reply: Uint8Array; map: string }> {
  let map = "{}";
  await using server = tracker.serve({
    port: 0,
    onEvent: (event) => {
      // A client that did not just end its stream was taken out by what it sent.
      if (event.kind === "leave" && event.cause !== "disconnect") map = "{}";
    },
  });
  server.registry.subscribe(({ kind }) => {
    if (kind !== "leave") map = textOf(server.registry.flatten());
  });
  using connection = await Deno.connect({ port: server.addr.port });
  await writeFully(connection, sent);
  await connection.closeWrite();
  return { reply: await readToEnd(connection), map };
}

Deno.test("the server answers the golden bytes as PROTOCOL says", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden bytes");
  assertGreater(rows.length, 25);
  for (const [what = "", sent = "", expected = "", then = ""] of rows) {
    const { reply, map } = await replay(bytesOfCell(sent));
    assertEquals(reply, bytesOfCell(expected), what);
    // A map that is no text has no cell: such rows end with a Get.
    if (then === "") assert(sent.endsWith("`42 3`"), `${what} shows no map`);
    else assertEquals(map, codeOf(then)[0], what);
  }
});

Deno.test("the golden bytes have a row for every dialect, type and error that one client can bring about", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden bytes");
  const sent = rows.map(([, sent = ""]) => sent);
  for (const header of ["42 0", "42 1", "42 2", "42 3", "66 1 0", "66 1 1", "66 1 2", "66 1 3"]) {
    assert(sent.some((cell) => codeOf(cell).some((code) => code.startsWith(header))), header);
  }
  const replies = rows.map(([, , reply]) => reply).join("\n");
  for (const code of ["BAD_MAGIC", "BAD_VERSION", "BAD_TYPE", "BAD_HELLO", "STATE_TOO_LARGE"]) {
    assertStringIncludes(replies, `"${code}: `);
  }
});

Deno.test("the server holds the worked examples as PROTOCOL says", async () => {
  for (const dialect of tracker.DIALECTS) {
    const { sent, reply } = await workedExample(dialect);
    assertEquals((await replay(sent)).reply, reply, dialect);
  }
});

Deno.test("the server holds the worked example of the extensions as PROTOCOL says, step by step", async () => {
  const registry = new tracker.Registry({ incarnation: "5d3a0c6b9e2f4817", now: () => 1_700_000_000_000 });
  await using server = tracker.serve({ port: 0, registry });
  using connection = await Deno.connect({ port: server.addr.port });
  const rows = tableOf(await read("PROTOCOL.md"), "extended");
  assertGreater(rows.length, 20);
  for (const [direction, cell = "", meaning] of rows) {
    const bytes = bytesOfCell(cell);
    if (direction === "→") await writeFully(connection, bytes);
    else assertEquals(await readExactly(connection, bytes.length), bytes, meaning);
  }
  assertEquals(await readToEnd(connection), new Uint8Array(0));
});

Deno.test("every link inside the project leads somewhere", async () => {
  for (const path of PAGES) {
    const links = Array.from(withoutCode(await read(path)).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
    for (const link of links.filter((link) => !/^https?:/.test(link))) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : file;
      await Deno.stat(new URL(target, ROOT)).catch(() =>
        assert(false, `${path} links to ${link}: there is no such file`)
      );
      if (anchor !== undefined) assert(anchorsOf(await read(target)).has(anchor), `${path} links to ${link}`);
    }
  }
});

/** The names by which a page's headings are linked to. */
function anchorsOf(page: string): Set<string> {
  const headings = Array.from(withoutCode(page).matchAll(/^#+ (.+)$/gm), ([, heading = ""]) => heading);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")));
}
