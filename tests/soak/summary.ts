/**
 * A run's report as text.
 *
 * @module
 */

import { messagesOf } from "./recorder.ts";
import type { Report } from "./soak.ts";

/**
 * Writes a report as text. Its last line counts the run as one test.
 *
 * @param report Results of the run
 * @param problems Problems found at the end
 * @returns Lines of text
 */
export function formatReport(report: Report, problems: readonly string[]): string {
  const { before, after, samples, stats } = report;
  const highest = (value: (sample: typeof samples[number]) => number) => Math.max(0, ...samples.map(value));
  const row = (name: string, numbers: readonly (number | string)[]) =>
    `  ${name.padEnd(22)}${numbers.map((number) => `${number}`.padStart(12)).join("")}`;
  return [
    `seed ${report.seed}: ${report.seconds} s, ${report.checks} comparisons with the model, all equal`,
    `${report.connections} connections, ${messagesOf(stats)} messages, ${stats.revision} changes of the map`,
    "",
    row("the server", ["warmed up", "at the end", "at most"]),
    row("resident memory, MiB", [mib(before.rss), mib(after.rss), mib(highest(({ rss }) => rss))]),
    row("heap in use, MiB", [mib(before.heap), mib(after.heap), mib(highest(({ heap }) => heap))]),
    row("buffers, MiB", [mib(before.external), mib(after.external), mib(highest(({ external }) => external))]),
    row("descriptors", [before.descriptors, after.descriptors, highest(({ descriptors }) => descriptors)]),
    row("connections", [before.connections, after.connections, highest(({ connections }) => connections)]),
    row("watchers", [before.watchers, after.watchers, highest(({ watchers }) => watchers)]),
    row("suspects", [before.suspects, after.suspects, highest(({ suspects }) => suspects)]),
    "",
    `watchers: ${stats.conflated} changes conflated, ${report.watchersCut} cut off`,
    `error replies: ${listOf(stats.errors)}`,
    `done: ${listOf(report.operations)}`,
    ...problems.map((problem) => `PROBLEM: ${problem}`),
    report.interrupted ? "interrupted" : closingLine(problems.length === 0, report.seconds),
    "",
  ].join("\n");
}

/**
 * Formats the last line as the test runner does, so that scripts that add up tests can count this one.
 *
 * @param passed Whether the run passed
 * @param seconds Duration of the run
 */
export function closingLine(passed: boolean, seconds: number): string {
  const counts = passed ? "1 passed | 0 failed" : "0 passed | 1 failed";
  return `${passed ? "ok" : "FAILED"} | ${counts} (${Math.round(seconds)}s)`;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
