/**
 * What the benchmark says: its result on standard output, its progress on standard error.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Writes a result. */
export function write(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes what is not the result. */
export function writeError(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Shows how far it is, in one line that the next one replaces; only to somebody who looks. */
export function progress(text: string): void {
  if (Deno.stderr.isTerminal()) writeAll(Deno.stderr, `\r\x1b[K${text}`);
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += target.writeSync(bytes.subarray(written));
}
