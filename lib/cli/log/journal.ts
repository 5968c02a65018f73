/**
 * Detection of systemd's journal as the reader of standard error.
 *
 * @module
 */

import { readEnvironment } from "../environment.ts";

/**
 * Tells whether standard error is read by the journal. The variable alone does not tell: it is inherited, even by a
 * program whose standard error is a file.
 *
 * @returns Whether it is; `false` if that cannot be determined
 */
export async function isReadByJournal(): Promise<boolean> {
  const stream = readEnvironment("JOURNAL_STREAM");
  if (stream === undefined) return false;
  try {
    // Only Node's API tells what a descriptor refers to.
    const { fstatSync } = await import("node:fs");
    const { dev, ino } = fstatSync(2, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
