/**
 * `tracker get`
 *
 * @module
 */

import { CLIENT_FLAGS, clientOptions, dialectFlag } from "../cli/flags/client_flags.ts";
import type { Command } from "../cli/command.ts";
import { safeJson } from "../cli/text/escape.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { stateForm } from "../cli/text/forms.ts";
import { write, writeMap } from "../cli/terminal/output.ts";
import { ask } from "../cli/terminal/patience.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  dialect: dialectFlag,
  json: toggle("print a JSON array of objects with the members id and state"),
} as const;

/** Prints the map. */
export const getCommand: Command = {
  name: "get",
  summary: "Print the state of every client: {id=state, id=state}.",
  details: [
    "States are printed as they are, byte for byte, unless standard output is a terminal: there control characters " +
    "are written as \\x1b and the like. A state with commas in it can make one client look like two: --json asks the " +
    "server in another way, which no state can mislead. A state that is not UTF-8 is then in base64, next to " +
    '"encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker get", meaning: "asks the server on this machine" },
    {
      line: "tracker get --ca ca.pem --server tracker.example",
      meaning: "asks with TLS a server whose certificate is of an authority of one's own",
    },
    {
      line: "tracker get --server 192.168.1.10:6789 --timeout 2s",
      meaning: "asks another one, for two seconds at most",
    },
    { line: "tracker get --json | jq -r '.[].id'", meaning: "prints who is there" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const options = await clientOptions(flags);
  const { dialect, json } = flags;
  // Without a Hello it can talk to any server, and in any dialect.
  const hello = json || options.token !== undefined;
  if (json) {
    const { records } = await ask({ ...options, dialect, hello }, (client) => client.list());
    await write(`${safeJson(records.map(({ id, state }) => ({ id, ...stateForm(state) })))}\n`);
  } else {
    await writeMap(await ask({ ...options, dialect, hello }, (client) => client.get()));
  }
  return 0;
}
