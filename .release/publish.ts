/**
 * `deno task publish-release [--dry-run]`: publishes `dist/` as a release on GitHub, with `gh`.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { CHECKSUMS } from "./checksums.ts";
import { readNotes } from "./notes.ts";
import { tagOf } from "./tag.ts";
import { programName, TARGETS } from "./targets.ts";
import { commandLine, DIST, runProgram, runTask } from "./task.ts";
import { verify } from "./verify.ts";

/** The files of a release besides a program for each target. */
const ALWAYS: readonly string[] = [`dist/${CHECKSUMS}`, ".release/tracker.service"];

/**
 * Makes the relative links of a page absolute.
 *
 * @param page Markdown, with links such as `./PROTOCOL.md`
 * @param base The URL of the project's files, with a slash at its end
 * @returns The page with absolute links
 */
export function withWholeLinks(page: string, base: string): string {
  return page.replaceAll(/\]\(\.\/([^)]+)\)/g, `](${base}$1)`);
}

/**
 * Lists the arguments with which `gh` publishes a version.
 *
 * @param version The version
 * @param notes What is new in it
 * @returns The arguments
 */
export function publication(version: string, notes: string): string[] {
  // gh keeps a release as a draft until all of its files are uploaded.
  return [
    "release",
    "create",
    tagOf(version),
    // The tag has been pushed already: gh must not create one.
    "--verify-tag",
    ...(version.includes("-") ? ["--prerelease"] : []),
    "--title",
    `Tracker ${version}`,
    "--notes",
    notes,
    ...TARGETS.map((target) => `dist/${programName(version, target)}`),
    ...ALWAYS,
  ];
}

/** Returns the URL of a version's files on GitHub, which sets both variables for its workflows. */
function filesOf(version: string): string {
  const server = Deno.env.get("GITHUB_SERVER_URL") ?? "https://example.com";
  const repository = Deno.env.get("GITHUB_REPOSITORY") ?? "tracker";
  return `${server}/${repository}/blob/${tagOf(version)}/`;
}

if (import.meta.main) {
  await runTask("publish-release", async () => {
    const args = publication(VERSION, withWholeLinks(await readNotes(VERSION), filesOf(VERSION)));
    if (Deno.args.includes("--dry-run")) return await write(`${commandLine("gh", args)}\n`);
    await verify(DIST, TARGETS.map((target) => programName(VERSION, target)));
    await runProgram("gh", args);
  });
}
