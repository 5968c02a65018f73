/**
 * `SHA256SUMS`, in the format of `sha256sum`.
 *
 * @module
 */

/** The name of the file. */
export const CHECKSUMS = "SHA256SUMS";

/**
 * Writes the checksums of all programs of a version in a directory, including those of earlier runs.
 *
 * @param directory The directory
 * @param version The version
 */
export async function writeChecksums(directory: string, version: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && name.startsWith(`tracker-${version}-`)) names.push(name);
  }
  const lines: string[] = [];
  for (const name of names.sort()) lines.push(`${await checksumOf(`${directory}/${name}`)}  ${name}\n`);
  await Deno.writeTextFile(`${directory}/${CHECKSUMS}`, lines.join(""));
}

/**
 * Computes the checksum of a file.
 *
 * @param path The path of the file
 * @returns Its SHA-256, in hexadecimal
 */
export async function checksumOf(path: string | URL): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
