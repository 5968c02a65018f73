/**
 * Flags: how a command declares its own, and how a command line is parsed by that declaration.
 *
 * @module
 */

import { readEnvironment } from "../environment.ts";
import { parseArgs } from "../std.ts";
import { parseAs, unknownName, UsageError } from "./usage.ts";

/** A flag of a command. Its help, its completion and its parsing all come from here. */
export interface Flag<T> {
  /** Stands for the value in the help; a flag without one is a switch and takes no value. */
  readonly placeholder?: string;
  /** The value of a flag that is not given, as it would be written. */
  readonly default: string;
  /** What it does, for the help. */
  readonly description: string;
  /** Earlier names that still work. The help mentions them, completions do not offer them. */
  readonly aliases?: readonly string[];
  /** The environment variable that replaces the default, where reading it is permitted. */
  readonly environment?: string;
  /** The possible values, where they can be enumerated, for completions. */
  readonly choices?: readonly string[];
  /** Whether the value is the path of a file. */
  readonly isFile?: boolean;
  /** Whether an empty value says something. Where not, it is refused: it comes from a variable that is not set. */
  readonly mayBeEmpty?: boolean;
  /**
   * Parses what was written.
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
  /** Most that are accepted. */
  readonly most: number;
  /** The possible values of each, where they can be enumerated. */
  readonly choices?: readonly string[];
  /** Whether they are identifiers of clients, which a shell can ask the server for. */
  readonly live?: boolean;
}

/** A parsed command line. */
export interface Parsed<T extends FlagTable> {
  /** The value of every flag, given or not. */
  readonly flags: FlagValues<T>;
  /** The other arguments, verbatim and in order. */
  readonly positionals: readonly string[];
  /** The names of the flags on the command line. */
  readonly given: ReadonlySet<string>;
}

/** Declares a flag that is on when it is given. */
export function toggle(description: string): Flag<boolean> {
  return { default: "false", description, parse: parseToggle };
}

/**
 * Declares a flag that takes any text but an empty one.
 *
 * @param placeholder Stands for the text in the help
 * @param description What it does
 * @returns The flag, whose value is `undefined` unless given
 */
export function optionalText(placeholder: string, description: string): Flag<string | undefined> {
  return { placeholder, default: "", description, parse: (text) => text === "" ? undefined : text };
}

/**
 * Declares a flag that takes the path of a file.
 *
 * @param description What it does
 * @returns The flag, whose value is `undefined` unless given
 */
export function optionalFile(description: string): Flag<string | undefined> {
  return { ...optionalText("FILE", description), isFile: true };
}

function parseToggle(text: string): boolean {
  if (text !== "true" && text !== "false") throw new UsageError("takes no value");
  return text === "true";
}

/**
 * Parses a command line.
 *
 * @param args The arguments after the command's name
 * @param table The command's flags
 * @param positionals Its other arguments; none unless given
 * @returns The values
 * @throws {UsageError} when it is invalid
 */
export function parseFlags<T extends FlagTable>(
  args: readonly string[],
  table: T,
  positionals: Positionals = { placeholder: "", most: 0 },
): Parsed<T> {
  const names = Object.keys(table);
  // All are declared as strings, the positionals ("_") too: left to itself parseArgs turns 0x10 into 16.
  const { _: rest, ...written } = parseArgs(spellOut(args, table, positionals), {
    string: [...names.map(keyOf), "_"],
    collect: names.map(keyOf),
    unknown: (argument, key) => {
      if (key !== undefined) throw unknownFlag(argument, names, positionals);
    },
  });
  const values = names.map((name) => [name, valueOf(name, table[name]!, written[keyOf(name)] as string[])]);
  const given = new Set(names.filter((name) => (written[keyOf(name)] as string[]).length !== 0));
  const extra = rest[positionals.most];
  if (extra !== undefined) throw unexpected(String(extra), positionals);
  return { flags: Object.fromEntries(values) as FlagValues<T>, positionals: rest.map(String), given };
}

/** A flag's name as parseArgs is given it, which takes `no-` in front of a value for no part of a name. */
function keyOf(name: string): string {
  return name.replace(/^no-/, "no_");
}

/**
 * Writes each flag as `--name=value`, because parseArgs guesses where it is not told: a switch would swallow a "true"
 * that follows it, and `--port -1` would be two flags. An alias becomes the flag's own name, so that the two spellings
 * count as one flag.
 */
function spellOut(args: readonly string[], table: FlagTable, positionals: Positionals): string[] {
  const names = spellings(table);
  const spelled: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") return spelled.concat(args.slice(at));
    // parseArgs keeps what is not a flag under "_", and would put a flag of that name in its place; "no_" is a name of ours.
    if (/^--?_|^--no_/.test(arg)) throw unknownFlag(arg, Object.keys(table), positionals);
    const [word = "", ...rest] = arg.split("=");
    const name = names.get(word);
    if (name === undefined) {
      spelled.push(arg);
    } else if (rest.length !== 0) {
      spelled.push([`--${keyOf(name)}`, ...rest].join("="));
    } else if (table[name]!.placeholder === undefined) {
      spelled.push(`--${keyOf(name)}=true`);
    } else {
      const value = args[++at];
      if (value === undefined || value.startsWith("--")) throw new UsageError(`${arg} needs a value`);
      spelled.push(`--${keyOf(name)}=${value}`);
    }
  }
  return spelled;
}

/** Every way to write a flag, such as `--port`, with the flag's own name. */
function spellings(table: FlagTable): Map<string, string> {
  return new Map(
    Object.entries(table).flatMap(([name, { aliases = [] }]) => {
      return [name, ...aliases].map((spelling) => [`--${spelling}`, name] as const);
    }),
  );
}

function valueOf(name: string, flag: Flag<unknown>, given: readonly string[]): unknown {
  if (given.length > 1) {
    const aliases = (flag.aliases ?? []).map((alias) => `--${alias}`).join(", ");
    throw new UsageError(`--${name}${aliases === "" ? "" : ` (or ${aliases})`} is given more than once`);
  }
  const [written] = given;
  if (written === "" && flag.mayBeEmpty !== true) throw new UsageError(`--${name} must not be empty`);
  if (written !== undefined) return parseAs(`--${name}`, () => flag.parse(written));
  const inherited = flag.environment === undefined ? undefined : readEnvironment(flag.environment);
  if (inherited === undefined) return flag.parse(flag.default);
  return parseAs(flag.environment!, () => flag.parse(inherited));
}

function unknownFlag(argument: string, names: readonly string[], { most, placeholder }: Positionals): UsageError {
  const [word = argument] = argument.split("=", 1);
  const error = unknownName("flag", word, [...names.map((name) => `--${name}`), "--help"]);
  if (most === 0 || error.suggestion !== undefined) return error;
  const what = placeholder.match(/[A-Z]+/g)?.join(" or ");
  return new UsageError(`${error.message}; a ${what} that begins with - goes after --`);
}

function unexpected(extra: string, { most, placeholder }: Positionals): UsageError {
  const what = most === 1 ? "is one argument" : `are ${most} arguments`;
  const hint = most === 0 ? "" : `; ${placeholder} ${what}, so put spaces in quotes`;
  return new UsageError(`unexpected argument ${extra}${hint}`);
}
