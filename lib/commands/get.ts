/**
 * `tracker get`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS, dialectFlag } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { writeJson, writeMap } from "../cli/terminal/output.ts";
import { stateForm } from "../cli/text/forms.ts";
import type { ConnectOptions } from "../tcp/connect.ts";

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
    "States are printed byte for byte, unless standard output is a terminal: there control characters are written as " +
    "\\x1b and the like. A state that contains commas can make one client look like two; --json asks the server in " +
    "another way, which no state can mislead. A state that is not UTF-8 is then in base64, next to " +
    '"encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker get", meaning: "asks the server on this machine" },
    {
      line: "tracker get --ca ca.pem --server tracker.example",
      meaning: "asks over TLS a server whose certificate was issued by your own authority",
    },
    {
      line: "tracker get --server 192.168.1.10:6789 --timeout 2s",
      meaning: "asks another server, and waits two seconds at most",
    },
    { line: "tracker get --json | jq -r '.[].id'", meaning: "prints the identifiers of all clients" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const { dialect, json } = flags;
  // Without a Hello it can talk to any server, and in any dialect.
  const complete = (shared: ConnectOptions) => ({ ...shared, dialect, hello: json || shared.token !== undefined });
  if (json) {
    const { records } = await ask(flags, (client) => client.list(), complete);
    await writeJson(records.map(({ id, state }) => ({ id, ...stateForm(state) })));
  } else {
    await writeMap(await ask(flags, (client) => client.get(), complete));
  }
  return 0;
}
