/**
 * The command line: the flags and arguments of every command, up to the point where the command would start.
 *
 * @module
 */

import type { Command } from "../../../lib/cli/command.ts";
import { readEnvironment } from "../../../lib/cli/environment.ts";
import { escapeControls } from "../../../lib/cli/text/escape.ts";
import { type Flag, parseFlags } from "../../../lib/cli/flags/flags.ts";
import { requireCommand } from "../../../lib/cli/help.ts";
import { loadCommands } from "../../../lib/commands/mod.ts";
import { parseStep } from "../../../lib/cli/inspect/steps.ts";
import { UsageError } from "../../../lib/cli/flags/usage.ts";
import type { Random } from "../../support/random.ts";
import { readCommandLine } from "../reference/command_line.ts";
import { mutateSequence, mutateText, shorterSequences, simplerTexts } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";

const COMMANDS = await loadCommands();

const VALUES = [
  ...[
    "",
    "0",
    "1",
    "-1",
    "007",
    "0x10",
    "1e3",
    "65535",
    "65536",
    "99999999999999999999",
    "true",
    "false",
    "auto",
    "wide",
  ],
  ...[
    "10s",
    "500ms",
    "1.5m",
    "1.0001s",
    "0.5ms",
    "24d",
    "597h",
    "2147483648ms",
    "text",
    "json",
    "off",
    "bash",
    "serve",
  ],
  ...["127.0.0.1:6789", "[::1]:1", "[::1", "a:0", "localhost", "::", "[fe80::1%eth0]", "a b", "é", "\n", "\x1b[31m"],
];

const STEPS = [
  "open=abc",
  "open",
  "update=",
  "get",
  "get=1",
  "close",
  "raw=2a 03",
  "raw=2",
  "wait=0",
  "wait=x",
  "=",
  "oepn=1",
];

const ODD = [
  ...["-", "--", "---", "--=", "-x", "-abc", "-5", "--no-json", "--no-port", "--__proto__", "--__proto__=1", "--a.b=1"],
  ...[
    "--constructor",
    "--port.x=1",
    "--toString",
    "--_",
    "--_=1",
    "-h",
    "--help",
    "-V",
    "--version",
    "--prot",
    "-port=1",
  ],
];

const LONG = 5_000;

const WORDS = ["-", "--", "=", ".", "\n", "\0", "\ud800", "__proto__", ...VALUES];

/** The target for the arguments after `tracker`. */
export const commandLineTarget: Target<readonly string[]> = {
  name: "commandline",
  covers: [
    "/lib/cli/flags/flags.ts",
    "/lib/cli/flags/values.ts",
    "/lib/cli/inspect/steps.ts",
    "/lib/cli/flags/usage.ts",
  ],
  generate(random) {
    const command = random.pick(COMMANDS);
    const args = Array.from({ length: random.integer(0, 4) }, () => argsOf(command, random)).flat();
    const name = random.next() < 0.05 ? mutateText(command.name, random, WORDS) : command.name;
    return random.next() < 0.2 ? mutateArgs([name, ...args], random) : [name, ...args];
  },
  mutate: mutateArgs,
  check: checkCommandLine,
  *simpler(args) {
    yield* shorterSequences(args);
    for (const [at, arg] of args.entries()) {
      for (const simpler of simplerTexts(arg)) yield args.with(at, simpler);
    }
  },
  write: (args) => args.map((arg) => JSON.stringify(arg)).join("\n"),
  read: (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line)),
};

function mutateArgs(args: readonly string[], random: Random): string[] {
  return mutateSequence(args, random, (before) => {
    if (random.next() < 0.01) return random.pick(["-", "--", ""]) + "x".repeat(LONG);
    return before === undefined ? random.pick([...VALUES, ...ODD, ...STEPS]) : mutateText(before, random, WORDS);
  });
}

function argsOf({ flags }: Command, random: Random): string[] {
  if (random.next() < 0.1) return [random.pick(ODD)];
  const names = Object.keys(flags);
  if (names.length === 0 || random.next() < 0.3) return [random.pick(random.next() < 0.5 ? STEPS : VALUES)];
  const name = random.pick(names);
  const { placeholder, choices = VALUES, default: preset } = flags[name]!;
  if (placeholder === undefined) return [`--${name}`];
  const value = random.pick([preset, random.pick(choices), random.pick(VALUES)]);
  return random.next() < 0.5 ? [`--${name}`, value] : [`--${name}=${value}`];
}

function checkCommandLine([name = "", ...args]: readonly string[], note: Note): void {
  const names = COMMANDS.map((command) => command.name);
  const isAccepted = orUsage(() => requireCommand(names, name) ?? true, note) !== null;
  const command = COMMANDS.find((command) => command.name === name);
  demand(isAccepted === (command !== undefined), "a command is found if and only if it exists");
  if (command === undefined) return;
  const { flags: table, positionals } = command;
  const written = readCommandLine(args, table, positionals?.most ?? 0);
  const wanted = written === null ? null : orUsage(() => valuesOf(command, written.flags), () => {});
  const parsed = orUsage(() => parseFlags(args, table, positionals), (seen) => note(`${name} ${seen}`));
  demand((parsed !== null) === (wanted !== null), "a command line is accepted if and only if it is valid", () => {
    return JSON.stringify(parsed ?? wanted);
  });
  if (parsed === null || written === null) return;
  const [found, expected] = [[parsed.flags, parsed.positionals], [wanted, written.positionals]].map((read) =>
    JSON.stringify(read)
  );
  demand(found === expected, "every value is as it was written", () => `${found}, and ${expected}`);
  note(`${name} ${[...written.flags.keys()].sort()} ${Math.min(2, parsed.positionals.length)}`);
  if (name === "send") { for (const step of parsed.positionals) checkStep(step, note); }
}

/** The value of every flag, by its own parser; a flag that is not written may be set in the environment. */
function valuesOf({ flags }: Command, written: ReadonlyMap<string, string>): Record<string, unknown> {
  const textOf = (name: string, { environment, default: preset }: Flag<unknown>) =>
    written.get(name) ?? (environment === undefined ? undefined : readEnvironment(environment)) ?? preset;
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.parse(textOf(name, flag))]));
}

function checkStep(text: string, note: Note): void {
  const step = orUsage(() => parseStep(text), (seen) => note(`step ${seen}`));
  if (step === null) return;
  demand(text.startsWith(step.written.replace(/…$/, "")), "a step is repeated as it was written");
  note(`step ${step.kind}`);
}

/** Runs a function, and returns `null` when it refuses as it may. */
function orUsage<T>(run: () => T, note: Note): T | null {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    demand(error.message !== "", "a message is not empty");
    const shown = escapeControls(error.message);
    demand(!shown.includes("\n") && !shown.includes("\x1b"), "a message is one line, and harmless on a terminal");
    note(shapeOf(error.message));
    return null;
  }
}

/** A message without the input that it repeats: a flag and what is wrong with it, or what kind of thing is unknown. */
function shapeOf(message: string): string {
  const words = message.split(" ");
  const isUnknown = /^un(known|expected)$/.test(words[0]!);
  return `${words.slice(0, isUnknown ? 2 : 3).join(" ")}${message.endsWith("?") ? "?" : ""}`;
}
