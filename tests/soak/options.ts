/**
 * The soak's command-line options.
 *
 * @module
 */

import { parseArgs } from "../../lib/cli/std.ts";

/** Parsed options. */
export interface Options {
  /** Duration of the run, in minutes. */
  minutes: number;
  /** Seed of every choice. */
  seed: number;
  /** Most connections to make during the whole run, of all kinds together. */
  connections: number;
  /** File to draw the picture in; `null` for none. */
  plot: string | null;
  json: boolean;
  help: boolean;
}

/** An invalid command line. */
export class UsageError extends Error {}

/** Default number of connections in a run. */
const DEFAULT_CONNECTIONS = 2_000;

/** Fewer are not enough to connect the first clients and watchers of a run twice. */
const LEAST_CONNECTIONS = 400;

/** Text of `--help`. */
export const HELP = `deno task soak --minutes M [OPTIONS]

Keeps a server under mixed load, compares its reports with a model every second, and checks at the end whether
everything is back to where it was.

Options:
  --minutes M      duration, from 0.1 to 1440
  --seed N         seed of every choice (default: a random one, which is printed)
  --connections N  most connections in the whole run, at least ${LEAST_CONNECTIONS} (default ${DEFAULT_CONNECTIONS})
  --plot FILE      draw memory, connections and messages over time, as SVG
  --json           print JSON
  --help           print this
`;

/**
 * Parses the command line.
 *
 * @param args The arguments
 * @returns The options
 * @throws {UsageError} if they are invalid
 */
export function parseOptions(args: readonly string[]): Options {
  const parsed = parseArgs(args, {
    boolean: ["json", "help"],
    string: ["minutes", "seed", "connections", "plot"],
    unknown: (argument) => {
      throw new UsageError(`unknown option ${argument}`);
    },
  });
  const { json, help, plot } = parsed;
  if (plot === "") throw new UsageError("--plot needs a file");
  return {
    minutes: help === true ? 0 : numberOf("minutes", parsed["minutes"], 0.1, 1_440),
    seed: integerOf("seed", parsed["seed"] ?? `${crypto.getRandomValues(new Uint32Array(1))[0]}`, 0, 2 ** 32 - 1),
    connections: integerOf("connections", parsed["connections"] ?? `${DEFAULT_CONNECTIONS}`, LEAST_CONNECTIONS, 1e6),
    plot: typeof plot === "string" ? plot : null,
    json: json === true,
    help: help === true,
  };
}

function numberOf(name: string, text: unknown, least: number, most: number): number {
  if (text === undefined) throw new UsageError(`--${name} is needed`);
  const value = typeof text === "string" && /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name} is "${text}", not a number from ${least} to ${most}`);
}

function integerOf(name: string, text: unknown, least: number, most: number): number {
  const value = numberOf(name, text, least, most);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`--${name} is "${text}", not an integer`);
}
