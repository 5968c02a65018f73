/**
 * `tracker get`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS, dialectFlag } from "../cli/flags/client_flags.ts";
import { type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { complain, writeBytes, writeJson, writeJsonList } from "../cli/terminal/output.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { stateForm } from "../wire/forms.ts";
import type { ConnectOptions } from "../tcp/connect.ts";
import type { ListRecord } from "../wire/list.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  dialect: dialectFlag,
  json: toggle("print a JSON array of objects with the members id and state, or one object"),
} as const;

const POSITIONALS = { placeholder: "[NAME]", most: 1, live: true } as const;

/** Prints the map. */
export const getCommand: Command = {
  name: "get",
  summary: "Print the state of every client: {id=state, id=state}; or of one.",
  details: [
    "States are printed byte for byte, unless standard output is a terminal: there control characters are written as " +
    "\\x1b and the like. A state that contains commas can make one client look like two; --json asks the server in " +
    "another way, which no state can mislead. A state that is not UTF-8 is then in base64, next to " +
    '"encoding":"base64".',
    "With a NAME only that client's state is printed, and the exit code is 1 if it is not in the map.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker get", meaning: "asks the server on this machine" },
    { line: "tracker get pi-7", meaning: "prints the state of one client" },
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
  const { flags, positionals: [name] } = parseFlags(args, FLAGS, POSITIONALS);
  if (name !== undefined) return await printOne(flags, name);
  const complete = completion(flags, flags.json);
  if (flags.json) {
    const { records } = await ask(flags, (client) => client.list(), complete);
    await writeJsonList("[", records, formOf, "]");
  } else {
    await writeBytes(await ask(flags, (client) => client.get(), complete));
  }
  return 0;
}

async function printOne(flags: FlagValues<typeof FLAGS>, name: string): Promise<number> {
  const record = await ask(flags, (client) => client.fetch(name), completion(flags, true));
  if (record === null) {
    complain(`tracker: ${escapeControls(name)} is not in the map`);
    return 1;
  }
  await (flags.json ? writeJson(formOf(record)) : writeBytes(record.state));
  return 0;
}

/** Without a Hello it can talk to any server, and in any dialect. */
function completion({ dialect }: FlagValues<typeof FLAGS>, needsHello: boolean) {
  return (shared: ConnectOptions): ConnectOptions => {
    return { ...shared, dialect, hello: needsHello || shared.token !== undefined };
  };
}

function formOf({ id, state }: ListRecord): Record<string, unknown> {
  return { id, ...stateForm(state) };
}
