/**
 * How hard the tests of faults try: a little in the suite, in earnest as `deno task faults`, which also prints what was
 * measured.
 *
 * @module
 */

const isHeavy = Deno.env.get("TRACKER_FAULTS") === "heavy";

/** A number of things or milliseconds: the first in the suite, the second in the task. */
export function scale(light: number, heavy: number): number {
  return isHeavy ? heavy : light;
}

/** Prints a figure, in the task. */
export function figure(what: string, value: string): void {
  if (isHeavy) Deno.stdout.writeSync(new TextEncoder().encode(`  measured: ${what}: ${value}\n`));
}

/** Bytes, for people. */
export function size(bytes: number): string {
  if (Math.abs(bytes) < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Milliseconds, for people. */
export function time(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
}

/** The one in the middle, which one odd round does not move. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** Why a test that looks at processes from outside cannot run here, if it cannot. */
export const notLinux: string | undefined = Deno.build.os === "linux" ? undefined : "only Linux has /proc";

/** As many connections as one process may have here, up to what is wanted; fewer are said so. */
export function affordable(wanted: number): number {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  const limit = text === "unlimited" ? Infinity : Number(text);
  // Deno needs some itself, and some are for whoever looks on.
  const count = Math.min(wanted, limit - 200);
  if (count < wanted) {
    const line = `  scaled down: ${count} connections in place of ${wanted}: ulimit -Hn is ${text}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  }
  return count;
}
