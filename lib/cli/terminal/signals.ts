/**
 * Ctrl-C and SIGTERM.
 *
 * @module
 */

import type { Process } from "../command.ts";

/** The signals that ask a program to stop, and the exit codes that tell a shell that one of them ended it. */
const STOP_SIGNALS: readonly (readonly [Deno.Signal, number])[] = [["SIGINT", 130], ["SIGTERM", 143]];

/** The same for a program that has to restore the terminal first; others may have been told to ignore its end. */
const TERMINAL_SIGNALS: typeof STOP_SIGNALS = [...STOP_SIGNALS, ["SIGHUP", 129]];

/**
 * Listens for requests to stop. The second one ends the process at once.
 *
 * @param process What to end
 * @param hasScreen Whether the end of the terminal is such a request too
 * @returns Aborted by the first request, with the name of the signal as its reason
 */
export function stopSignal(process: Process, hasScreen = false): AbortSignal {
  const stop = new AbortController();
  for (const [name, code] of hasScreen ? TERMINAL_SIGNALS : STOP_SIGNALS) {
    // Windows has no SIGTERM, and listening for it throws there.
    if (name !== "SIGINT" && Deno.build.os === "windows") continue;
    Deno.addSignalListener(name, () => stop.signal.aborted ? process.exit(code) : stop.abort(name));
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
