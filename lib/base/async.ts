/**
 * Waiting that ends: a pause, and a promise with a time limit.
 *
 * Neither races a promise that outlives it. `Promise.race` leaves a reaction on each promise it is given, and one that
 * lives as long as a server would collect them until it settles.
 *
 * @module
 */

/**
 * Waits for some time, or until a signal is aborted.
 *
 * @param milliseconds How long
 * @param signal Ends the wait early when aborted
 * @returns Resolves either way. Never rejects; callers check the signal.
 */
export function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** Options for {@linkcode withTimeout}. */
export interface TimeoutOptions {
  /** How long to wait, in milliseconds; 0 for no limit. */
  timeout: number;
  /** Stops the wait when aborted. */
  signal?: AbortSignal | undefined;
  /** Makes the error to reject with when the time is up. */
  onTimeout: () => Error;
  /** Makes the error to reject with when the signal is aborted; the signal's reason unless given. */
  onAbort?: () => Error;
}

/**
 * Bounds the wait for a promise. What the promise stands for goes on; only the waiting ends.
 *
 * @param promise What to wait for
 * @param options When to stop waiting, and what to say then
 * @returns What the promise resolves with
 */
export function withTimeout<T>(promise: Promise<T>, options: TimeoutOptions): Promise<T> {
  const { timeout, signal, onTimeout, onAbort } = options;
  if (signal === undefined && timeout === 0) return promise;
  const { promise: bounded, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(onAbort === undefined ? signal?.reason : onAbort());
  const timer = timeout === 0 ? undefined : setTimeout(() => reject(onTimeout()), timeout);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  promise.then(resolve, reject);
  return bounded.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}

/**
 * Computes what is left of a time limit, for the next of several steps that share it.
 *
 * @param timeout The limit, in milliseconds; 0 for none
 * @param start When the first step began, on the monotonic clock
 * @returns What is left, in whole milliseconds: at least 1, because 0 would stand for no limit; 0 if there is none
 */
export function timeLeft(timeout: number, start: number): number {
  return timeout === 0 ? 0 : Math.max(1, Math.round(timeout - (performance.now() - start)));
}

/** Does nothing. As a handler it keeps a promise that nobody waits for from becoming an unhandled rejection. */
export function ignore(): void {}
