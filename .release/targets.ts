/**
 * The targets: the systems that programs are built for.
 *
 * @module
 */

/** A system, as Deno names it and as the program's name does. */
export interface Target {
  /** What `deno compile --target` takes. */
  readonly triple: string;
  /** The operating system in the program's name. */
  readonly os: "linux" | "macos" | "windows";
  /** The processor in the program's name. */
  readonly arch: "x86_64" | "aarch64";
}

/** Every target. The second one is for a Raspberry Pi with a 64-bit system. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", os: "linux", arch: "x86_64" },
  { triple: "aarch64-unknown-linux-gnu", os: "linux", arch: "aarch64" },
  { triple: "x86_64-apple-darwin", os: "macos", arch: "x86_64" },
  { triple: "aarch64-apple-darwin", os: "macos", arch: "aarch64" },
  { triple: "x86_64-pc-windows-msvc", os: "windows", arch: "x86_64" },
  { triple: "aarch64-pc-windows-msvc", os: "windows", arch: "aarch64" },
];

/**
 * Names the program for a target.
 *
 * @param version The version, such as `0.1.0`
 * @param target The target
 * @returns Such as `tracker-0.1.0-linux-x86_64`
 */
export function programName(version: string, { os, arch }: Target): string {
  return `tracker-${version}-${os}-${arch}${os === "windows" ? ".exe" : ""}`;
}

/**
 * Finds the targets that a Deno can compile for in its refusal of an unknown one. Its help lists them in some versions
 * only.
 *
 * @param refusal What it wrote to standard error
 * @returns Those of {@linkcode TARGETS} that it knows; all of them if the refusal has no list
 */
export function knownTargets(refusal: string): readonly Target[] {
  const [, list] = /possible values: ([\w, -]+)/.exec(refusal) ?? [];
  const triples = list?.split(", ");
  return triples === undefined ? TARGETS : TARGETS.filter(({ triple }) => triples.includes(triple));
}

/**
 * Detects from the first bytes of a program what it runs on.
 *
 * @param head The first {@linkcode HEAD_SIZE} bytes, or as many as there are
 * @returns Such as `linux x86_64`; `undefined` if it is no program for any target
 */
export function systemOf(head: Uint8Array): string | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 64) return undefined;
  // ELF: the machine is 16 bits at 18.
  if (view.getUint32(0) === 0x7f454c46) return nameOf("linux", view.getUint16(18, true), 0x3e, 0xb7);
  // Mach-O of 64 bits: the processor follows the magic number.
  if (view.getUint32(0, true) === 0xfeedfacf) return nameOf("macos", view.getUint32(4, true), 0x01000007, 0x0100000c);
  // PE: the offset of its header is 32 bits at 60, and the machine follows the four bytes "PE\0\0".
  const header = view.getUint32(60, true);
  if (view.getUint16(0) !== 0x4d5a || header + 6 > head.length || view.getUint32(header) !== 0x50450000) {
    return undefined;
  }
  return nameOf("windows", view.getUint16(header + 4, true), 0x8664, 0xaa64);
}

/** Bytes at the beginning of a program that {@linkcode systemOf} looks at. */
const HEAD_SIZE = 1_024;

/**
 * Detects what a program runs on.
 *
 * @param path The path of the program
 * @returns As {@linkcode systemOf}
 */
export async function systemOfFile(path: string): Promise<string | undefined> {
  using file = await Deno.open(path);
  const head = new Uint8Array(HEAD_SIZE);
  return systemOf(head.subarray(0, await file.read(head) ?? 0));
}

function nameOf(os: Target["os"], machine: number, x86_64: number, aarch64: number): string | undefined {
  if (machine === x86_64) return `${os} x86_64`;
  return machine === aarch64 ? `${os} aarch64` : undefined;
}
