/**
 * `tracker get`
 *
 * @module
 */

import { connect } from "../client.ts";
import { dialectFlag, serverFlag, timeoutFlag } from "./client_flags.ts";
import type { Command } from "./command.ts";
import { parseFlags } from "./flags.ts";
import { writeMap } from "./output.ts";

const FLAGS = { server: serverFlag, dialect: dialectFlag, timeout: timeoutFlag } as const;

/** Prints the map. */
export const getCommand: Command = {
  name: "get",
  summary: "Print the state of every client: {id=state, id=state}.",
  details: [
    "States are printed as they are, byte for byte, unless standard output is a terminal: there control characters " +
    "are written as \\x1b and the like.",
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker get", meaning: "asks the server on this machine" },
    {
      line: "tracker get --server 192.168.1.10:6789 --timeout 2s",
      meaning: "asks another one, for two seconds at most",
    },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { server, dialect, timeout } = parseFlags(args, FLAGS).flags;
  // It needs nothing that a Hello opens: so it can talk to any server.
  const client = await connect({ ...server, dialect, timeout, hello: false });
  try {
    await writeMap(await client.get());
  } finally {
    client.abort();
  }
  return 0;
}
