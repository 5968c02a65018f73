/**
 * The helper's side of its conversation with the test.
 *
 * @module
 */

import { TextLineStream } from "../../../lib/cli/std.ts";

/** Reads the job from the command line. */
export function job<T>(): T {
  return JSON.parse(Deno.args[0] ?? "null");
}

/** Sends an answer to the test. */
export function tell(answer: unknown): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** The test's questions, until its end of the pipe is closed. */
export async function* questions<T>(): AsyncGenerator<T> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) yield JSON.parse(line);
}
