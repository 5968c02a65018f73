/**
 * What all calls to a server share: their time limit, how they are aborted, and how they fail.
 *
 * @module
 */

import { withTimeout } from "../base/async.ts";
import { type ErrorReason, messageOf, TrackerError } from "../errors.ts";

/** Time limit of a call unless it has its own, in milliseconds. */
export const DEFAULT_CALL_TIMEOUT = 10_000;

/** Options for every call. */
export interface CallOptions {
  /** Stops the waiting when aborted: the call rejects with ABORTED. What was sent stays sent. */
  signal?: AbortSignal | undefined;
  /** How long to wait before the call rejects with TIMEOUT, in milliseconds; 0 for no limit. */
  timeout?: number | undefined;
}

/** What is known of a server: `"silent"` while it has sent nothing at all on a connection without TLS. */
export type PeerState = "heard" | "silent";

/** Knows a server's {@linkcode PeerState}. */
export interface PeerObserver {
  /** What is known of the server now. */
  readonly peer: PeerState;
}

const HEARD: PeerObserver = { peer: "heard" };

/**
 * Bounds a call in time.
 *
 * @param call What the call does, for an error's message
 * @param result The promise to wait for
 * @param options When to stop waiting
 * @param fallback The time limit if the options have none, in milliseconds
 * @param observer Tells on a timeout whether the server was heard
 * @returns The result
 * @throws {TrackerError} TIMEOUT or ABORTED when it does not come; otherwise whatever it rejects with
 */
export function bounded<T>(
  call: string,
  result: Promise<T>,
  options: CallOptions,
  fallback: number,
  observer: PeerObserver = HEARD,
): Promise<T> {
  const { signal, timeout = fallback } = options;
  return withTimeout(result, {
    signal,
    timeout,
    onTimeout: () => peerError("TIMEOUT", `Cannot ${call}: no answer within ${timeout} ms`, observer.peer),
    onAbort: () => abortedError(call, signal),
  });
}

/**
 * Creates the error of a call that cannot be made as asked.
 *
 * @param call What the call does
 * @param why What is wrong with it
 * @returns BAD_ARGUMENT
 */
export function badArgument(call: string, why: string): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot ${call}: ${why}`);
}

/**
 * Creates the error of a call whose signal was aborted.
 *
 * @param call What the call does
 * @param signal The signal
 * @returns ABORTED, caused by the signal's reason
 */
export function abortedError(call: string, signal: AbortSignal | undefined): TrackerError {
  return new TrackerError("ABORTED", `Cannot ${call}: the call was aborted`, { cause: signal?.reason });
}

/**
 * Creates the error of a call whose connection has ended.
 *
 * @param call What the call does
 * @param why How the connection ended
 * @param peer What is known of the server
 * @returns CONNECTION_CLOSED
 */
export function closedError(call: string, why: string, peer: PeerState = "heard"): TrackerError {
  return peerError("CONNECTION_CLOSED", `Cannot ${call}: ${why}`, peer);
}

/**
 * Creates the error of a connection that broke.
 *
 * @param cause What the system reported
 * @param peer What is known of the server
 * @returns CONNECTION_FAILED, or the cause if that is a {@linkcode TrackerError}
 */
export function brokenError(cause: unknown, peer: PeerState = "heard"): TrackerError {
  if (cause instanceof TrackerError) return cause;
  return peerError("CONNECTION_FAILED", `Connection lost: ${messageOf(cause)}`, peer, cause);
}

/** A server that speaks TLS does not understand a client without, and may wait for more, or just hang up. */
function peerError(
  code: "TIMEOUT" | "CONNECTION_CLOSED" | "CONNECTION_FAILED",
  message: string,
  peer: PeerState,
  cause?: unknown,
): TrackerError {
  const isSilent = peer === "silent";
  const reason: ErrorReason | undefined = isSilent ? "silent-peer" : undefined;
  const hint = isSilent ? "; it has said nothing at all, and perhaps speaks TLS on this port" : "";
  return new TrackerError(code, message + hint, { reason, ...cause !== undefined && { cause } });
}
