/**
 * The progress line and the report of a run.
 *
 * @module
 */

import type { Finding, Outcome } from "./fuzzer.ts";

/** Formats the progress of a run, in one line. */
export function formatProgress(outcome: Outcome): string {
  const { target, inputs, seconds, behaviours, blocks, findings } = outcome;
  const reached = blocks === null ? "" : `, ${blocks} blocks`;
  const failed = findings.length === 0 ? "" : `, ${findings.length} failures`;
  return `${target}: ${Math.floor(seconds)} s, ${count(inputs)} inputs, ${behaviours} behaviours${reached}${failed}`;
}

/** Formats the results as a table, followed by the failures. */
export function formatOutcomes(outcomes: readonly Outcome[], seed: number): string {
  const rows = [
    ["target", "inputs", "inputs/s", "behaviours", "blocks", "corpus", "failures"],
    ...outcomes.map(rowOf),
  ];
  const failures = outcomes.flatMap(({ target, findings }) =>
    findings.map((finding) => formatFinding(target, finding))
  );
  return `${align(rows)}\n\nseed ${seed}\n${failures.map((failure) => `\n${failure}`).join("")}`;
}

function rowOf({ target, inputs, seconds, behaviours, blocks, corpus, findings }: Outcome): string[] {
  const rate = seconds === 0 ? 0 : Math.round(inputs / seconds);
  const figures = [inputs, rate, behaviours].map(count);
  return [target, ...figures, blocks === null ? "-" : count(blocks), count(corpus), count(findings.length)];
}

function formatFinding(target: string, { rule, error, file }: Finding): string {
  const what = error instanceof Error ? error.stack ?? error.message : String(error);
  return [
    `${target} breaks a promise: ${rule}`,
    what.replace(/^/gm, "  "),
    `  input:  tests/fuzz/corpus/${target}/${file}`,
    `  repeat: deno task fuzz --target ${target} --seconds 0`,
    "",
  ].join("\n");
}

/** Formats the results as JSON. */
export function formatJson(outcomes: readonly Outcome[], seed: number): string {
  const targets = outcomes.map(({ findings, ...figures }) => ({
    ...figures,
    failures: findings.map(({ rule, error, file }) => ({ rule, error: String(error), file })),
  }));
  return `${JSON.stringify({ seed, targets }, null, 2)}\n`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n");
}
