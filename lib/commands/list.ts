/**
 * `tracker list`
 *
 * @module
 */

import type { ListRecord } from "../wire/list.ts";
import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS, prefixFlag, prefixFrom } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { bold, write, writeJson } from "../cli/terminal/output.ts";
import { terminalSize } from "../cli/terminal/screen.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { listForm, previewOf } from "../cli/text/forms.ts";
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
  summary: "Print a table of the clients, with their status, times and states.",
  details: [
    "A client is suspect while its connection is lost and the server waits for it to come back. SINCE is when it opened, " +
    "UPDATED when its state was last set: the time of day if that was today, otherwise the date. On a terminal, states " +
    "that are too long for the line are cut.",
    "With --json each client is an object with the members id, status, revision, openedAt, updatedAt (milliseconds since " +
    '1970 UTC) and state. A state that is not UTF-8 is in base64, next to "encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker list", meaning: "shows all clients of the server on this machine" },
    { line: "tracker list --prefix pi-", meaning: "shows the clients whose identifier begins with 'pi-'" },
    {
      line: `tracker list --json | jq -r '.clients[] | select(.status == "suspect").id'`,
      meaning: "prints which clients are missing",
    },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const list = await ask(flags, (client) => client.list(prefixFrom(flags)));
  if (flags.json) await writeJson(listForm(list));
  else await write(tableOf(list.records));
  return 0;
}

function tableOf(records: readonly ListRecord[]): string {
  // Output for another program is not cut.
  const width = Deno.stdout.isTerminal() ? terminalSize().columns : undefined;
  const now = Date.now();
  const rows = records.map(({ id, status, openedAt, updatedAt, state }) => {
    return [escapeControls(id), status, shortTime(openedAt, now), shortTime(updatedAt, now), previewOf(state, width)];
  });
  const [head = "", ...lines] = layOutTable([["ID", "STATUS", "SINCE", "UPDATED", "STATE"], ...rows], { width });
  return [bold(head), ...lines, ""].join("\n");
}
