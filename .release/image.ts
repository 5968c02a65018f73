/**
 * `deno task image [--push] [--dry-run]`: makes a container image out of `dist/`, with `docker`.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { programName, TARGETS } from "./targets.ts";
import { commandLine, DIST, runProgram, runTask } from "./task.ts";

/** What Docker calls the processors that programs for Linux are built for. */
const PLATFORMS = { x86_64: "amd64", aarch64: "arm64" } as const;

/** What the Dockerfile finds: a directory for each processor, with the program in it. */
const CONTEXT = new URL("image/", DIST);

/** What an image is made of. */
export interface ImageOptions {
  readonly version: string;
  /** Where images are kept, such as `ghcr.io/someone/tracker`. */
  readonly name: string;
  /** Whether the image goes there, for every processor, or stays here, for this one. */
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

/** Puts the programs where the Dockerfile looks for them: only they go to the builder, so no .dockerignore is needed. */
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

/** Where GitHub keeps a project's images, whose names have no capitals; on any other machine just a name. */
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
