/**
 * Deno's own commands, run with the same Deno as this.
 *
 * @module
 */

import { ReleaseError } from "./release_error.ts";

/** The result of a Deno command. */
export interface Result {
  readonly success: boolean;
  /** Its output and its errors, without colours. */
  readonly output: string;
}

/**
 * Runs a Deno command.
 *
 * @param args The command and its arguments
 * @returns Its result
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
 * Describes the failure of a Deno command in one line.
 *
 * @param action What could not be done
 * @param output What the command wrote
 * @returns An error without Deno's own stack trace, which does not help to build a release
 */
export function failure(action: string, output: string): ReleaseError {
  const [, message = output.trim()] = /^error: ([^]*?)(?:\n\nStack backtrace:[^]*)?$/m.exec(output.trim()) ?? [];
  return new ReleaseError(`Cannot ${action}: ${message.replace(/\s+/g, " ")}`);
}
