/**
 * Ctrl-C and its kin.
 *
 * @module
 */

import type { Process } from "../command.ts";

/** The signals that ask a program to stop, and the exit codes by which a shell knows that one did it. */
const STOP_SIGNALS: readonly (readonly [Deno.Signal, number])[] = [["SIGINT", 130], ["SIGTERM", 143]];

/**
 * Waits for the first request to stop; the second one ends the process at once.
 *
 * @param process What to end
 * @returns Aborted by the first request
 */
export function stopSignal(process: Process): AbortSignal {
  const stop = new AbortController();
  for (const [name, code] of STOP_SIGNALS) {
    // Windows has no SIGTERM, and listening for it throws there.
    if (name === "SIGTERM" && Deno.build.os === "windows") continue;
    Deno.addSignalListener(name, () => stop.signal.aborted ? process.exit(code) : stop.abort());
  }
  return stop.signal;
}

/**
 * Waits for a signal.
 *
 * @param signal The signal
 * @returns Resolves when it is aborted
 */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * Waits for some time, or for a signal.
 *
 * @param milliseconds How long
 * @param signal What ends the waiting
 * @returns Resolves when it is time, or the signal is aborted
 */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || milliseconds <= 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
}
