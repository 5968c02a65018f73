/**
 * `deno task image [--push] [--dry-run]`: builds a container image from `dist/`, with `docker`.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { programName, TARGETS } from "./targets.ts";
import { commandLine, DIST, runProgram, runTask } from "./task.ts";

/** Docker's names for the processors of the programs for Linux. */
const PLATFORMS = { x86_64: "amd64", aarch64: "arm64" } as const;

/** The context of the build: a directory for each processor, with the program in it. */
const CONTEXT = new URL("image/", DIST);

/** Options for {@linkcode imageBuild}. */
export interface ImageOptions {
  readonly version: string;
  /** The name of the image, such as `ghcr.io/someone/tracker`. */
  readonly name: string;
  /** Whether to push the image for every processor, or to keep it here, for this one. */
  readonly push: boolean;
}

/**
 * Lists the arguments with which `docker` builds an image.
 *
 * @param options The image
 * @returns The arguments
 */
export function imageBuild({ version, name, push }: ImageOptions): string[] {
  // The latest version is never a prerelease.
  const tags = version.includes("-") ? [version] : [version, "latest"];
  const platforms = Object.values(PLATFORMS).map((platform) => `linux/${platform}`).join(",");
  return [
    "buildx",
    "build",
    "--file",
    ".release/Dockerfile",
    ...tags.flatMap((tag) => ["--tag", `${name}:${tag}`]),
    "--label",
    `org.opencontainers.image.version=${version}`,
    ...(push ? ["--platform", platforms, "--push"] : ["--load"]),
    "dist/image",
  ];
}

/** Copies the programs into the context: nothing else goes to the builder, so no .dockerignore is needed. */
async function assemble({ version, push }: ImageOptions): Promise<void> {
  await Deno.remove(CONTEXT, { recursive: true }).catch(() => {});
  for (const target of TARGETS.filter(({ os, arch }) => os === "linux" && (push || arch === Deno.build.arch))) {
    const directory = new URL(`${PLATFORMS[target.arch]}/`, CONTEXT);
    await Deno.mkdir(directory, { recursive: true });
    await Deno.copyFile(new URL(programName(version, target), DIST), new URL("tracker", directory)).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      const why = `dist/ has no ${programName(version, target)}; deno task compile makes it`;
      throw new ReleaseError(`Cannot make an image: ${why}`);
    });
  }
}

/** Names the image as GitHub does, whose names have no capitals; elsewhere a plain name. */
function imageName(): string {
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  return repository === undefined ? "tracker" : `ghcr.io/${repository.toLowerCase()}`;
}

if (import.meta.main) {
  await runTask("image", async () => {
    const options: ImageOptions = { version: VERSION, name: imageName(), push: Deno.args.includes("--push") };
    const args = imageBuild(options);
    if (Deno.args.includes("--dry-run")) return await write(`${commandLine("docker", args)}\n`);
    await assemble(options);
    await runProgram("docker", args);
  });
}
