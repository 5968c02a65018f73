/**
 * systemd's journal, when it is what reads standard error.
 *
 * @module
 */

import { readEnvironment } from "../environment.ts";

/**
 * Finds out whether standard error is read by the journal. The variable alone does not say so: it is inherited, also
 * by a program whose standard error is a file.
 *
 * @returns Whether it is; `false` where that cannot be found out
 */
export async function isReadByJournal(): Promise<boolean> {
  const stream = readEnvironment("JOURNAL_STREAM");
  if (stream === undefined) return false;
  try {
    // Only Node's interface tells what kind of thing a descriptor is.
    const { fstatSync } = await import("node:fs");
    const { dev, ino } = fstatSync(2, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
