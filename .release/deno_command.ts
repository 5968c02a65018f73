/**
 * Deno's own commands, run by the deno that runs this.
 *
 * @module
 */

import { ReleaseError } from "./release_error.ts";

/** What a command of deno's has said. */
export interface Result {
  readonly success: boolean;
  /** All it wrote, without colours. */
  readonly output: string;
}

/**
 * Runs a command of deno's.
 *
 * @param args The command and its arguments
 * @returns How it ended
 */
export async function runDeno(args: readonly string[]): Promise<Result> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * Puts the failure of a command of deno's into one line.
 *
 * @param action What could not be done
 * @param output What the command said
 * @returns An error without deno's own stack trace, which is of no use to whoever builds a release
 */
export function failure(action: string, output: string): ReleaseError {
  const [, message = output.trim()] = /^error: ([^]*?)(?:\n\nStack backtrace:[^]*)?$/m.exec(output.trim()) ?? [];
  return new ReleaseError(`Cannot ${action}: ${message.replace(/\s+/g, " ")}`);
}
