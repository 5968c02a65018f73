/**
 * `SHA256SUMS`: what `sha256sum -c` reads.
 *
 * @module
 */

/** The name of the file. */
export const CHECKSUMS = "SHA256SUMS";

/**
 * Writes the checksums of all programs of one version in a directory, those of earlier runs included.
 *
 * @param directory Where the programs are
 * @param version Their version
 */
export async function writeChecksums(directory: string, version: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && name.startsWith(`tracker-${version}-`)) names.push(name);
  }
  const lines: string[] = [];
  for (const name of names.sort()) lines.push(`${await sha256(`${directory}/${name}`)}  ${name}\n`);
  await Deno.writeTextFile(`${directory}/${CHECKSUMS}`, lines.join(""));
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
