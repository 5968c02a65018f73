import { parseArgs } from "../../lib/cli/std.ts";

/** What was asked for. */
export interface Options {
  readonly seed: number;
  readonly seconds: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** A mistake in the command line. */
export class UsageError extends Error {}

export const HELP =
  `Lets hundreds of clients and watchers loose on a server, on connections in memory that are as bad as
connections get, and checks that every watcher sees the map as it is.

Usage: deno task simulate [--seed N] [--seconds N] [--json]

  --seed N     the first simulation's seed; the next ones count on from it (default: a random one)
  --seconds N  how long to go on; one simulation is always run to its end (default: 10)
  --json       print what happened as JSON
  --help       print this
`;

const LARGEST = 2 ** 32 - 1;

/**
 * Reads the command line.
 *
 * @throws {UsageError} when it makes no sense
 */
export function parseOptions(args: string[]): Options {
  const { seed, seconds, json, help } = parseArgs(args, {
    string: ["seed", "seconds"],
    boolean: ["json", "help"],
    alias: { h: "help" },
    unknown: (arg: string) => {
      throw new UsageError(`${arg} is not known; --help tells what is`);
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
  throw new UsageError(`${flag} is ${text}, not an integer from 0 to ${LARGEST}`);
}
