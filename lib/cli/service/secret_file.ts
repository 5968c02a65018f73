/**
 * Files with secrets.
 *
 * @module
 */

import { messageOf, TrackerError } from "../../errors.ts";

/**
 * The permission bits that let everyone access a file, or its group change it. Whether its group may read it is for its
 * owner to decide; besides, a file with an access control list looks as if it might, as those from systemd do.
 */
const FORBIDDEN_MODE = 0o027;

/**
 * Finds what speaks against a file as the keeper of a secret.
 *
 * @param path Its path
 * @returns What is wrong, and what to do about it; `null` if nothing is
 */
export async function secretFlawOf(path: string): Promise<string | null> {
  const { mode, isDirectory } = await Deno.stat(path);
  if (isDirectory) return "it is a directory; name the file in it";
  // Windows has no such bits.
  return mode !== null && (mode & FORBIDDEN_MODE) !== 0 ? `others can read it: chmod 600 ${path}` : null;
}

/**
 * Reads a file that others must not be able to read.
 *
 * @param path Its path
 * @returns Its text
 * @throws {TrackerError} BAD_ARGUMENT when it cannot be read, or others can read it
 */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const flaw = await secretFlawOf(path);
    if (flaw !== null) throw secretFileError(path, flaw);
    return withoutMark(await Deno.readTextFile(path));
  } catch (cause) {
    if (cause instanceof TrackerError) throw cause;
    if (cause instanceof Deno.errors.NotCapable) {
      throw secretFileError(path, `Deno was not given the permission: run deno with -R=${path}`, cause);
    }
    throw secretFileError(path, messageOf(cause), cause);
  }
}

/** Removes the mark with which some editors begin a file. */
export function withoutMark(text: string): string {
  return text.replace(/^\ufeff/, "");
}

/**
 * Makes the error for a file with tokens that cannot be used.
 *
 * @param path The path of the file
 * @param why What is wrong with it; must not repeat anything from the file
 * @param cause The error behind it
 * @returns BAD_ARGUMENT
 */
export function secretFileError(path: string, why: string, cause?: unknown): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens from ${path}: ${why}`, { cause });
}
