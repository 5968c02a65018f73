/**
 * The server under load: the command that users run, which also prints its memory for each line of input.
 *
 * Run it with `--v8-flags=--expose-gc`: memory is comparable only after garbage collection.
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
  // The soak has ended.
  Deno.exit(1);
}

if (import.meta.main) {
  void answer();
  Deno.exit(await serveCommand.run(Deno.args, { exit: Deno.exit }));
}
