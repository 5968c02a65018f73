/**
 * Why a name cannot be had.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Entry } from "./entry.ts";

/** How long a client has been silent, and how long it may be, in milliseconds. */
export interface Silence {
  /** How long nothing has come from it. */
  readonly elapsed: number;
  /** After how much of it the client is given up. */
  readonly limit: number;
}

/**
 * Makes the error for a name that is not free.
 *
 * @param name The name
 * @param silence How long its holder has been silent; `null` where nobody waits for its end
 * @returns A NAME_TAKEN error, which says when its holder will be given up
 */
export function takenError(name: string, silence: Silence | null = null): TrackerError {
  const why = silence === null
    ? ""
    : `, silent for ${seconds(silence.elapsed)}, given up after ${seconds(silence.limit)}`;
  return new TrackerError("NAME_TAKEN", `Cannot take name ${name}: somebody else has it${why}`);
}

/**
 * Makes sure that an entry is the one that is meant.
 *
 * @param name Its name
 * @param entry The entry; `undefined` if there is none
 * @param wanted The revision that is meant; 0 for none
 * @throws {TrackerError} SUPERSEDED if it is another
 */
export function requireRevision(name: string, entry: Entry | undefined, wanted: number): void {
  const revision = entry?.revision ?? 0;
  if (revision === wanted) return;
  throw new TrackerError("SUPERSEDED", `Cannot change ${name}: its revision is ${revision}, not ${wanted}`);
}

/** Makes the error of a Put that comes too late. */
export function overtakenError(name: string): TrackerError {
  return new TrackerError("SUPERSEDED", `Cannot set ${name}: a Put that was made later is there already`);
}

/** Makes the error of a Hello that comes too late. */
export function supersededError(name: string): TrackerError {
  return new TrackerError("SUPERSEDED", `Cannot take name ${name}: a later attempt of the same client has it`);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
