/**
 * `tracker list`
 *
 * @module
 */

import type { ListRecord } from "../wire/list.ts";
import { CLIENT_FLAGS, clientOptions, prefixFlag } from "../cli/flags/client_flags.ts";
import type { Command } from "../cli/command.ts";
import { escapeControls, safeJson } from "../cli/text/escape.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { listForm, previewOf } from "../cli/text/forms.ts";
import { bold, write } from "../cli/terminal/output.ts";
import { ask } from "../cli/terminal/patience.ts";
import { terminalSize } from "../cli/terminal/screen.ts";
import { layOutTable } from "../cli/text/table.ts";
import { shortTime } from "../cli/text/times.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  prefix: prefixFlag,
  json: toggle("print a JSON object with the members revision and clients"),
} as const;

/** Prints the clients as a table. */
export const listCommand: Command = {
  name: "list",
  summary: "Print a table of the clients: who, how, since when, and in which state.",
  details: [
    "A suspect client is one whose connection has ended, and which the server still waits for. SINCE is when it opened, " +
    "UPDATED when its state was last set: the time of day if that was today, otherwise the date. On a terminal a state " +
    "that is too long for its line is cut.",
    "With --json each client is an object with the members id, status, revision, openedAt, updatedAt (milliseconds since " +
    '1970 UTC) and state. A state that is not UTF-8 is in base64, next to "encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker list", meaning: "shows all clients of the server on this machine" },
    { line: "tracker list --prefix pi-", meaning: "shows those whose identifier begins with 'pi-'" },
    {
      line: `tracker list --json | jq -r '.clients[] | select(.status == "suspect").id'`,
      meaning: "prints who is missing",
    },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const request = flags.prefix === undefined ? {} : { prefix: flags.prefix };
  const list = await ask(await clientOptions(flags), (client) => client.list(request));
  await write(flags.json ? `${safeJson(listForm(list))}\n` : tableOf(list.records));
  return 0;
}

function tableOf(records: readonly ListRecord[]): string {
  // What is piped into another program is not cut.
  const width = Deno.stdout.isTerminal() ? terminalSize().columns : undefined;
  const now = Date.now();
  const rows = records.map(({ id, status, openedAt, updatedAt, state }) => {
    return [escapeControls(id), status, shortTime(openedAt, now), shortTime(updatedAt, now), previewOf(state, width)];
  });
  const [head = "", ...lines] = layOutTable([["ID", "STATUS", "SINCE", "UPDATED", "STATE"], ...rows], { width });
  return [bold(head), ...lines, ""].join("\n");
}
