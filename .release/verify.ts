/**
 * `deno task verify`: checks that `dist/` holds a complete release, byte for byte.
 *
 * @module
 */

import { write } from "../lib/cli/terminal/output.ts";
import { VERSION } from "../lib/version.ts";
import { checksumOf, CHECKSUMS } from "./checksums.ts";
import { ReleaseError } from "./release_error.ts";
import { DIST, runTask } from "./task.ts";
import { programName, TARGETS } from "./targets.ts";

/**
 * Parses a list of checksums.
 *
 * @param text Lines in the format of `sha256sum`
 * @returns The checksum of each file, by name
 * @throws {ReleaseError} when a line does not have that format
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

/** Makes a handler that explains that a file is missing. */
function missing(name: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ReleaseError(`Cannot verify ${name}: there is no such file. Build all of them: deno task compile --all`);
  };
}

/**
 * Checks that a directory holds the expected files, as its list of checksums describes them, and makes the programs
 * executable: transfers from one machine to another often lose that.
 *
 * @param directory The directory with the files and their SHA256SUMS
 * @param expected The names of the files
 * @throws {ReleaseError} when a file is missing, not listed, or has other bytes
 */
export async function verify(directory: URL, expected: readonly string[]): Promise<void> {
  const listed = parseChecksums(
    await Deno.readTextFile(new URL(CHECKSUMS, directory)).catch(missing(CHECKSUMS)),
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
    await write(`${expected.length} files match SHA256SUMS\n`);
  });
}
