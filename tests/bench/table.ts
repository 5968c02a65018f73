/**
 * The report as a table.
 *
 * @module
 */

import type { Metric } from "./measurement.ts";
import { type Peer, PEERS } from "./peers.ts";
import type { Judgement, Load, Report, Row } from "./runner.ts";

/**
 * Formats a report.
 *
 * @param report The results
 * @param peers The servers that took part
 * @returns Lines of text
 */
export function formatReport({ rows, loads }: Report, peers: readonly Peer[]): string {
  const columns = PEERS.filter((peer) => peers.includes(peer));
  const figures = [
    ["case", "parameter", "figure", ...columns, "ratio (target)"],
    ...rows.map((row) => formatRow(row, columns)),
  ];
  const shares = [["case", "parameter", ...columns], ...formatLoads(loads, columns)];
  const missed = rows.flatMap(({ judgements }) => judgements).filter(({ met }) => !met).length;
  const verdict = missed === 0 ? "Every target is met." : `Targets missed: ${missed}.`;
  return `${align(figures)}\n\nProcessor use, server/generator (100% is one processor):\n${
    align(shares)
  }\n\n${verdict}\n`;
}

function formatRow(row: Row, columns: readonly Peer[]): string[] {
  const figures = columns.map((peer) => formatValue(row.medians[peer], row.unit));
  return [
    row.case,
    row.parameter,
    row.metric,
    ...figures,
    row.judgements.map((judgement) => formatJudgement(judgement, row)).join("; "),
  ];
}

function formatJudgement({ target: { against, ratio: wanted }, ratio, met }: Judgement, { better, unit }: Row): string {
  const name = typeof against === "number"
    ? formatValue(against, unit)
    : typeof against === "string"
    ? against
    : against.label;
  return `${ratio.toFixed(2)} × ${name} (${better === "more" ? "≥" : "≤"} ${wanted}) ${met ? "✓" : "✗ MISSED"}`;
}

/** One line a measurement, one column a server. */
function formatLoads(loads: readonly Load[], columns: readonly Peer[]): string[][] {
  const lines = new Map<string, string[]>();
  for (const load of loads) {
    const key = `${load.case} ${load.parameter}`;
    const line = lines.get(key) ?? [load.case, load.parameter, ...columns.map(() => "")];
    line[2 + columns.indexOf(load.peer)] = `${Math.round(load.server * 100)}/${Math.round(load.generator * 100)}%`;
    lines.set(key, line);
  }
  return [...lines.values()];
}

const SCALES: Record<Metric["unit"], readonly [number, string][]> = {
  "1/s": [[1e6, "M/s"], [1e3, "k/s"], [1, "/s"]],
  "B": [[2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
  "µs": [[1e3, "ms"], [1, "µs"]],
  "ms": [[1, "ms"]],
  "ns/B": [[1, "ns/B"]],
};

function formatValue(value: number | undefined, unit: Metric["unit"]): string {
  if (value === undefined) return "";
  const [size, name] = SCALES[unit].find(([size]) => Math.abs(value) >= size) ?? SCALES[unit].at(-1) ?? [1, unit];
  const scaled = value / size;
  return `${scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2)} ${name}`;
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd();
  return rows.map(line).join("\n");
}
