/**
 * `deno task verify`: whether `dist/` holds a whole release, byte for byte.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { ReleaseError } from "./release_error.ts";
import { DIST, runTask } from "./task.ts";
import { programName, TARGETS } from "./targets.ts";

/**
 * Reads a list of checksums.
 *
 * @param text Lines as `sha256sum` writes them
 * @returns The checksum of each file
 * @throws {ReleaseError} when a line is not of that form
 */
export function parseChecksums(text: string): Map<string, string> {
  return new Map(
    text.trimEnd().split("\n").map((line) => {
      const [, checksum, name] = /^([0-9a-f]{64}) [ *]([^/\\]+)$/.exec(line) ?? [];
      if (checksum === undefined || name === undefined) {
        throw new ReleaseError(`Cannot read SHA256SUMS: "${line}" is no entry`);
      }
      return [name, checksum];
    }),
  );
}

async function checksumOf(file: URL): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(file));
  return new Uint8Array(digest).toHex();
}

/** Puts a file that is not there into words. */
function missing(name: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ReleaseError(`Cannot verify ${name}: there is no such file. Build all of them: deno task compile --all`);
  };
}

/**
 * Insists that a directory holds the files it lists, all that it should, and makes the programs executable: what
 * carries files from one machine to another often forgets that they are.
 *
 * @param directory Where the files and their SHA256SUMS are
 * @param expected The names of the files
 * @throws {ReleaseError} when one is missing, not listed, or has other bytes
 */
export async function verify(directory: URL, expected: readonly string[]): Promise<void> {
  const listed = parseChecksums(
    await Deno.readTextFile(new URL("SHA256SUMS", directory)).catch(missing("SHA256SUMS")),
  );
  const unexpected = [...listed.keys()].find((name) => !expected.includes(name));
  if (unexpected !== undefined) throw new ReleaseError(`Cannot verify: ${unexpected} is no file of this release`);
  for (const name of expected) {
    const checksum = listed.get(name);
    if (checksum === undefined) throw new ReleaseError(`Cannot verify ${name}: SHA256SUMS does not list it`);
    const file = new URL(name, directory);
    const actual = await checksumOf(file).catch(missing(name));
    if (actual !== checksum) {
      throw new ReleaseError(`Cannot verify ${name}: its checksum is ${actual}, not ${checksum}`);
    }
    if (Deno.build.os !== "windows") await Deno.chmod(file, 0o755);
  }
}

if (import.meta.main) {
  await runTask("verify", async () => {
    const expected = TARGETS.map((target) => programName(VERSION, target));
    await verify(DIST, expected);
    await write(`${expected.length} files are what SHA256SUMS says\n`);
  });
}
