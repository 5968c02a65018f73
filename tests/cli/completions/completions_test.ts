/** The scripts of `tracker completions`, run in real shells. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Command } from "../../../lib/cli/command.ts";
import type { Flag } from "../../../lib/cli/flags/flags.ts";
import { loadCommands } from "../../../lib/commands/mod.ts";
import { isInstalled } from "../../support/program.ts";
import { type CompletingShell, Fish, InteractiveShell, scriptFor } from "./shells.ts";

const COMMANDS = await loadCommands();

const SHELLS: Readonly<Record<string, () => Promise<CompletingShell>>> = {
  bash: () => InteractiveShell.start("bash"),
  zsh: () => InteractiveShell.start("zsh"),
  fish: () => Fish.start(),
};

/** Finds what a test of a shell lacks: `script` of util-linux gives a shell a terminal, others have another syntax. */
async function missingFor(shell: string): Promise<string | null> {
  if (!await isInstalled(shell)) return `${shell} is not installed`;
  if (shell === "fish") return null;
  return Deno.build.os === "linux" && await isInstalled("script") ? null : "there is no script(1) of util-linux";
}

const MISSING = new Map<string, string | null>();
for (const shell of Object.keys(SHELLS)) MISSING.set(shell, await missingFor(shell));

/** Declares a test of one shell. If it is skipped, its name says why. */
function testShell(shell: string, behaviour: string, fn: () => Promise<void>): void {
  const missing = MISSING.get(shell) ?? null;
  const name = `${shell} ${behaviour}`;
  Deno.test(missing === null ? { name, fn } : { name: `${name} (SKIPPED: ${missing})`, ignore: true, fn });
}

function flagNames({ flags }: Command): string[] {
  return [...Object.keys(flags).map((name) => `--${name}`), "--help"].sort();
}

/** Lists every flag of every command that has choices. */
function* flagsWithChoices(): Generator<[command: string, flag: string, choices: readonly string[]]> {
  for (const { name, flags } of COMMANDS) {
    for (const [flag, { choices }] of Object.entries<Flag<unknown>>(flags)) if (choices) yield [name, flag, choices];
  }
}

