/**
 * `tracker stats`
 *
 * @module
 */

import type { Histogram, Stats } from "../wire/stats.ts";
import { CLIENT_FLAGS, clientOptions } from "../cli/flags/client_flags.ts";
import type { Command } from "../cli/command.ts";
import { escapeControls, safeJson } from "../cli/text/escape.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { write } from "../cli/terminal/output.ts";
import { ask } from "../cli/terminal/patience.ts";
import { layOutTable } from "../cli/text/table.ts";
import { longDuration } from "../cli/text/times.ts";

const FLAGS = { ...CLIENT_FLAGS, json: toggle("print the server's report as a JSON object") } as const;

/** Prints how the server is doing. */
export const statsCommand: Command = {
  name: "stats",
  summary: "Print how the server is doing: what it holds, and what it has counted.",
  details: ["With --json the members are those of Stats in the library; later versions may add some."],
  flags: FLAGS,
  examples: [
    { line: "tracker stats", meaning: "prints a table for people" },
    { line: "tracker stats --json | jq .now.clients", meaning: "prints how many clients there are" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const stats = await ask(await clientOptions(flags), (client) => client.stats());
  await write(flags.json ? `${safeJson(stats)}\n` : tableOf(stats));
  return 0;
}

function tableOf(stats: Stats): string {
  const { now, bytes, lag } = stats;
  const rows = [
    ["version", stats.version],
    ["incarnation", stats.incarnation],
    ["up for", longDuration(stats.uptime)],
    ["clients", `${number(now.clients)}, of which ${number(now.suspects)} suspect`],
    ["connections", `${number(now.connections)}, of which ${number(now.watchers)} watch`],
    ["states", `${number(now.stateBytes)} bytes, revision ${number(stats.revision)}`],
    ["accepted", `${number(stats.accepted)} connections`],
    ["received", `${number(bytes.received)} bytes`],
    ["sent", `${number(bytes.sent)} bytes`],
    ...Object.entries(stats.messages).map(([dialect, counts]) => [`${dialect} messages`, listOf(counts)]),
    ["errors", listOf(stats.errors)],
    ["refused", listOf(stats.refused)],
    ["changes skipped", `${number(stats.conflated)}, for watchers that fell behind`],
    ["lag", `${lag.last} ms, at worst ${lag.worst} ms`],
    ["noticed an end", ghostsOf(stats.ghost)],
  ];
  // A server may be anybody's: nothing of what it says is shown as it is.
  return layOutTable(rows.map((row) => row.map(escapeControls))).map((line) => `${line}\n`).join("");
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([name, count]) => `${name} ${number(count)}`).join(", ") || "none";
}

function ghostsOf({ count, sum }: Histogram): string {
  if (count === 0) return "of nobody yet who left without a Close";
  return `${number(count)} times, on average ${number(Math.round(sum / count))} ms after the last sign of life`;
}
