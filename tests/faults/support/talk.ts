/**
 * A helper's side of the talk with its test.
 *
 * @module
 */

import { TextLineStream } from "../../../lib/cli/std.ts";

/** What the test wants, from the command line. */
export function job<T>(): T {
  return JSON.parse(Deno.args[0] ?? "null");
}

/** Tells the test something. */
export function tell(answer: unknown): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** What the test asks, until it asks nothing more. */
export async function* questions<T>(): AsyncGenerator<T> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) yield JSON.parse(line);
}
