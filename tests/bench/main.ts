/**
 * The benchmark: starts the servers, drives all of them alike, and prints the figures side by side.
 *
 * @module
 */

import { CASES } from "./cases/mod.ts";
import { HELP, type Options, parseOptions, UsageError } from "./options.ts";
import { progress, write, writeError } from "./output.ts";
import { missingPeers } from "./peers.ts";
import { killAll } from "./process.ts";
import { type Report, runCase } from "./runner.ts";
import { formatReport } from "./table.ts";

async function run(options: Options): Promise<void> {
  const missing = missingPeers();
  if (missing.length !== 0) {
    writeError(`${missing.join(" and ")} not installed: apt-get install redis-server memcached\n`);
  }
  const peers = options.peers.filter((peer) => !missing.includes(peer));
  const report: Report = { rows: [], loads: [] };
  for (const benchmark of CASES) {
    if (!options.names.includes(benchmark.name)) continue;
    const { rows, loads } = await runCase(benchmark, { ...options, peers });
    report.rows.push(...rows);
    report.loads.push(...loads);
  }
  progress("");
  write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, peers));
}

function endOn(signal: Deno.Signal, code: number): void {
  Deno.addSignalListener(signal, () => {
    killAll();
    Deno.exit(code);
  });
}

// Other servers, and other figures: it stands for itself.
if (import.meta.main && Deno.args[0] === "web") {
  await import("./web/main.ts");
  Deno.exit();
}

if (import.meta.main) {
  endOn("SIGINT", 130);
  endOn("SIGTERM", 143);
  let code = 0;
  try {
    const options = parseOptions(Deno.args);
    if (options.help) write(HELP);
    else await run(options);
  } catch (error) {
    if (error instanceof UsageError) writeError(`bench: ${error.message}\n`);
    else writeError(`bench: ${error instanceof Error ? error.stack : error}\n`);
    code = error instanceof UsageError ? 2 : 1;
  } finally {
    killAll();
  }
  Deno.exit(code);
}
