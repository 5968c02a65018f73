/**
 * Completion for bash 3.2, which macOS has, and later. It needs nothing but bash itself.
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
export function bashScript(commands: readonly Command[]): string {
  return `# Completes the command line of tracker in bash. Printed by: tracker completions bash

_tracker() {
${READ_WORDS}
  local command=\${words[1]} current=\${words[count - 1]} flags= valued= arguments= most=0 live=
  case $command in
${commands.map(commandCase).join("\n")}
  esac

${READ_GIVEN}
${FIND_PREFIX}
  if ((count <= 2)); then
    candidates='${commands.map(({ name }) => name).join(" ")}'
    [[ $current == -* ]] && candidates='${[HELP_FLAG, VERSION_FLAG].map(longName).join(" ")}'
  elif [[ $flag ]]; then
    case "$command $flag" in
${commands.flatMap(valueCases).join("\n")}
    esac
${OFFER}}

complete -F _tracker tracker
`;
}

/** Puts the typed words into `words`, the last one up to the cursor. */
const READ_WORDS = `\
  local IFS=$' \\t\\n' words=() count=0 line=\${COMP_LINE:0:COMP_POINT} at word
  # The words as they were typed: bash has cut them at : and = too.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ $at == 0 || $line == [[:space:]]* ]]; then
      line=\${line#"\${line%%[![:space:]]*}"}
      words[count++]=
    fi
    [[ $at == "$COMP_CWORD" ]] && word=$line
    words[count - 1]+=$word
    line=\${line#"$word"}
  done
`;

/** Finds the flags that are given already, a flag that waits for its value, and the number of arguments. */
const READ_GIVEN = `\
  # What was typed between the command and the cursor: flags, the value that the last one waits for, arguments.
  local given=' ' flag= ended= arguments_given=0 files=
  # What says where the server is, for asking it.
  local asked=()
  for ((at = 2; at < count - 1; at++)); do
    word=\${words[at]}
    if [[ $flag ]]; then
      [[ ' ${SERVER_FLAGS.valued.join(" ")} ' == *" $flag "* ]] && asked+=("$flag=$word")
      flag=
    elif [[ $ended || $word != --* ]]; then
      arguments_given=$((arguments_given + 1))
    elif [[ $word == -- ]]; then
      ended=1
    else
      given+="\${word%%=*} "
      [[ " $valued " == *" $word "* ]] && flag=$word
      case $word in ${
  SERVER_FLAGS.valued.map((flag) => `${flag}=*`).concat(SERVER_FLAGS.bare).join(" | ")
}) asked+=("$word") ;; esac
    fi
  done
`;

/** Finds the flag whose value is being typed behind its `=`. */
const FIND_PREFIX = `\
  local candidates= typed=$current prefix=
  if [[ -z $flag && -z $ended && $current == --*=* ]]; then
    flag=\${current%%=*}
    typed=\${current#*=}
    # Where bash cuts words at =, it replaces only what follows.
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$flag=
  fi`;

/** Offers arguments and flags, unless a command or a value is being typed, and keeps what matches. */
const OFFER = `\
  else
    ((arguments_given < most)) && candidates=$arguments
    if [[ $live && $current != -* ]] && ((arguments_given < most)); then
      candidates=$("\${words[0]}" ${LIST_COMMAND} "\${asked[@]}" 2>/dev/null | tail -n +2)
    fi
    if [[ -z $ended && ($current == -* || -z $current$candidates) ]]; then
      candidates=
      for word in $flags; do
        [[ $given == *" $word "* ]] || candidates+=" $word"
      done
    fi
  fi

  COMPREPLY=()
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    IFS=$'\\n'
    for word in $(compgen -f -- "$typed"); do
      COMPREPLY+=("$prefix$word")
    done
    return
  fi
  for word in $candidates; do
    [[ $word == "$typed"* ]] && COMPREPLY+=("$prefix$word")
  done
`;

function commandCase(command: Command): string {
  const flags = flagsOf(command);
  const { choices = [], most = 0 } = command.positionals ?? {};
  const assignments = [`flags='${namesOf(flags)}'`, `valued='${namesOf(flags.filter(takesValue))}'`];
  if (choices.length !== 0) assignments.push(`arguments='${choices.join(" ")}'`, `most=${most}`);
  if (command.positionals?.live) assignments.push("live=1", `most=${Math.min(most, 999)}`);
  return `    ${command.name})\n${assignments.map((line) => `      ${line}\n`).join("")}      ;;`;
}

function valueCases(command: Command): string[] {
  return flagsOf(command).flatMap((flag) => {
    if (flag.isFile) return [`      '${command.name} ${longName(flag)}') files=1 ;;`];
    if (flag.choices === undefined) return [];
    return [`      '${command.name} ${longName(flag)}') candidates='${flag.choices.join(" ")}' ;;`];
  });
}

function namesOf(flags: readonly TypedFlag[]): string {
  return flags.map(longName).join(" ");
}

function takesValue({ placeholder }: TypedFlag): boolean {
  return placeholder !== undefined;
}
