/**
 * The soak's command line.
 *
 * @module
 */

import { progress, write, writeError } from "../bench/output.ts";
import { HELP, type Options, parseOptions, UsageError } from "./options.ts";
import { drawPicture } from "./picture.ts";
import type { Sample } from "./recorder.ts";
import { type Report, soak } from "./soak.ts";
import { closingLine, formatReport } from "./summary.ts";
import { growthOf } from "./verdict.ts";

/** Time that this program may take to end by itself when everything is done, in milliseconds. */
const LAST_BREATH = 5_000;

const INTERRUPTED = 130;

async function run(options: Options): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => stop.signal.aborted ? Deno.exit(INTERRUPTED) : stop.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  const { seed, connections, minutes } = options;
  try {
    writeError(`soak: ${minutes} minutes, --seed ${seed}\n`);
    const onSample = (sample: Sample) => progress(progressOf(sample, minutes));
    const report = await soak({ duration: minutes * 60_000, seed, connections, signal: stop.signal, onSample });
    progress("");
    return await conclude(report, options);
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", interrupt);
  }
}

async function conclude(report: Report, { json, plot, minutes, seed }: Options): Promise<number> {
  const problems = report.interrupted ? [] : growthOf(report.before, report.after, report.warmUp);
  const title = `deno task soak --minutes ${minutes} --seed ${seed}`;
  if (plot !== null) await Deno.writeTextFile(plot, drawPicture(title, report.samples));
  write(json ? `${JSON.stringify({ ...report, problems }, null, 2)}\n` : formatReport(report, problems));
  if (report.interrupted) return INTERRUPTED;
  return problems.length === 0 ? 0 : 1;
}

function progressOf(sample: Sample, minutes: number): string {
  const { at, rss, clients, watchers, messages } = sample;
  const megabytes = Math.round(rss / 2 ** 20);
  const load = `${clients} clients, ${watchers} watchers, ${messages} messages/s`;
  return `soak: ${Math.round(at)} of ${Math.round(minutes * 60)} s: ${load}, ${megabytes} MiB`;
}

/** Reports an error and returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    writeError(`soak: ${error.message}\n`);
    return 2;
  }
  writeError(`soak: failed: ${error instanceof Error ? error.stack : error}\n`);
  write(`${closingLine(false, performance.now() / 1_000)}\n`);
  return 1;
}

/** Fails if the program does not end: then a timer, connection or process was left behind. */
function mustEnd(): void {
  const timer = setTimeout(() => {
    writeError("soak: failed: the soak itself does not end: it left something behind\n");
    Deno.exit(1);
  }, LAST_BREATH);
  Deno.unrefTimer(timer);
}

if (import.meta.main) {
  try {
    const options = parseOptions(Deno.args);
    if (options.help) write(HELP);
    else Deno.exitCode = await run(options);
  } catch (error) {
    progress("");
    Deno.exitCode = explain(error);
  }
  mustEnd();
}
