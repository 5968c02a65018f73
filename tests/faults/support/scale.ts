/**
 * Scale of the fault tests: small in the suite, full in `deno task faults`, which also prints measurements.
 *
 * @module
 */

const isHeavy = Deno.env.get("TRACKER_FAULTS") === "heavy";

/** Picks a number: the first in the suite, the second in the task. */
export function scale(light: number, heavy: number): number {
  return isHeavy ? heavy : light;
}

/** Prints a measurement in the task, and nothing in the suite. */
export function figure(what: string, value: string): void {
  if (isHeavy) Deno.stdout.writeSync(new TextEncoder().encode(`  measured: ${what}: ${value}\n`));
}

/** Formats bytes. */
export function size(bytes: number): string {
  if (Math.abs(bytes) < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Formats milliseconds. */
export function time(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
}

/** The median, which one odd round does not move. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** Why tests that inspect processes cannot run here; `undefined` if they can. */
export const notLinux: string | undefined = Deno.build.os === "linux" ? undefined : "only Linux has /proc";

/** The number of connections that one process may have here, up to the number wanted. Prints a note if it is lower. */
export function affordable(wanted: number): number {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  const limit = text === "unlimited" ? Infinity : Number(text);
  // Deno itself needs some, and so does inspection.
  const count = Math.min(wanted, limit - 200);
  if (count < wanted) {
    const line = `  scaled down: ${count} connections instead of ${wanted}: ulimit -Hn is ${text}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  }
  return count;
}
