/**
 * Whose an entry is.
 *
 * @module
 */

import type { TrackerError } from "../errors.ts";
import type { Dialect } from "../protocol.ts";

/** The connection that an entry belongs to, or that has set it. The map keeps it and does not look inside. */
export interface Holder {
  /** Where it is, or was, such as `192.0.2.7:50132`. */
  readonly address: string;
  /** What it speaks. */
  readonly dialect: Dialect | "unsettled";
  /** The name of its token; `null` without one. */
  readonly token: string | null;
  /**
   * Ends it.
   *
   * @param error What to tell the client
   */
  kick(error: TrackerError): void;
}
