/**
 * Output: results on standard output, progress on standard error.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Writes a result. */
export function write(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes anything but a result. */
export function writeError(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Shows progress on a line that the next one replaces, and only on a terminal. */
export function progress(text: string): void {
  if (Deno.stderr.isTerminal()) writeAll(Deno.stderr, `\r\x1b[K${text}`);
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let written = 0; written < bytes.length;) written += target.writeSync(bytes.subarray(written));
}
