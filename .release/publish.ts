/**
 * `deno task publish-release [--dry-run]`: makes a release on GitHub out of `dist/`, with `gh`.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { readNotes } from "./notes.ts";
import { tagOf } from "./tag.ts";
import { programName, TARGETS } from "./targets.ts";
import { commandLine, DIST, runProgram, runTask } from "./task.ts";
import { verify } from "./verify.ts";

/** What a release has besides a program for each target. */
const ALWAYS: readonly string[] = ["dist/SHA256SUMS", ".release/tracker.service"];

/**
 * Makes a page's links inside the project lead there from anywhere.
 *
 * @param page Markdown, with links such as `./PROTOCOL.md`
 * @param base The address of the project's files, with a slash at its end
 * @returns The page, with whole addresses
 */
export function withWholeLinks(page: string, base: string): string {
  return page.replaceAll(/\]\(\.\/([^)]+)\)/g, `](${base}$1)`);
}

/**
 * Says how `gh` is told to publish a version.
 *
 * @param version The version
 * @param notes What is new in it
 * @returns The arguments
 */
export function publication(version: string, notes: string): string[] {
  // A release appears when all of its files are there: until then gh keeps it as a draft.
  return [
    "release",
    "create",
    tagOf(version),
    // The tag was pushed: gh must not invent one.
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

/** Where GitHub shows the files of a version. It sets both variables wherever its workflows run. */
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
