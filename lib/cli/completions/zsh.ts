/**
 * Completion for zsh, using its own completion system.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { HELP_FLAG, VERSION_FLAG } from "../flags/general_flags.ts";
import { flagsOf, LIST_COMMAND, SERVER_FLAGS, type TypedFlag } from "./grammar.ts";

/**
 * Generates the script. It can be sourced, or installed as `_tracker` where zsh looks for completions.
 *
 * @param commands The commands to complete
 * @returns Text of several lines
 */
export function zshScript(commands: readonly Command[]): string {
  return `#compdef tracker
# Completes the command line of tracker in zsh. Printed by: tracker completions zsh

${ASK_NAMES}
_tracker() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  _arguments -C -S \\
${listed([HELP_FLAG, VERSION_FLAG].map(flagSpec))} \\
    '1:command:->command' \\
    '*::argument:->arguments' && return

  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${summary}`)}`).join("\n")}
      )
      _describe -t commands command commands
      ;;
    arguments)
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac
      ;;
  esac
}

# The first time that zsh needs a completion of its own, it runs the file as the function.
if [[ $funcstack[1] == _tracker ]]; then
  _tracker "$@"
else
  compdef _tracker tracker
fi
`;
}

/** Offers the identifiers of the clients that the server knows now. */
const ASK_NAMES = `\
_tracker_names() {
  local -a asked names
  local at
  for ((at = 1; at < $#words; at++)); do
    case $words[at] in
      (${SERVER_FLAGS.valued.join("|")}) asked+=("$words[at]=$words[at+1]") ;;
      (${SERVER_FLAGS.valued.map((flag) => `${flag}=*`).concat(SERVER_FLAGS.bare).join("|")}) asked+=("$words[at]") ;;
    esac
  done
  names=(\${(f)"$(_call_program names tracker ${LIST_COMMAND} $asked 2>/dev/null)"})
  shift names
  _wanted names expl client compadd -a names
}
`;

function commandCase(command: Command): string {
  const specs = [...flagsOf(command).map(flagSpec), ...argumentSpec(command)];
  return `        ${command.name})\n          _arguments -S \\\n${listed(specs, "            ")}\n          ;;`;
}

function listed(specs: readonly string[], indent = "    "): string {
  return specs.map((spec) => indent + spec).join(" \\\n");
}

/** Offers only one spelling of a flag that has several, and nothing else together with the help or the version. */
function flagSpec({ names, description, placeholder, choices, isFile }: TypedFlag): string {
  const text = `[${description.replace(/[\\[\]:]/g, "\\$&")}]`;
  if (placeholder !== undefined) {
    return quote(`${names[0]}=${text}:${escapeColons(placeholder)}:${isFile ? "_files" : action(choices)}`);
  }
  return names.length === 1 ? quote(`${names[0]}${text}`) : `'(- *)'{${names.join(",")}}${quote(text)}`;
}

function argumentSpec({ positionals }: Command): string[] {
  if (positionals === undefined) return [];
  const word = positionals.placeholder.replace(/[^A-Z]/g, "");
  const offer = positionals.live ? "_tracker_names" : action(positionals.choices);
  return [quote(`${positionals.most === 1 ? "1" : "*"}:${word}:${offer}`)];
}

/** A blank is an action too: it offers nothing, but shows what is expected. */
function action(choices: readonly string[] | undefined): string {
  return choices === undefined ? " " : `(${choices.join(" ")})`;
}

function escapeColons(text: string): string {
  return text.replaceAll(":", "\\:");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
