/**
 * Flags: how a command declares its own, and how a command line is read by that declaration.
 *
 * @module
 */

import { parseArgs } from "../std.ts";
import { readEnvironment } from "../environment.ts";
import { unknownName, UsageError } from "./usage.ts";

/** One flag of one command: its help text and its parsing both come from here. */
export interface Flag<T> {
  /** What stands for the value in the help; a flag without one is a switch and takes no value. */
  readonly placeholder?: string;
  /** The value of a flag that is not given, as it would be written. */
  readonly default: string;
  /** What it does, for the help. */
  readonly description: string;
  /** The environment variable that replaces the default, where reading it is permitted. */
  readonly environment?: string;
  /** The values there are, where they can be counted: for those who complete a command line. */
  readonly choices?: readonly string[];
  /**
   * Turns what was written into a value.
   *
   * @throws {UsageError} with a message to follow the flag's name, such as "must be …"
   */
  readonly parse: (text: string) => T;
}

/** A command's flags, by name. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The values of a command's flags, by name. */
export type FlagValues<T extends FlagTable> = {
  readonly [Name in keyof T]: T[Name] extends Flag<infer Value> ? Value : never;
};

/** The arguments of a command that are not flags. */
export interface Positionals {
  /** How the help writes them, such as `[STATE]`. */
  readonly placeholder: string;
  /** Most that make sense. */
  readonly most: number;
  /** What each of them can be, where that can be counted. */
  readonly choices?: readonly string[];
}

/** A command line, read. */
export interface Parsed<T extends FlagTable> {
  /** The value of every flag, given or not. */
  readonly flags: FlagValues<T>;
  /** What is not a flag, verbatim and in order. */
  readonly positionals: readonly string[];
  /** The names of the flags that are on the command line. */
  readonly given: ReadonlySet<string>;
}

/** A flag that is on when it is given. */
export function toggle(description: string): Flag<boolean> {
  return { default: "false", description, parse: parseToggle };
}

function parseToggle(text: string): boolean {
  if (text !== "true" && text !== "false") throw new UsageError("takes no value");
  return text === "true";
}

/**
 * Reads a command line.
 *
 * @param args What follows the command's name
 * @param table The command's flags
 * @param positionals What it takes besides; nothing unless given
 * @returns The values
 * @throws {UsageError} when it makes no sense
 */
export function parseFlags<T extends FlagTable>(
  args: readonly string[],
  table: T,
  positionals: Positionals = { placeholder: "", most: 0 },
): Parsed<T> {
  const names = Object.keys(table);
  // All are declared as strings, the positionals ("_") too: left to itself parseArgs turns 0x10 into 16.
  const { _: rest, ...written } = parseArgs(spellOut(args, table, positionals), {
    string: [...names, "_"],
    collect: names,
    unknown: (argument, key) => {
      if (key !== undefined) throw unknownFlag(argument, names, positionals);
    },
  });
  const values = names.map((name) => [name, valueOf(name, table[name]!, written[name] as string[])]);
  const given = new Set(names.filter((name) => (written[name] as string[]).length !== 0));
  const extra = rest[positionals.most];
  if (extra !== undefined) throw unexpected(String(extra), positionals);
  return { flags: Object.fromEntries(values) as FlagValues<T>, positionals: rest.map(String), given };
}

/**
 * Writes each flag as `--name=value`, because parseArgs guesses where it is not told: a switch would swallow a "true"
 * that follows it, and `--port -1` would be two flags.
 */
function spellOut(args: readonly string[], table: FlagTable, positionals: Positionals): string[] {
  const spelled: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") return spelled.concat(args.slice(at));
    // parseArgs keeps what is not a flag under "_", and would put a flag of that name in its place.
    if (/^--?_/.test(arg)) throw unknownFlag(arg, Object.keys(table), positionals);
    const flag = arg.startsWith("--") && Object.hasOwn(table, arg.slice(2)) ? table[arg.slice(2)] : undefined;
    if (flag === undefined) {
      spelled.push(arg);
    } else if (flag.placeholder === undefined) {
      spelled.push(`${arg}=true`);
    } else {
      const value = args[++at];
      if (value === undefined || value.startsWith("--")) throw new UsageError(`${arg} needs a value`);
      spelled.push(`${arg}=${value}`);
    }
  }
  return spelled;
}

function valueOf(name: string, flag: Flag<unknown>, given: readonly string[]): unknown {
  if (given.length > 1) throw new UsageError(`--${name} is given more than once`);
  const [written] = given;
  if (written !== undefined) return parseNamed(`--${name}`, flag, written);
  const inherited = flag.environment === undefined ? undefined : readEnvironment(flag.environment);
  return inherited === undefined ? flag.parse(flag.default) : parseNamed(flag.environment!, flag, inherited);
}

function parseNamed(name: string, flag: Flag<unknown>, text: string): unknown {
  try {
    return flag.parse(text);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${name} ${error.message}`) : error;
  }
}

function unknownFlag(argument: string, names: readonly string[], { most, placeholder }: Positionals): UsageError {
  const [word = argument] = argument.split("=", 1);
  const message = unknownName("flag", word, [...names.map((name) => `--${name}`), "--help"]);
  if (most === 0 || message.endsWith("?")) return new UsageError(message);
  const what = placeholder.match(/[A-Z]+/g)?.join(" or ");
  return new UsageError(`${message}; a ${what} that begins with - goes after --`);
}

function unexpected(extra: string, { most, placeholder }: Positionals): UsageError {
  const what = most === 1 ? "is one argument" : `are ${most} arguments`;
  const hint = most === 0 ? "" : `; ${placeholder} ${what}, so put spaces in quotes`;
  return new UsageError(`unexpected argument ${extra}${hint}`);
}
