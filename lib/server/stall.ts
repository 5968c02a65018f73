/**
 * Clients that leave their output unread.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { timeoutError } from "./session_timers.ts";

/**
 * How long a watcher may take nothing while something waits, in milliseconds, however little that is: what the system
 * holds for it would otherwise be held for as long as it likes.
 */
const WATCHER_PATIENCE = 60_000;

/** What a client may leave unread. */
export interface StallLimits {
  /** The clock without stalls of the server's own. */
  readonly deadlines: Deadlines;
  /** How long it may take nothing, in milliseconds. */
  readonly writeTimeout: number;
  /** How far behind a watcher may be meanwhile, in bytes of changes. */
  readonly maxUnsent: number;
}

/** What is written to a client. */
export interface Output {
  /** The watcher that tells it of changes; `null` unless it watches. */
  readonly watcher: Watcher | null;
  /** For how long it has taken nothing, in milliseconds. */
  stuckFor(now: number): number;
}

/**
 * Finds out whether a client is to be given up: it has taken nothing for too long, or it watches and cannot catch up. A
 * watcher that takes nothing gives up what was prepared for it.
 *
 * @param replies What is written to it
 * @param context How long it may take, and how much may wait
 * @returns TIMEOUT or SLOW_CONSUMER; `null` if it may go on
 */
export function stallError(replies: Output, context: StallLimits): TrackerError | null {
  const { deadlines, writeTimeout, maxUnsent } = context;
  const { watcher } = replies;
  const stuck = replies.stuckFor(deadlines.now());
  if (watcher === null) {
    return stuck < writeTimeout
      ? null
      : timeoutError(`it has taken nothing of what it was sent for ${writeTimeout} ms`);
  }
  if (watcher.isLost) return lostError();
  if (stuck >= WATCHER_PATIENCE) return slowError(`nothing was taken for ${WATCHER_PATIENCE} ms`);
  if (stuck < writeTimeout) return null;
  watcher.releaseMemory();
  return watcher.pendingBytes(maxUnsent) <= maxUnsent
    ? null
    : slowError(`more than ${maxUnsent} bytes of changes wait`);
}

/**
 * The error of a watcher that cannot catch up any more.
 *
 * @returns SLOW_CONSUMER
 */
export function lostError(): TrackerError {
  return slowError("leaves that it was not told of are forgotten");
}

function slowError(why: string): TrackerError {
  return new TrackerError("SLOW_CONSUMER", `Cannot keep up: ${why}`);
}
