/**
 * `deno task image [--push] [--dry-run]`: makes a container image out of `dist/`, with `docker`.
 *
 * @module
 */

import { write } from "../lib/commands/output.ts";
import { VERSION } from "../lib/commands/version.ts";
import { commandLine, runProgram, runTask } from "./task.ts";

/** The processors an image is made for, as Docker calls them. Each has a stage of that name in the Dockerfile. */
export const PLATFORMS: readonly string[] = ["linux/amd64", "linux/arm64"];

/** What an image is made of. */
export interface ImageOptions {
  readonly version: string;
  /** Where images are kept, such as `ghcr.io/someone/tracker`. */
  readonly name: string;
  /** Whether the image goes there, for every platform, or stays here, for this one. */
  readonly push: boolean;
}

/**
 * Says how `docker` is told to build an image.
 *
 * @param options What it is made of
 * @returns The arguments
 */
export function imageBuild({ version, name, push }: ImageOptions): string[] {
  // Whoever asks for the latest version does not mean one that is not yet done.
  const tags = version.includes("-") ? [version] : [version, "latest"];
  return [
    "buildx",
    "build",
    "--file",
    ".release/Dockerfile",
    ...tags.flatMap((tag) => ["--tag", `${name}:${tag}`]),
    "--label",
    `org.opencontainers.image.version=${version}`,
    ...(push ? ["--platform", PLATFORMS.join(","), "--push"] : ["--load"]),
    // Nothing but the programs goes to the builder, so no .dockerignore is needed.
    "dist",
  ];
}

/** Where GitHub keeps a project's images, whose names have no capitals; on any other machine just a name. */
function imageName(): string {
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  return repository === undefined ? "tracker" : `ghcr.io/${repository.toLowerCase()}`;
}

if (import.meta.main) {
  await runTask("image", async () => {
    const args = imageBuild({ version: VERSION, name: imageName(), push: Deno.args.includes("--push") });
    if (Deno.args.includes("--dry-run")) return await write(`${commandLine("docker", args)}\n`);
    await runProgram("docker", args);
  });
}
