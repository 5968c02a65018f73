/**
 * `tracker list`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS, prefixFlag } from "../cli/flags/client_flags.ts";
import { type Flag, type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { choice, integer, words } from "../cli/flags/values.ts";
import { complain, write, writeJson, writeJsonList } from "../cli/terminal/output.ts";
import { COLUMN_NAMES, type ColumnName, COLUMNS, DEFAULT_COLUMNS } from "../cli/terminal/columns.ts";
import { writeTable } from "../cli/terminal/record_table.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { recordForm } from "../wire/forms.ts";
import type { Client } from "../client/client.ts";
import { type Status, STATUSES } from "../protocol.ts";
import type { ListRecord } from "../wire/list.ts";

const statusFlag: Flag<Status | undefined> = {
  placeholder: "STATUS",
  default: "",
  description: "only clients of this status: live, suspect or detached",
  choices: STATUSES,
  parse: (text) => text === "" ? undefined : choice(STATUSES).parse(text),
};

const FLAGS = {
  ...CLIENT_FLAGS,
  prefix: prefixFlag,
  status: statusFlag,
  sort: {
    placeholder: "COLUMN",
    default: "since",
    description: `what to sort by: ${COLUMN_NAMES.join(", ")}`,
    ...choice(COLUMN_NAMES),
  },
  reverse: toggle("sort the other way round"),
  limit: {
    placeholder: "NUMBER",
    default: "0",
    description: "most clients to print, after sorting; 0 for all",
    parse: integer(0, 1_000_000_000),
  },
  columns: {
    placeholder: "COLUMNS",
    default: "",
    description: `what to print of each client, separated by commas: ${COLUMN_NAMES.join(", ")}; ` +
      `unless given, ${DEFAULT_COLUMNS.join(",")}, and expires if a client does`,
    parse: (text: string) => text === "" ? undefined : words(COLUMN_NAMES)(text),
  },
  count: toggle("print only the number of clients"),
  json: toggle("print a JSON object with the members revision and clients, or count"),
} as const;

const POSITIONALS = { placeholder: "[NAME...]", most: Infinity, live: true } as const;

/** Prints the clients as a table. */
export const listCommand: Command = {
  name: "list",
  summary: "Print a table of the clients, with their status, times and states.",
  details: [
    "A client is suspect while its connection is lost and the server waits for it to come back, and detached if it was set " +
    "without a connection. SINCE is when it opened, UPDATED when its state was last set, EXPIRES when it leaves unless " +
    "something happens before: the time of day if that is today, otherwise the date. On a terminal, states that are too " +
    "long for the line are cut. With NAMEs only those are printed, and the exit code is 1 if one is not in the map.",
    "With --json each client is an object with the members id, status, revision, openedAt, updatedAt, until (milliseconds " +
    "since 1970 UTC), address, dialect, token and state; what is not known is null. A state that is not UTF-8 is in base64, " +
    'next to "encoding":"base64". Where the server has tokens, it takes one for administrators to see address, dialect ' +
    "and token.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker list", meaning: "shows all clients of the server on this machine" },
    { line: "tracker list --prefix pi-", meaning: "shows the clients whose identifier begins with 'pi-'" },
    {
      line: "tracker list --sort updated --reverse --limit 10 --columns id,updated,address",
      meaning: "shows who was heard of last, and from where",
    },
    {
      line: "tracker list --status suspect --json | jq -r '.clients[].id'",
      meaning: "prints which clients are missing",
    },
  ],
  run,
};

type ListFlags = FlagValues<typeof FLAGS>;

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: names } = parseFlags(args, FLAGS, POSITIONALS);
  const filter = {
    ...flags.prefix !== undefined && { prefix: flags.prefix },
    ...flags.status !== undefined && { status: flags.status },
  };
  if (names.length !== 0) return await printNamed(names, flags);
  if (flags.count) {
    const count = await ask(flags, (client) => client.count(filter));
    await (flags.json ? writeJson({ count }) : write(`${count}\n`));
    return 0;
  }
  const { revision, records } = await ask(flags, (client) => client.list({ ...filter, details: true }));
  await print(revision, records, flags);
  return 0;
}

async function printNamed(names: readonly string[], flags: ListFlags): Promise<number> {
  if (flags.count) throw new UsageError("--count goes without a NAME");
  const { prefix = "", status } = flags;
  const found = await ask(flags, (client) => findAll(client, new Set(names)));
  const records = found.records.filter((record) => {
    return record.id.startsWith(prefix) && (status === undefined || record.status === status);
  });
  await print(found.revision, records, flags);
  const missing = names.filter((name) => !records.some(({ id }) => id === name));
  for (const name of missing) complain(`tracker: ${escapeControls(name)} is not in the map`);
  return missing.length === 0 ? 0 : 1;
}

async function findAll(client: Client, ids: ReadonlySet<string>): Promise<{ revision: number; records: ListRecord[] }> {
  const records: ListRecord[] = [];
  let revision = 0;
  for (const id of ids) {
    // The first of a page of those that begin with an identifier is the one that has it.
    const page = await client.list({ prefix: id, limit: 1, details: true });
    revision = page.revision;
    records.push(...page.records.filter((record) => record.id === id));
  }
  return { revision, records };
}

async function print(revision: number, records: ListRecord[], flags: ListFlags): Promise<void> {
  sort(records, flags.sort, flags.reverse);
  const shown = flags.limit === 0 ? records : records.slice(0, flags.limit);
  if (flags.json) await writeJsonList(`{"revision":${revision},"clients":[`, shown, recordForm, "]}");
  else await writeTable(shown, flags.columns ?? defaultColumns(shown));
}

/** When clients leave is shown only if one does. */
function defaultColumns(records: readonly ListRecord[]): readonly ColumnName[] {
  const expires = records.some(({ details }) => (details?.until ?? 0) !== 0);
  return expires ? DEFAULT_COLUMNS.toSpliced(-1, 0, "expires") : DEFAULT_COLUMNS;
}

/** The reply is in the order of opening already. */
function sort(records: ListRecord[], by: ColumnName, isReverse: boolean): void {
  const { compare } = COLUMNS[by];
  if (by !== "since") records.sort(compare);
  if (isReverse) records.reverse();
}
