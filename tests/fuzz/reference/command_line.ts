/**
 * A second reader of command lines, written after README.md: it reads argument by argument.
 *
 * @module
 */

import type { FlagTable } from "../../../lib/cli/flags/flags.ts";

/** The flags and arguments of a command line, not yet parsed. */
export interface Written {
  readonly flags: ReadonlyMap<string, string>;
  readonly positionals: readonly string[];
}

/**
 * Reads a command line.
 *
 * @param args The arguments after the command's name
 * @param table The command's flags
 * @param most Most positional arguments
 * @returns Its flags and arguments; `null` when it is invalid
 */
export function readCommandLine(args: readonly string[], table: FlagTable, most: number): Written | null {
  const flags = new Map<string, string>();
  const positionals: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      positionals.push(...args.slice(at + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = nameOf(arg.slice(2, equals === -1 ? undefined : equals), table);
    if (!arg.startsWith("--") || !Object.hasOwn(table, name) || flags.has(name)) return null;
    const takesValue = table[name]!.placeholder !== undefined;
    const value = equals !== -1 ? arg.slice(equals + 1) : takesValue ? args[++at] : "true";
    // What looks like a flag is a value only after an equals sign.
    if (value === undefined || (equals === -1 && value.startsWith("--"))) return null;
    if (value === "" && table[name]!.mayBeEmpty !== true) return null;
    flags.set(name, value);
  }
  return positionals.length > most ? null : { flags, positionals };
}

/** The name of a flag that may be written by an alias. */
function nameOf(written: string, table: FlagTable): string {
  return Object.keys(table).find((name) => table[name]!.aliases?.includes(written)) ?? written;
}
