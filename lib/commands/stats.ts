/**
 * `tracker stats`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { write, writeJson } from "../cli/terminal/output.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { layOutTable } from "../cli/text/table.ts";
import { longDuration } from "../cli/text/times.ts";
import type { Histogram, Stats } from "../wire/stats.ts";

const FLAGS = { ...CLIENT_FLAGS, json: toggle("print the server's report as a JSON object") } as const;

/** Prints the server's statistics. */
export const statsCommand: Command = {
  name: "stats",
  summary: "Print the server's statistics: what it holds, and what it has counted.",
  details: ["With --json it is an object with the members of Stats in the library; later versions may add some."],
  flags: FLAGS,
  examples: [
    { line: "tracker stats", meaning: "prints a table for people" },
    { line: "tracker stats --json | jq .now.clients", meaning: "prints the number of clients" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const stats = await ask(flags, (client) => client.stats());
  if (flags.json) await writeJson(stats);
  else await write(tableOf(stats));
  return 0;
}

function tableOf(stats: Stats): string {
  const { now, bytes, lag } = stats;
  const rows = [
    ["version", stats.version],
    ["incarnation", stats.incarnation],
    ["up for", longDuration(stats.uptime)],
    ["clients", `${number(now.clients)}, of which ${number(now.suspects)} suspect`],
    ["connections", connectionsOf(now)],
    ["states", `${number(now.stateBytes)} bytes, revision ${number(stats.revision)}`],
    ["accepted", `${number(stats.accepted)} connections`],
    ["received", `${number(bytes.received)} bytes`],
    ["sent", `${number(bytes.sent)} bytes`],
    ...Object.entries(stats.messages).map(([dialect, counts]) => [`${dialect} messages`, listOf(counts)]),
    ["errors", listOf(stats.errors)],
    ["refused", listOf(stats.refused)],
    ["changes skipped", `${number(stats.conflated)}, for watchers that fell behind`],
    ["lag", `${lag.last} ms, at worst ${lag.worst} ms`],
    ["lost clients", ghostsOf(stats.ghost)],
  ];
  // The server may be hostile: nothing that it sends is shown unescaped.
  return layOutTable(rows.map((row) => row.map(escapeControls))).map((line) => `${line}\n`).join("");
}

function connectionsOf({ connections, watchers, unauthorized }: Stats["now"]): string {
  const strangers = unauthorized === 0 ? "" : ` and ${number(unauthorized)} have shown no token`;
  return `${number(connections)}, of which ${number(watchers)} watch${strangers}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([name, count]) => `${name} ${number(count)}`).join(", ") || "none";
}

function ghostsOf({ count, sum }: Histogram): string {
  if (count === 0) return "none left without a Close yet";
  return `${number(count)}, noticed on average ${number(Math.round(sum / count))} ms after the last sign of life`;
}
