/**
 * `deno task notes [VERSION]`: prints what CHANGELOG.md says about a version.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { ROOT, runTask } from "./task.ts";

/**
 * Extracts the section of a version from a changelog.
 *
 * @param changelog The changelog, in the format of Keep a Changelog
 * @param version The version, without a `v`
 * @returns The text under its heading
 * @throws {ReleaseError} when the section is missing, or has no date or no content
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`[${version}]`));
  if (section === undefined) {
    const known = sections.map((text) => /^\[(.+?)\]/.exec(text)?.[1] ?? "?").join(", ");
    throw new ReleaseError(`Cannot find notes: CHANGELOG.md has no section "[${version}]", only ${known}`);
  }
  const [heading = "", ...lines] = section.split("\n");
  if (!/\] - \d{4}-\d\d-\d\d$/.test(heading)) {
    throw new ReleaseError(`Cannot find notes: CHANGELOG.md has no date in "## ${heading}"`);
  }
  const notes = lines.join("\n").trim();
  if (notes === "") throw new ReleaseError(`Cannot find notes: CHANGELOG.md says nothing about ${version}`);
  return `${notes}\n`;
}

/**
 * Reads what the project's changelog says about a version.
 *
 * @param version The version, without a `v`
 * @returns The text under its heading
 * @throws {ReleaseError} as {@linkcode notesOf} does
 */
export async function readNotes(version: string): Promise<string> {
  return notesOf(await Deno.readTextFile(new URL("CHANGELOG.md", ROOT)), version);
}

if (import.meta.main) {
  await runTask("notes", async () => write(await readNotes(Deno.args[0] ?? VERSION)));
}
