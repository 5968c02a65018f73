/** The page of the commands against the commands: flags, defaults, environment, completions. */

import { assert, assertEquals } from "@std/assert";
import { bashScript } from "../../lib/cli/completions/bash.ts";
import { fishScript } from "../../lib/cli/completions/fish.ts";
import { zshScript } from "../../lib/cli/completions/zsh.ts";
import type { Flag } from "../../lib/cli/flags/flags.ts";
import { EXIT_CODES } from "../../lib/cli/failure.ts";
import { helpOf, overview } from "../../lib/cli/help.ts";
import { loadCommands } from "../../lib/commands/mod.ts";
import { codeOf, filesUnder, read, tableOf } from "../support/page.ts";
import { fail } from "../support/program.ts";

const COMMANDS = await loadCommands();

const PAGE = "lib/commands/README.md";

Deno.test("the page lists every command with its arguments", async () => {
  const rows = tableOf(await read(PAGE), "Commands");
  assertEquals(
    rows.map(([command = ""]) => codeOf(command)[0]),
    COMMANDS.map(({ name, positionals }) => positionals === undefined ? name : `${name} ${positionals.placeholder}`),
  );
});

Deno.test("the page lists every flag of every command with its default", async () => {
  const page = await read(PAGE);
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

Deno.test("page, help, completions and program know the same flags of every command", async () => {
  const page = await read(PAGE);
  const scripts = [bashScript, zshScript, fishScript].map((script) => script(COMMANDS));
  const everyFlag = new Map(COMMANDS.flatMap(({ flags }) => Object.entries<Flag<unknown>>(flags)));
  for (const command of COMMANDS) {
    const { name, flags } = command;
    const names = Object.keys(flags).map((flag) => `--${flag}`);
    const documented = names.length === 0 ? [] : tableOf(page, name).map(([flag = ""]) => flag);
    const spellings = Object.entries<Flag<unknown>>(flags).flatMap(([flag, { aliases = [] }]) => {
      return [flag, ...aliases].map((spelling) => `--${spelling}`);
    });
    const helped = flagsIn(/^Flags:\n[^]*?\n\n/m.exec(helpOf(command))?.[0]);
    assertEquals(flagsIn(documented.join("\n")), names, `page: ${name}`);
    assertEquals(helped, [...spellings, "--help"], `help: ${name}`);
    for (const script of scripts) assertEquals(flagsIn(partFor(name, script)), [...names, "--help"], script);
    // The program knows a flag if it complains about how it is used, and not about the flag.
    const known = await Promise.all(Array.from(everyFlag, async ([flag, another]) => {
      const { placeholder } = (flags as Record<string, Flag<unknown>>)[flag] ?? another;
      const misused = placeholder === undefined ? `--${flag}=misused` : `--${flag}`;
      return (await fail([name, misused], 2)).startsWith("tracker: unknown flag") ? [] : [`--${flag}`];
    }));
    assertEquals(known.flat().sort(), [...names].sort(), `program: ${name}`);
  }
});

/** The flags that a text names, each once, in order. */
function flagsIn(text = ""): string[] {
  return [...new Set(Array.from(text.matchAll(/(?<![\w-])--[a-z-]+/g), ([flag]) => flag))];
}

/** The part of a completion script for a command: fish has a line for each flag, the others a case for each command. */
function partFor(command: string, script: string): string {
  const lines = script.split("\n").filter((line) => line.includes(`'__tracker_takes ${command} --`));
  if (lines.length !== 0) return lines.map((line) => flagsIn(line)[0]).join("\n");
  return new RegExp(`^ +${command}\\)\n[^]*?;;$`, "m").exec(script)?.[0] ?? "";
}

Deno.test("the page lists every environment variable that is read", async () => {
  const documented = tableOf(await read(PAGE), "Environment").map(([variable = ""]) => codeOf(variable)[0]);
  const variables = new Set(
    COMMANDS.flatMap(({ flags }) => Object.values(flags).flatMap((flag) => flag.environment ?? [])),
  );
  for (const path of [...await filesUnder("lib/cli", ".ts"), ...await filesUnder("lib/commands", ".ts")]) {
    for (const [, variable = ""] of (await read(path)).matchAll(/readEnvironment\("(\w+)"\)/g)) variables.add(variable);
  }
  assertEquals(documented.toSorted(), [...variables, "NO_COLOR"].sort());
});

Deno.test("the page and the help list every exit code with its meaning", async () => {
  const rows = tableOf(await read(PAGE), "Exit codes");
  const help = overview(COMMANDS).replaceAll(/\s+/g, " ");
  for (const [at, { code, meaning }] of Object.values(EXIT_CODES).entries()) {
    assertEquals(rows[at]?.[0], `${code}`);
    assert(rows[at]?.[1]?.startsWith(meaning), meaning);
    assert(help.includes(` ${code} ${meaning.replaceAll("`", "")}`), meaning);
  }
});
