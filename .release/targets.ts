/**
 * The systems that there is a program for.
 *
 * @module
 */

/** A system, as deno calls it and as the name of the program does. */
export interface Target {
  /** What `deno compile --target` takes. */
  readonly triple: string;
  /** The system in the name of the program. */
  readonly os: "linux" | "macos" | "windows";
  /** The processor in the name of the program. */
  readonly arch: "x86_64" | "aarch64";
}

/** All of them. The second one is that of a Raspberry Pi with a 64-bit system. */
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
 * Reads which targets a deno can compile for out of its refusal of one that does not exist. Its help lists them in
 * some versions only.
 *
 * @param refusal What it wrote to standard error
 * @returns Those of ours that it knows; all when the refusal has no list
 */
export function knownTargets(refusal: string): readonly Target[] {
  const [, list] = /possible values: ([\w, -]+)/.exec(refusal) ?? [];
  const triples = list?.split(", ");
  return triples === undefined ? TARGETS : TARGETS.filter(({ triple }) => triples.includes(triple));
}

/**
 * Tells from the first bytes of a program what it runs on.
 *
 * @param head At least the first 1,024 bytes
 * @returns Such as `linux x86_64`; `undefined` when it is no program for any target
 */
export function systemOf(head: Uint8Array): string | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 64) return undefined;
  // ELF: the machine is 16 bits at 18.
  if (view.getUint32(0) === 0x7f454c46) return nameOf("linux", view.getUint16(18, true), 0x3e, 0xb7);
  // Mach-O of 64 bits: the processor follows the magic number.
  if (view.getUint32(0, true) === 0xfeedfacf) return nameOf("macos", view.getUint32(4, true), 0x01000007, 0x0100000c);
  // PE: the place of its header is 32 bits at 60, and the machine stands after the four bytes "PE\0\0".
  const header = view.getUint32(60, true);
  if (view.getUint16(0) !== 0x4d5a || header + 6 > head.length || view.getUint32(header) !== 0x50450000) {
    return undefined;
  }
  return nameOf("windows", view.getUint16(header + 4, true), 0x8664, 0xaa64);
}

function nameOf(os: Target["os"], machine: number, x86_64: number, aarch64: number): string | undefined {
  if (machine === x86_64) return `${os} x86_64`;
  return machine === aarch64 ? `${os} aarch64` : undefined;
}
