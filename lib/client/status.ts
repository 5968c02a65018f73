/**
 * The status of a client.
 *
 * @module
 */

import type { TrackerError } from "../errors.ts";

/** A client's status: connecting for the first time, connected, connecting again, or ended for good. */
export type ClientStatus = "connecting" | "open" | "reconnecting" | "closed";

/** A client's new status. */
export interface StatusChange {
  /** The status. */
  status: ClientStatus;
  /** Why it is not open; `null` when it is, and after an orderly close. */
  error: TrackerError | null;
}
