/**
 * Runs simulations one after another, each from its own seed, until the time is up or one fails.
 *
 * @module
 */

import { progress, write, writeError } from "../bench/output.ts";
import { HELP, type Options, parseOptions, UsageError } from "./options.ts";
import { type IdentityReport, simulateIdentity } from "./identity.ts";
import { type Report, simulate } from "./simulation.ts";

/** Runs the simulations and returns the exit code. */
async function run({ seed: first, seconds, json }: Options): Promise<number> {
  const reports: Report[] = [];
  const identities: IdentityReport[] = [];
  const start = performance.now();
  let seed = first;
  do {
    progress(`simulation ${reports.length + 1}, seed ${seed}, ${Math.round((performance.now() - start) / 1_000)} s`);
    try {
      reports.push(await simulate(seed));
      identities.push(await simulateIdentity(seed));
    } catch (error) {
      progress("");
      return fail(seed, error, json);
    }
    seed = (seed + 1) >>> 0;
  } while (performance.now() - start < seconds * 1_000);
  progress("");
  const report = { seed: first, failed: null, reports, identities };
  write(json ? `${JSON.stringify(report, null, 2)}\n` : summarize(first, reports) + summarizeIdentities(identities));
  return 0;
}

function fail(seed: number, error: unknown, json: boolean): number {
  const repeat = `deno task simulate --seed ${seed} --seconds 0`;
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  if (json) write(`${JSON.stringify({ seed, failed: { seed, error: text, repeat } }, null, 2)}\n`);
  writeError(`simulate: seed ${seed} failed: ${text}\nTo repeat it: ${repeat}\n`);
  return 1;
}

function summarize(first: number, reports: readonly Report[]): string {
  const sum = (key: keyof Report) => reports.reduce((all, report) => all + report[key], 0).toLocaleString("en");
  return `${reports.length} simulations from seed ${first} on: every mirror was the map.
${sum("connections")} connections made ${sum("changes")} changes in ${sum("seconds")} virtual seconds.
Watchers got ${sum("snapshots")} snapshots, came back ${sum("resumes")} times, read ${sum("events")} events, ${
    sum("leaves")
  } of them leaves,
skipped ${sum("skipped")} changes, and were closed ${sum("slow")} times with SLOW_CONSUMER. ${
    sum("lists")
  } lists were right.
`;
}

function summarizeIdentities(reports: readonly IdentityReport[]): string {
  const sum = (key: keyof IdentityReport) => reports.reduce((all, report) => all + report[key], 0).toLocaleString("en");
  return `Everybody was there in time, and nobody was thrown out by his own past: ${sum("powerCuts")} power cuts, ${
    sum("restarts")
  } restarts,
${sum("superseded")} Hellos too late, ${sum("takenBack")} names taken back, ${sum("puts")} Puts in order, ${
    sum("late")
  } of them too late and refused.
`;
}

if (import.meta.main) {
  let code: number;
  try {
    const options = parseOptions(Deno.args);
    if (options.help) write(HELP);
    code = options.help ? 0 : await run(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeError(`simulate: ${error.message}\n`);
    code = 2;
  }
  Deno.exit(code);
}
