/**
 * What a release is made of.
 *
 * @module
 */

/** A system and a processor that a program is built for. */
export interface Target {
  /** As `deno compile --target` takes it. */
  readonly target: string;
  /** As the name of the file has it. */
  readonly os: "linux" | "macos" | "windows";
  /** As the name of the file has it. */
  readonly arch: "x86_64" | "aarch64";
}

/** Every target of a release: all that `deno compile` knows. */
export const TARGETS: readonly Target[] = [
  { target: "x86_64-unknown-linux-gnu", os: "linux", arch: "x86_64" },
  { target: "aarch64-unknown-linux-gnu", os: "linux", arch: "aarch64" },
  { target: "x86_64-apple-darwin", os: "macos", arch: "x86_64" },
  { target: "aarch64-apple-darwin", os: "macos", arch: "aarch64" },
  { target: "x86_64-pc-windows-msvc", os: "windows", arch: "x86_64" },
  { target: "aarch64-pc-windows-msvc", os: "windows", arch: "aarch64" },
];

/**
 * Names the file that holds the program.
 *
 * @param target What it is built for
 * @param version The version it is
 * @returns Such as `tracker-0.1.0-linux-x86_64`
 */
export function fileNameOf({ os, arch }: Target, version: string): string {
  return `tracker-${version}-${os}-${arch}${os === "windows" ? ".exe" : ""}`;
}
