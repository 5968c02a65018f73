/**
 * The fuzzer's command line.
 *
 * @module
 */

import { parseFlags, toggle } from "../../lib/cli/flags/flags.ts";
import { UsageError } from "../../lib/cli/flags/usage.ts";
import { choice, integer } from "../../lib/cli/flags/values.ts";
import { progress, write, writeError } from "../bench/output.ts";
import { Coverage } from "./coverage.ts";
import { fuzz, type Outcome } from "./fuzzer.ts";
import { formatJson, formatOutcomes, formatProgress } from "./report.ts";
import { TARGETS } from "./targets/mod.ts";

const HIGHEST_SEED = 2 ** 32 - 1;

const FLAGS = {
  seconds: {
    placeholder: "N",
    default: "10",
    description: "time for each target; 0 only replays the corpus",
    parse: integer(0, 1_000_000),
  },
  inputs: {
    placeholder: "N",
    default: "0",
    description: "stop a target after this many inputs, if that is earlier; 0 for no limit",
    parse: integer(0, 1e12),
  },
  seed: {
    placeholder: "S",
    default: `${crypto.getRandomValues(new Uint32Array(1))[0]}`,
    description: "seed of the random numbers; a new one each time unless given",
    parse: integer(0, HIGHEST_SEED),
  },
  target: {
    placeholder: "NAME",
    default: "all",
    description: `one of ${TARGETS.map(({ name }) => name).join(", ")}, or all of them`,
    ...choice(["all", ...TARGETS.map(({ name }) => name)]),
  },
  json: toggle("print JSON"),
} as const;

const HELP = `deno task fuzz [OPTIONS]

Feeds random inputs to parts of Tracker and checks what they promise. An input that breaks a
promise is minimised and saved in tests/fuzz/corpus/; the exit code is then 1.

${Object.entries(FLAGS).map(([name, flag]) => lineOf(name, flag)).join("\n")}
`;

function lineOf(name: string, flag: { placeholder?: string; description: string }): string {
  return `  ${`--${name} ${flag.placeholder ?? ""}`.padEnd(16)} ${flag.description}`;
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { seconds, inputs, seed, target: wanted, json } = parseFlags(args, FLAGS).flags;
  const outcomes: Outcome[] = [];
  for (const target of TARGETS) {
    if (signal.aborted || (wanted !== "all" && wanted !== target.name)) continue;
    using coverage = new Coverage(target.covers);
    const onProgress = (outcome: Outcome) => progress(formatProgress(outcome));
    outcomes.push(await fuzz(target, { seed, seconds, inputs: inputs || Infinity, coverage, signal, onProgress }));
  }
  progress("");
  write(json ? formatJson(outcomes, seed) : formatOutcomes(outcomes, seed));
  return outcomes.some(({ findings }) => findings.length !== 0) ? 1 : 0;
}

if (import.meta.main) {
  const stop = new AbortController();
  Deno.addSignalListener("SIGINT", () => stop.abort());
  let code = 0;
  try {
    if (Deno.args.includes("--help")) write(HELP);
    else code = await run(Deno.args, stop.signal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeError(`fuzz: ${error.message}\n`);
    code = 2;
  }
  Deno.exit(code);
}
