/**
 * Completion for fish.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { HELP_FLAG, longName, VERSION_FLAG } from "../flags/general_flags.ts";
import { flagsOf, LIST_COMMAND, SERVER_FLAGS, type TypedFlag } from "./grammar.ts";

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

${ASK_NAMES}
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

/** Prints the identifiers of the clients that the server knows now. */
const ASK_NAMES = `\
# Prints the identifiers of the clients that the server knows now.
function __tracker_names
    set -l asked
    set -l flag
    for word in (commandline -opc)
        if test -n "$flag"
            set -a asked "$flag=$word"
            set flag
        else if contains -- $word ${SERVER_FLAGS.valued.join(" ")}
            set flag $word
        else if string match -qr -- '^(${SERVER_FLAGS.valued.join("|")})=|^${SERVER_FLAGS.bare.join("$|^")}$' $word
            set -a asked $word
        end
    end
    type -q tracker; or return
    command tracker ${LIST_COMMAND} $asked 2>/dev/null | tail -n +2
end
`;

function commandLine({ name, summary }: Command): string {
  return `complete -c tracker -n __tracker_needs_command -a ${name} -d ${quote(summary)}`;
}

function linesOf(command: Command): string[] {
  const flags = flagsOf(command).map((flag) => flagLine(quote(takes(command, flag)), flag));
  const { choices, most = 0, live } = command.positionals ?? {};
  const wants = `complete -c tracker -n '__tracker_wants ${command.name} ${Math.min(most, 999)}'`;
  if (live) return [...flags, `${wants} -a '(__tracker_names)'`];
  if (choices === undefined) return flags;
  return [
    ...flags,
    `${wants} -a ${quote(choices.join(" "))}`,
  ];
}

function takes(command: Command, flag: TypedFlag): string {
  const value = flag.placeholder === undefined ? "" : " value";
  return `__tracker_takes ${command.name} ${longName(flag)}${value}`;
}

function flagLine(condition: string, { names, description, placeholder, choices, isFile }: TypedFlag): string {
  const spelled = names.map((name) => name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`);
  const offers = isFile ? " -r -F" : choices === undefined ? " -x" : ` -x -a ${quote(choices.join(" "))}`;
  const value = placeholder === undefined ? "" : offers;
  return `complete -c tracker -n ${condition} ${spelled.join(" ")}${value} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
