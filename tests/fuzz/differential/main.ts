/**
 * `deno task compare`: our HTTP and WebSocket against Node.js's parser and the package ws.
 *
 * @module
 */

import { parseFlags } from "../../../lib/cli/flags/flags.ts";
import { integer } from "../../../lib/cli/flags/values.ts";
import { progress, write, writeError } from "../../bench/output.ts";
import { runFrames, runHeads } from "./compare.ts";
import { Violation } from "./tally.ts";

const FLAGS = {
  inputs: { placeholder: "N", default: "100000", description: "inputs of each kind", parse: integer(1, 1e9) },
  seed: {
    placeholder: "S",
    default: `${crypto.getRandomValues(new Uint32Array(1))[0]}`,
    description: "seed of the random numbers; a new one each time unless given",
    parse: integer(0, 2 ** 32 - 1),
  },
} as const;

const HELP = `deno task compare [--inputs N] [--seed S]

Gives heads of requests to our parser and to Node.js's, and frames of WebSocket to ours and to the
package ws. Ends with exit code 1 as soon as we take something that the other takes for something else.
`;

if (Deno.args.includes("--help")) {
  write(HELP);
  Deno.exit();
}

const { flags } = parseFlags(Deno.args, FLAGS);

try {
  for (const [name, run] of [["heads of requests, with Node.js", runHeads], ["frames, with ws", runFrames]] as const) {
    const onProgress = (done: number) => progress(`${name}: ${done} of ${flags.inputs}`);
    const tally = await run({ ...flags, onProgress });
    progress("");
    write(
      `${name}: ${tally.total} inputs, seed ${flags.seed}\n${tally.lines.map((line) => `  ${line}\n`).join("")}`,
    );
  }
} catch (error) {
  if (!(error instanceof Violation)) throw error;
  writeError(`${error.message}\n`);
  Deno.exit(1);
}
