/**
 * How long a start takes, with HTTP and without.
 *
 * @module
 */

import { startServer } from "./servers.ts";
import { median } from "../statistics.ts";

/**
 * Measures starts, by turns.
 *
 * @param rounds How often
 * @param onRound Called before each
 * @returns The median times until the first connection without HTTP and with it, in milliseconds
 */
export async function measureStart(
  rounds: number,
  onRound: (round: number) => void,
): Promise<[without: number, beside: number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    onRound(round);
    for (const [at, flags] of [["--no-http"], []].entries()) {
      const startedAt = performance.now();
      const server = await startServer("tracker", flags);
      times[at]!.push(performance.now() - startedAt);
      await server[Symbol.asyncDispose]();
    }
  }
  return [median(times[0]), median(times[1])];
}
