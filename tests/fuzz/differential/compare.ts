/**
 * Runs of the comparison with other implementations.
 *
 * @module
 */

import { Deadlines } from "../../../lib/base/deadlines.ts";
import { Random } from "../../support/random.ts";
import { compareFrames, compareWritten, makeFrames } from "./frames.ts";
import { compareHeads, makeHead, NodeParser } from "./heads.ts";
import { Tally } from "./tally.ts";

/** How many heads are sent to Node.js at a time. */
const BATCH = 2_000;

/** How far to go. */
export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Called now and then. */
  readonly onProgress?: (done: number) => void;
}

/** Compares heads of requests with Node.js's parser. */
export async function runHeads({ seed, inputs, onProgress }: RunOptions): Promise<Tally> {
  const random = new Random(seed);
  const tally = new Tally();
  await using node = new NodeParser();
  while (tally.total < inputs) {
    const batch = Array.from({ length: Math.min(BATCH, inputs - tally.total) }, () => makeHead(random));
    await compareHeads(batch, node, tally);
    onProgress?.(tally.total);
  }
  return tally;
}

/** Compares frames of WebSocket with the package ws: those that are read, and every tenth time those that are written. */
export async function runFrames({ seed, inputs, onProgress }: RunOptions): Promise<Tally> {
  const random = new Random(seed);
  const tally = new Tally();
  const deadlines = new Deadlines();
  while (tally.total < inputs) {
    if (tally.total % 10 === 9) await compareWritten(random, deadlines, tally);
    else await compareFrames(makeFrames(random), random, deadlines, tally);
    if (tally.total % BATCH === 0) onProgress?.(tally.total);
  }
  deadlines.clear();
  return tally;
}
