/**
 * `deno task check-tag TAG`: checks that a tag is the one for releasing this checkout.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { readNotes } from "./notes.ts";
import { ReleaseError } from "./release_error.ts";
import { runTask } from "./task.ts";

/**
 * Names the tag of a version.
 *
 * @param version The version
 * @returns Such as `v0.1.0`
 */
export function tagOf(version: string): string {
  return `v${version}`;
}

/**
 * Checks that a tag belongs to a version.
 *
 * @param tag The tag
 * @param version The version in deno.json
 * @throws {ReleaseError} when it is missing or belongs to another version
 */
export function checkTag(tag: string | undefined, version: string): void {
  if (tag === undefined) throw new ReleaseError(`Cannot check the tag: give one, such as ${tagOf(version)}`);
  if (tag !== tagOf(version)) {
    throw new ReleaseError(
      `Cannot release ${tag}: deno.json has the version ${version}, so the tag must be ${tagOf(version)}`,
    );
  }
}

if (import.meta.main) {
  await runTask("check-tag", async () => {
    const [tag] = Deno.args;
    checkTag(tag, VERSION);
    await readNotes(VERSION);
    await write(`${tag} is the tag of this version, and CHANGELOG.md has its notes\n`);
  });
}
