/**
 * Completion for fish.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { HELP_FLAG, longName, VERSION_FLAG } from "../flags/general_flags.ts";
import { flagsOf, type TypedFlag } from "./grammar.ts";

/**
 * Generates the script.
 *
 * @param commands The commands to complete
 * @returns Text of several lines
 */
export function fishScript(commands: readonly Command[]): string {
  return `# Completes the command line of tracker in fish. Printed by: tracker completions fish

# Succeeds if no command was typed yet.
function __tracker_needs_command
    test (count (commandline -opc)) -eq 1
end

# Succeeds if a flag can follow: its command was typed, and the flag was not, unless its value comes next.
function __tracker_takes -a command flag value
    set -l words (commandline -opc)
    test "$words[2]" = $command; or return
    test -n "$value" -a "$words[-1]" = $flag; and return
    not string match -q -- $flag $words; and not string match -q -- "$flag=*" $words
end

# Succeeds if a command takes one more argument, up to a number of them.
function __tracker_wants -a command most
    set -l words (commandline -opc)
    test "$words[2]" = $command; or return
    test (count (string match -v -- '-*' $words)) -lt (math 2 + $most)
end

complete -c tracker -f
${
    [
      ...commands.map(commandLine),
      ...[HELP_FLAG, VERSION_FLAG].map((flag) => flagLine("__tracker_needs_command", flag)),
      ...commands.flatMap(linesOf),
    ].join("\n")
  }
`;
}

function commandLine({ name, summary }: Command): string {
  return `complete -c tracker -n __tracker_needs_command -a ${name} -d ${quote(summary)}`;
}

function linesOf(command: Command): string[] {
  const flags = flagsOf(command).map((flag) => flagLine(quote(takes(command, flag)), flag));
  const { choices, most = 0 } = command.positionals ?? {};
  if (choices === undefined) return flags;
  return [
    ...flags,
    `complete -c tracker -n '__tracker_wants ${command.name} ${most}' -a ${quote(choices.join(" "))}`,
  ];
}

function takes(command: Command, flag: TypedFlag): string {
  const value = flag.placeholder === undefined ? "" : " value";
  return `__tracker_takes ${command.name} ${longName(flag)}${value}`;
}

function flagLine(condition: string, { names, description, placeholder, choices }: TypedFlag): string {
  const spelled = names.map((name) => name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`);
  const value = placeholder === undefined ? "" : choices === undefined ? " -x" : ` -x -a ${quote(choices.join(" "))}`;
  return `complete -c tracker -n ${condition} ${spelled.join(" ")}${value} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
