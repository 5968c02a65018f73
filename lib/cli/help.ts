/**
 * The help: made from what the commands say of themselves.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { type Flag, parseFlags } from "./flags/flags.ts";
import { type GeneralFlag, HELP_FLAG, VERSION_FLAG } from "./flags/general_flags.ts";
import { write } from "./terminal/output.ts";
import { unknownName, UsageError } from "./flags/usage.ts";

/** Columns of the help: wide enough for its sentences, narrow enough for half a screen. */
const WIDTH = 100;

/**
 * Makes the command that prints the help of all commands.
 *
 * @param commands Every command, this one included
 * @returns The command
 */
export function createHelpCommand(commands: () => readonly Command[]): Command {
  const positionals = {
    placeholder: "[COMMAND]",
    most: 1,
    get choices() {
      return commands().map(({ name }) => name);
    },
  };
  return {
    name: "help",
    summary: "Print this help, or that of a command.",
    details: [],
    positionals,
    flags: {},
    examples: [{ line: "tracker help serve", meaning: "explains every flag of serve" }],
    run: async (args) => {
      const [name] = parseFlags(args, {}, positionals).positionals;
      await write(name === undefined ? overview(commands()) : helpOf(findCommand(commands(), name)));
      return 0;
    },
  };
}

/**
 * Finds a command by its name.
 *
 * @param commands The commands there are
 * @param name The name
 * @returns The command
 * @throws {UsageError} when there is none of that name
 */
export function findCommand(commands: readonly Command[], name: string): Command {
  const command = commands.find((command) => command.name === name);
  if (command !== undefined) return command;
  if (name.startsWith("-")) {
    const names = [HELP_FLAG, VERSION_FLAG].flatMap(({ names }) => names.filter((name) => name.startsWith("--")));
    const message = unknownName("flag", name, names);
    throw new UsageError(message.endsWith("?") ? message : `${message}; a command comes first, then its flags`);
  }
  throw new UsageError(unknownName("command", name, commands.map((command) => command.name)));
}

/**
 * Writes the help of all commands.
 *
 * @param commands The commands
 * @returns Text of several lines
 */
export function overview(commands: readonly Command[]): string {
  return [
    "Tracker: one small server that always knows the current state of every connected client.",
    "",
    "Usage: tracker COMMAND [FLAGS]",
    "",
    "Commands:",
    ...columns(commands.map((command) => [synopsis(command), command.summary])),
    "",
    "Flags:",
    ...columns([HELP_FLAG, VERSION_FLAG].map(generalRow)),
    "",
    "Run 'tracker help COMMAND' for a command's flags and examples.",
    "",
  ].join("\n");
}

/**
 * Writes the help of one command.
 *
 * @param command The command
 * @returns Text of several lines
 */
export function helpOf(command: Command): string {
  const rows = Object.entries(command.flags).map(([name, flag]) => flagRow(name, flag));
  const usage = `Usage: tracker ${synopsis(command)}${rows.length === 0 ? "" : " [FLAGS]"}`;
  const examples = command.examples.flatMap(({ line, meaning }) => [`  ${line}`, ...wrap(meaning, "      ")]);
  return [
    ...wrap(command.summary, ""),
    ...command.details.flatMap((paragraph) => ["", ...wrap(paragraph, "")]),
    "",
    usage,
    "",
    "Flags:",
    ...columns([...rows, generalRow(HELP_FLAG)]),
    "",
    "Examples:",
    ...examples,
    "",
  ].join("\n");
}

type Row = readonly [left: string, right: string];

function synopsis({ name, positionals }: Command): string {
  return positionals === undefined ? name : `${name} ${positionals.placeholder}`;
}

function flagRow(name: string, flag: Flag<unknown>): Row {
  if (flag.placeholder === undefined) return [`--${name}`, flag.description];
  const defaults = [flag.environment === undefined ? "" : `$${flag.environment}`, flag.default].filter(Boolean);
  const suffix = defaults.length === 0 ? "" : ` (default ${defaults.join(", or else ")})`;
  return [`--${name} ${flag.placeholder}`, flag.description + suffix];
}

function generalRow({ names, description }: GeneralFlag): Row {
  return [names.join(", "), description];
}

function columns(rows: readonly Row[]): string[] {
  const edge = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrap(right, " ".repeat(edge));
    return [`  ${left}`.padEnd(edge) + first.trimStart(), ...more];
  });
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
