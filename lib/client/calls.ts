/**
 * What all calls to a server have in common: how long they wait, how they are stopped, and how they fail.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** How long a call waits unless told otherwise, in milliseconds. */
export const DEFAULT_CALL_TIMEOUT = 10_000;

/** What every call can be told. */
export interface CallOptions {
  /** Stops the waiting when aborted: the call rejects with ABORTED. What was sent stays sent. */
  signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds, before the call rejects with TIMEOUT; 0 for ever. */
  timeout?: number | undefined;
}

/**
 * Bounds a call in time.
 *
 * @param call What the call does, for the message of an error
 * @param result What to wait for
 * @param options When to stop waiting
 * @param byDefault How long to wait, in milliseconds, when the options do not say
 * @param hint What else there is to say when it took too long
 * @returns The result
 * @throws {TrackerError} TIMEOUT or ABORTED when it does not come; otherwise whatever it rejects with
 */
export function within<T>(
  call: string,
  result: Promise<T>,
  options: CallOptions,
  byDefault: number,
  hint: () => string = noHint,
): Promise<T> {
  const { signal, timeout = byDefault } = options;
  if (signal === undefined && timeout === 0) return result;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => reject(abortedError(call, signal));
  const timer = timeout === 0 ? undefined : setTimeout(() => {
    reject(new TrackerError("TIMEOUT", `Cannot ${call}: no answer within ${timeout} ms${hint()}`));
  }, timeout);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  result.then(resolve, reject);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/**
 * Makes the bytes of a state.
 *
 * @param state The state; a string becomes UTF-8
 * @returns Its bytes, which of bytes are the same ones
 */
export function toBytes(state: string | Uint8Array): Uint8Array {
  return typeof state === "string" ? new TextEncoder().encode(state) : state;
}

/**
 * The error of a call whose signal was aborted.
 *
 * @param call What the call does
 * @param signal The signal
 * @returns ABORTED, caused by the signal's reason
 */
export function abortedError(call: string, signal: AbortSignal | undefined): TrackerError {
  return new TrackerError("ABORTED", `Cannot ${call}: the call was aborted`, { cause: signal?.reason });
}

/**
 * The error of a call for which there is no connection any more.
 *
 * @param call What the call does
 * @param why How the connection ended
 * @returns CONNECTION_CLOSED
 */
export function closedError(call: string, why: string): TrackerError {
  return new TrackerError("CONNECTION_CLOSED", `Cannot ${call}: ${why}`);
}

/**
 * The error of a connection that broke.
 *
 * @param cause What the system said
 * @param hint What else there is to say
 * @returns CONNECTION_FAILED, or the cause when that is an error of ours
 */
export function brokenError(cause: unknown, hint = ""): TrackerError {
  if (cause instanceof TrackerError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TrackerError("CONNECTION_FAILED", `Cannot go on: the connection broke (${why})${hint}`, { cause });
}

function noHint(): string {
  return "";
}

/** Does nothing: a promise nobody waits for must not become an unhandled rejection. */
export function ignore(): void {}
