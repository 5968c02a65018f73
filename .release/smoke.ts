/**
 * `deno task smoke [TARGET]`: the tests from outside, run against a program in `dist/`.
 *
 * @module
 */

import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { programName, TARGETS } from "./targets.ts";
import { runProgram, runTask } from "./task.ts";

/**
 * Says where a program is.
 *
 * @param triple The target it was compiled for, as deno calls it
 * @param version Its version
 * @returns Its path from the project's top directory
 * @throws {ReleaseError} when there is no program for such a target
 */
export function programFor(triple: string, version: string): string {
  const target = TARGETS.find((target) => target.triple === triple);
  if (target === undefined) {
    const known = TARGETS.map(({ triple }) => triple).join(", ");
    throw new ReleaseError(`Cannot try the program for ${triple}: there is none, only for ${known}`);
  }
  return `dist/${programName(version, target)}`;
}

if (import.meta.main) {
  await runTask("smoke", async () => {
    const program = programFor(Deno.args[0] ?? Deno.build.target, VERSION);
    await runProgram(Deno.execPath(), ["task", "blackbox", program]);
  });
}