for (const [name, start] of Object.entries(SHELLS)) {
  testShell(name, "completes every command, and the flags that work in place of one", async () => {
    await using shell = await start();
    assertEquals(await shell.offered("tracker "), COMMANDS.map(({ name }) => name).sort());
    assertEquals(await shell.offered("tracker --"), ["--help", "--version"]);
  });

  testShell(name, "completes every flag of every command", async () => {
    await using shell = await start();
    for (const command of COMMANDS) {
      assertEquals(await shell.offered(`tracker ${command.name} --`), flagNames(command), command.name);
    }
  });

  testShell(name, "completes the names of files for flags that take one", async () => {
    await using shell = await start();
    const directory = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${directory}/tokens-1`, "");
      for (const flag of ["serve --token-file", "serve --tls-cert", "get --ca"]) {
        const offered = await shell.offered(`tracker ${flag} ${directory}/tok`);
        assertEquals(offered.map((offer) => offer.split("/").at(-1)), ["tokens-1"], flag);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });

  testShell(name, "offers the clients that the server knows for unset, get, list and kick", async () => {
    await using shell = await start();
    for (const command of ["unset", "get", "list", "kick"]) {
      assertEquals(await shell.offered(`tracker ${command} --server=a:1 pi-`), ["pi-7", "pi-8"], command);
    }
    assertEquals(await shell.offered("tracker set pi-"), []);
  });

  testShell(name, "completes the values of flags, after a space and after =", async () => {
    await using shell = await start();
    for (const [command, flag, choices] of flagsWithChoices()) {
      const [first = ""] = choices;
      assertEquals(await shell.offered(`tracker ${command} --${flag} `), [...choices].sort());
      assertEquals(await shell.offered(`tracker ${command} --${flag}=`), [...choices].sort());
      assertEquals(await shell.offered(`tracker ${command} --${flag}=${first.slice(0, 2)}`), [first]);
    }
  });

  testShell(name, "completes arguments, up to the most that are accepted", async () => {
    await using shell = await start();
    for (const { name, positionals } of COMMANDS.filter(({ positionals }) => positionals?.choices)) {
      const choices = [...positionals!.choices!].sort();
      assertEquals(await shell.offered(`tracker ${name} `), choices);
      assertEquals(
        (await shell.offered(`tracker ${name} ${choices[0]} `)).filter((word) => choices.includes(word)),
        [],
      );
    }
  });

  testShell(name, "offers nothing that would be refused", async () => {
    await using shell = await start();
    const flags = (line: string) => shell.offered(`tracker ${line} --`);
    assertEquals(await flags("send --dialect wide --hex"), ["--ca", "--help", "--server", "--timeout", "--tls"]);
    assertEquals(await flags("send --dialect=wide --server a:1"), ["--ca", "--help", "--hex", "--timeout", "--tls"]);
    assertEquals(await flags("help serve"), ["--help"]);
    assertEquals(await flags("set serve --for 1m"), [
      "--ca",
      "--help",
      "--json",
      "--server",
      "--takeover",
      "--timeout",
      "--tls",
      "--token-file",
    ]);
    assertEquals(await flags("open --"), []);
    assertEquals(await shell.offered("tracker serve --port "), []);
    assertEquals(await shell.offered("tracker get --server=127.0.0.1:"), []);
    assertEquals(await shell.offered("tracker x:ser"), []);
  });
}

for (const name of ["bash", "zsh"] as const) {
  testShell(name, "inserts a unique completion into the typed line", async () => {
    await using shell = await InteractiveShell.start(name);
    const cases: [typed: string, args: string][] = [
      ["tracker ser\t--log j\t", "<serve><--log><json>"],
      ["tracker serve --log=j\t", "<serve><--log=json>"],
      ["tracker get --server 127.0.0.1:1 --dialect=ja\t", "<get><--server><127.0.0.1:1><--dialect=java>"],
      ["tracker get --server='[::1]:2' --dialect ja\t", "<get><--server=[::1]:2><--dialect><java>"],
      ['tracker open "a --dialect b" --dialect c\t', "<open><a --dialect b><--dialect><compact>"],
      ["true; X=1 tracker  compl\tz\t", "<completions><zsh>"],
    ];
    for (const [typed, args] of cases) assertEquals(await shell.argumentsOf(typed), args, typed);
  });
}

testShell("bash", "completes values if it does not split words at =", async () => {
  await using shell = await InteractiveShell.start("bash", ["COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}"]);
  assertEquals(await shell.argumentsOf("tracker serve --log=j\t"), "<serve><--log=json>");
});

testShell("fish", "describes every command and flag", async () => {
  await using fish = await Fish.start();
  const commands = new Map(await fish.described("tracker "));
  for (const command of COMMANDS) {
    assertEquals(commands.get(command.name), command.summary);
    const flags = new Map(await fish.described(`tracker ${command.name} --`));
    for (const [name, { description }] of Object.entries(command.flags)) {
      assertEquals(flags.get(`--${name}`), description);
    }
  }
});

Deno.test("the script for zsh describes every command and flag", async () => {
  const script = (await scriptFor("zsh")).replaceAll("'\\''", "'").replaceAll("\\", "");
  for (const { name, summary, flags } of COMMANDS) {
    assertStringIncludes(script, `'${name}:${summary}'`);
    for (const { description } of Object.values(flags)) assertStringIncludes(script, `[${description}]`);
  }
});

for (const [shell, args] of Object.entries({ bash: ["-n"], zsh: ["-n"], fish: ["--no-execute"] })) {
  const installed = await isInstalled(shell);
  Deno.test({
    name: `${shell} finds no mistake in its script${installed ? "" : ` (SKIPPED: ${shell} is not installed)`}`,
    ignore: !installed,
    fn: async () => {
      const path = await Deno.makeTempFile();
      await Deno.writeTextFile(path, await scriptFor(shell));
      const { success, stderr } = await new Deno.Command(shell, { args: [...args, path] }).output();
      await Deno.remove(path);
      assert(success, new TextDecoder().decode(stderr));
    },
  });
}
