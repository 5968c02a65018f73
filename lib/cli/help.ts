/**
 * The help: written from the tables of the commands.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { EXIT_CODES } from "./failure.ts";
import type { Flag } from "./flags/flags.ts";
import { type GeneralFlag, HELP_FLAG, longName, VERSION_FLAG } from "./flags/general_flags.ts";
import { unknownName, UsageError } from "./flags/usage.ts";

/** Columns of the help: wide enough for its sentences, narrow enough for half a screen. */
const WIDTH = 100;

/**
 * Checks the name of a command.
 *
 * @param names The names of all commands
 * @param name The name that was written
 * @throws {UsageError} when no command has that name
 */
export function requireCommand(names: readonly string[], name: string): void {
  if (names.includes(name)) return;
  if (!name.startsWith("-")) throw unknownName("command", name, names);
  const error = unknownName("flag", name, [HELP_FLAG, VERSION_FLAG].map(longName));
  if (error.suggestion !== undefined) throw error;
  throw new UsageError(`${error.message}; a command comes first, then its flags`);
}

/**
 * Writes the help of the program.
 *
 * @param commands Every command
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
    "Exit codes:",
    ...columns(Object.values(EXIT_CODES).map(({ code, meaning }) => [`${code}`, meaning.replaceAll("`", "")])),
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
  const { placeholder, description, aliases = [] } = flag;
  const also = aliases.length === 0 ? "" : ` (also ${aliases.map((alias) => `--${alias}`).join(", ")})`;
  const left = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
  return [left, description + defaultOf(flag) + also];
}

function defaultOf({ placeholder, environment, default: written }: Flag<unknown>): string {
  if (placeholder === undefined) return "";
  const defaults = [environment === undefined ? "" : `$${environment}`, written].filter(Boolean);
  return defaults.length === 0 ? "" : ` (default ${defaults.join(", or else ")})`;
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
