/**
 * The command line of the soak.
 *
 * @module
 */

import { parseArgs } from "../../lib/cli/std.ts";

/** What was asked for. */
export interface Options {
  /** How long to run, in minutes. */
  minutes: number;
  /** What decides every choice. */
  seed: number;
  /** Most connections to make, of all kinds together, from the first to the last second. */
  connections: number;
  /** Where to draw the picture; `null` for no picture. */
  plot: string | null;
  json: boolean;
  help: boolean;
}

/** A mistake in the command line. */
export class UsageError extends Error {}

/** Connections made in a run unless told otherwise. */
const DEFAULT_CONNECTIONS = 2_000;

/** Fewer are not enough for the clients and watchers that a run begins with, twice. */
const LEAST_CONNECTIONS = 400;

/** What `--help` prints. */
export const HELP = `deno task soak --minutes M [OPTIONS]

Keeps a server under mixed load, compares what it tells with a model every second, and sees in the end whether
everything is back where it was.

Options:
  --minutes M      how long, from 0.1 to 1440
  --seed N         what decides every choice (default: a random one, which is printed)
  --connections N  most connections made in the whole run, at least ${LEAST_CONNECTIONS} (default ${DEFAULT_CONNECTIONS})
  --plot FILE      draw memory, connections and messages over time, as SVG
  --json           print JSON
  --help           print this
`;

/**
 * Reads the command line.
 *
 * @param args The arguments
 * @returns What they ask for
 * @throws {UsageError} When they make no sense
 */
export function parseOptions(args: readonly string[]): Options {
  const parsed = parseArgs(args, {
    boolean: ["json", "help"],
    string: ["minutes", "seed", "connections", "plot"],
    unknown: (argument) => {
      throw new UsageError(`there is no option ${argument}`);
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
