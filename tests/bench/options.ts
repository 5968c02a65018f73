/**
 * The benchmark's command-line options.
 *
 * @module
 */

import { parseArgs } from "../../lib/cli/std.ts";
import { CASES } from "./cases/mod.ts";
import { type Peer, PEERS, ROOT } from "./peers.ts";

/** Parsed options. */
export interface Options {
  names: readonly string[];
  quick: boolean;
  json: boolean;
  help: boolean;
  rounds: number;
  /** Only parameters that contain this. */
  match: string;
  peers: readonly Peer[];
  /** The command line that runs Tracker. */
  tracker: readonly string[];
}

/** An invalid command line. */
export class UsageError extends Error {}

const names = CASES.map(({ name }) => name);

/** Text of `--help`. */
export const HELP = `deno task bench [NAME…] [OPTIONS]

Measures Tracker and its alternatives side by side. Without a name, every case runs.

Cases:
${CASES.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

  web          the web side beside nats-server, mosquitto, nginx with nchan and Deno.serve; takes only --quick

Options:
  --quick              only check that everything works: one short round, smaller cases
  --rounds N           rounds after the warm-up (default 5, with --quick 1)
  --match TEXT         only parameters that contain TEXT, as in --match "wide, 9 bytes"
  --peers LIST         only these, as in --peers tracker,discard (default ${PEERS.join(",")})
  --program PROGRAM    a compiled Tracker to measure instead of the sources
  --server-flag FLAG   a flag for the Deno that runs Tracker, as in --server-flag=--v8-flags=--prof; may be repeated
  --json               print JSON
  --help               print this
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
    boolean: ["quick", "json", "help"],
    string: ["rounds", "match", "peers", "program", "server-flag", "_"],
    collect: ["server-flag"],
    unknown: (argument, key) => {
      if (key !== undefined) throw new UsageError(`unknown option ${argument}`);
    },
  });
  const wanted = parsed._.map(String);
  for (const name of wanted) {
    if (!names.includes(name)) throw new UsageError(`unknown case ${name}: the cases are ${names.join(", ")}`);
  }
  const quick = parsed["quick"] === true;
  return {
    names: wanted.length === 0 ? names : wanted,
    quick,
    json: parsed["json"] === true,
    help: parsed["help"] === true,
    rounds: parseRounds(parsed["rounds"], quick ? 1 : 5),
    match: textOf(parsed["match"]),
    peers: parsePeers(parsed["peers"]),
    tracker: parseTracker(textOf(parsed["program"]), (parsed["server-flag"] ?? []) as string[]),
  };
}

function parseTracker(program: string, serverFlags: readonly string[]): readonly string[] {
  if (program === "") return [Deno.execPath(), "run", ...serverFlags, "-N", `${ROOT}main.ts`];
  if (serverFlags.length === 0) return [program];
  throw new UsageError("--server-flag is for the sources: a compiled program has its flags built in");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parseRounds(value: unknown, preset: number): number {
  if (value === undefined) return preset;
  const text = textOf(value);
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new UsageError(`--rounds is "${text}", not a number from 1 to 999`);
  return Number(text);
}

function parsePeers(value: unknown): readonly Peer[] {
  if (value === undefined) return PEERS;
  const wanted = textOf(value).split(",");
  for (const name of wanted) {
    if (!PEERS.some((peer) => peer === name)) {
      throw new UsageError(`unknown peer "${name}": the peers are ${PEERS.join(", ")}`);
    }
  }
  return PEERS.filter((peer) => wanted.includes(peer));
}
