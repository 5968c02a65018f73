/**
 * Ctrl-C and SIGTERM.
 *
 * @module
 */

import type { Process } from "../command.ts";

/** The signals that ask a program to stop, and the exit codes that tell a shell that one of them ended it. */
const STOP_SIGNALS: readonly (readonly [Deno.Signal, number])[] = [["SIGINT", 130], ["SIGTERM", 143]];

/**
 * Listens for requests to stop. The second one ends the process at once.
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
