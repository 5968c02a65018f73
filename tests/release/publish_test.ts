import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { imageBuild } from "../../.release/image.ts";
import { publication } from "../../.release/publish.ts";
import { programFor } from "../../.release/smoke.ts";
import { checkTag } from "../../.release/tag.ts";
import { programName, TARGETS } from "../../.release/targets.ts";
import { commandLine } from "../../.release/task.ts";
import { VERSION } from "../../lib/version.ts";
import { read, ROOT } from "../support/page.ts";

Deno.test("only the version's own tag is accepted", () => {
  checkTag("v0.1.0", "0.1.0");
  for (const tag of ["v0.1.1", "0.1.0", "v0.1.0-rc.1", "v0.1.0\n", ""]) {
    assertThrows(() => checkTag(tag, "0.1.0"), Error, "the tag must be v0.1.0");
  }
  assertThrows(() => checkTag(undefined, "0.1.0"), Error, "give one");
});

Deno.test("a release has a program for every target, checksums and the systemd unit", () => {
  const args = publication("0.1.0", "Notes.\n");
  for (const target of TARGETS) assert(args.includes(`dist/${programName("0.1.0", target)}`), target.triple);
  assertEquals(args.slice(-2), ["dist/SHA256SUMS", ".release/tracker.service"]);
  assertEquals(args.slice(0, 4), ["release", "create", "v0.1.0", "--verify-tag"]);
});

Deno.test("a prerelease is neither the latest release nor the latest image", () => {
  assert(publication("0.2.0-rc.1", "Notes.\n").includes("--prerelease"));
  assert(!publication("0.2.0", "Notes.\n").includes("--prerelease"));
  const image = { name: "tracker", push: false };
  assert(!imageBuild({ ...image, version: "0.2.0-rc.1" }).includes("tracker:latest"));
  assert(imageBuild({ ...image, version: "0.2.0" }).includes("tracker:latest"));
});

Deno.test("a pushed image is built for every processor, a local one for this processor", () => {
  const image = { name: "ghcr.io/someone/tracker", version: "0.1.0" };
  const pushed = commandLine("docker", imageBuild({ ...image, push: true }));
  assertStringIncludes(pushed, "--platform linux/amd64,linux/arm64 --push");
  assert(!commandLine("docker", imageBuild({ ...image, push: false })).includes("--platform"));
});

Deno.test("a formatted command is read by a shell as it is", async () => {
  const words = ["plain", "two words", "it's", '$HOME `x` "y"\nz', ""];
  assertEquals(commandLine("program", ["a-b", "c d"]), "program a-b 'c d'");
  if (Deno.build.os === "windows") return; // It has no such shell.
  const line = commandLine("printf", ["%s|", ...words]);
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assertEquals(new TextDecoder().decode(stdout), words.map((word) => `${word}|`).join(""));
});

/** Runs a task as the workflows do, before anything has been built. */
async function runTask(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", ...args], cwd: ROOT, env: { NO_COLOR: "1" } });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the tasks of a release print what they would do, and what is wrong", async () => {
  const notes = await runTask("notes");
  assertEquals(notes.code, 0, notes.stderr);
  assertStringIncludes(await read("CHANGELOG.md"), notes.stdout);
  assertEquals((await runTask("check-tag", `v${VERSION}`)).code, 0);
  const wrong = await runTask("check-tag", "v0.0.0");
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, `check-tag: Cannot release v0.0.0: deno.json has the version ${VERSION}`);
  const published = await runTask("publish-release", "--dry-run");
  assertStringIncludes(published.stdout, `gh release create v${VERSION} --verify-tag`);
  const image = await runTask("image", "--dry-run");
  assertStringIncludes(image.stdout, `docker buildx build --file .release/Dockerfile`);
});

Deno.test("the program to try is found by its target", () => {
  assertEquals(programFor("aarch64-unknown-linux-gnu", "0.1.0"), "dist/tracker-0.1.0-linux-aarch64");
  assertEquals(programFor("x86_64-pc-windows-msvc", "0.1.0"), "dist/tracker-0.1.0-windows-x86_64.exe");
  assertThrows(() => programFor("armv7-unknown-linux-gnueabihf", "0.1.0"), Error, "there is none, only for x86_64-");
});
