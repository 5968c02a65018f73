import { parseArgs } from "../../lib/cli/std.ts";

/** The options of the command line. */
export interface Options {
  readonly seed: number;
  readonly seconds: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** A mistake in the command line. */
export class UsageError extends Error {}

export const HELP = `Runs hundreds of clients and watchers against a server, on connections in memory that are as bad as
connections get, and checks that every watcher sees the map as it is.

Usage: deno task simulate [--seed N] [--seconds N] [--json]

  --seed N     the first simulation's seed; the next ones count on from it (default: a random one)
  --seconds N  how long to go on; the last simulation always runs to its end (default: 10)
  --json       print the results as JSON
  --help       print this help
`;

const LARGEST = 2 ** 32 - 1;

/**
 * Parses the command line.
 *
 * @param args The arguments
 * @returns The options
 * @throws {UsageError} if an argument is invalid
 */
export function parseOptions(args: string[]): Options {
  const { seed, seconds, json, help } = parseArgs(args, {
    string: ["seed", "seconds"],
    boolean: ["json", "help"],
    alias: { h: "help" },
    unknown: (arg: string) => {
      throw new UsageError(`unknown argument ${arg}; see --help`);
    },
  });
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return {
    seed: seed === undefined ? random : integer("--seed", seed),
    seconds: seconds === undefined ? 10 : integer("--seconds", seconds),
    json: json === true,
    help: help === true,
  };
}

function integer(flag: string, text: unknown): number {
  const value = Number(text);
  if (typeof text === "string" && /^\d+$/.test(text) && value <= LARGEST) return value;
  throw new UsageError(`${flag} must be an integer from 0 to ${LARGEST}, not ${text}`);
}
