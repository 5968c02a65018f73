/**
 * What all calls to a server share: how long they wait, how they are stopped, and how they fail.
 *
 * @module
 */

import { withTimeout } from "../base/async.ts";
import { type ErrorReason, messageOf, TrackerError } from "../errors.ts";

/** How long a call waits unless told otherwise, in milliseconds. */
export const DEFAULT_CALL_TIMEOUT = 10_000;

/** Options of every call. */
export interface CallOptions {
  /** Stops the waiting when aborted: the call rejects with ABORTED. What was sent stays sent. */
  signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds, before the call rejects with TIMEOUT; 0 for no limit. */
  timeout?: number | undefined;
}

/**
 * Bounds a call in time.
 *
 * @param call What the call does, for the message of an error
 * @param result What to wait for
 * @param options When to stop waiting
 * @param fallback How long to wait, in milliseconds, when the options do not say
 * @param peer Asked when it took too long: what is known of the server by then
 * @returns The result
 * @throws {TrackerError} TIMEOUT or ABORTED when it does not come; otherwise whatever it rejects with
 */
export function bounded<T>(
  call: string,
  result: Promise<T>,
  options: CallOptions,
  fallback: number,
  peer: () => PeerState = heardPeer,
): Promise<T> {
  const { signal, timeout = fallback } = options;
  return withTimeout(result, {
    signal,
    timeout,
    onTimeout: () => {
      const [hint, reason] = silence(peer());
      return new TrackerError("TIMEOUT", `Cannot ${call}: no answer within ${timeout} ms${hint}`, { reason });
    },
    onAbort: () => abortedError(call, signal),
  });
}

/** What is known of a server: `"silent"` when it has said nothing at all on a connection without TLS. */
export type PeerState = "heard" | "silent";

function heardPeer(): PeerState {
  return "heard";
}

/** A server that speaks TLS does not understand a client that does not, and may wait for more, or just hang up. */
function silence(peer: PeerState): [hint: string, reason: ErrorReason | undefined] {
  if (peer === "heard") return ["", undefined];
  return ["; it has said nothing at all, and perhaps speaks TLS on this port", "silent-peer"];
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
 * @param peer What is known of the server
 * @returns CONNECTION_CLOSED
 */
export function closedError(call: string, why: string, peer: PeerState = "heard"): TrackerError {
  const [hint, reason] = silence(peer);
  return new TrackerError("CONNECTION_CLOSED", `Cannot ${call}: ${why}${hint}`, { reason });
}

/**
 * The error of a connection that broke.
 *
 * @param cause What the system said
 * @param peer What is known of the server
 * @returns CONNECTION_FAILED, or the cause when that is a {@linkcode TrackerError}
 */
export function brokenError(cause: unknown, peer: PeerState = "heard"): TrackerError {
  if (cause instanceof TrackerError) return cause;
  const [hint, reason] = silence(peer);
  return new TrackerError("CONNECTION_FAILED", `Connection lost: ${messageOf(cause)}${hint}`, { cause, reason });
}
