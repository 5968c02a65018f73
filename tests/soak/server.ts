/**
 * The server under load: the very command that users run, which also says how much memory it has when a line comes in.
 *
 * Run with `--v8-flags=--expose-gc`: memory is only worth comparing when nothing is left to collect.
 *
 * @module
 */

import { TextLineStream } from "../../lib/cli/std.ts";
import { serveCommand } from "../../lib/commands/serve.ts";

const { gc } = globalThis as { gc?: () => void };

async function answer(): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    if (line === "collect") gc?.();
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(Deno.memoryUsage())}\n`));
  }
  // Nobody is left to ask.
  Deno.exit(1);
}

if (import.meta.main) {
  void answer();
  Deno.exit(await serveCommand.run(Deno.args, { exit: Deno.exit }));
}
