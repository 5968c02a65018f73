/**
 * `deno task smoke [TARGET]`: tests a program in `dist/` from outside.
 *
 * @module
 */

import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { programName, TARGETS } from "./targets.ts";
import { runProgram, runTask } from "./task.ts";

/**
 * Finds the program for a target.
 *
 * @param triple The target, as Deno names it
 * @param version The program's version
 * @returns Its path from the project's top directory
 * @throws {ReleaseError} when programs are not built for that target
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
