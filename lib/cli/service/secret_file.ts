/**
 * Files that hold secrets.
 *
 * @module
 */

import { TrackerError } from "../../errors.ts";

/**
 * The permission bits by which everybody can read or change a file, or its group change it. That its group can read it
 * is for its owner to decide; a file with a list of those who may read it looks so too, as those of systemd do.
 */
const OTHERS = 0o027;

/**
 * Reads a file that is not for everybody.
 *
 * @param path Where it is
 * @returns Its text
 * @throws {TrackerError} BAD_ARGUMENT when it cannot be read, or others could read it
 */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const { mode } = await Deno.stat(path);
    // Windows has no such bits.
    if (mode !== null && (mode & OTHERS) !== 0) throw secretFileError(path, `others can read it: chmod 600 ${path}`);
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof TrackerError) throw cause;
    if (cause instanceof Deno.errors.NotCapable) {
      throw secretFileError(path, `Deno was not given the permission: run deno with -R=${path}`, cause);
    }
    throw secretFileError(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/**
 * Makes the error of a file whose tokens cannot be taken.
 *
 * @param path Where the file is
 * @param why What is wrong with it; nothing of what it holds
 * @param cause Where the error comes from
 * @returns BAD_ARGUMENT
 */
export function secretFileError(path: string, why: string, cause?: unknown): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens from ${path}: ${why}`, { cause });
}
