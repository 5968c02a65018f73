/**
 * A clock for the picture: it shows the same times in every run. It counts whole seconds, so that a scene that comes a
 * little late still has its own time.
 *
 * As a preloaded module (`deno run --preload`, with `?began=` in its URL) it becomes the clock of the whole process.
 *
 * @module
 */

/** What the clock shows when the recording begins. */
const SHOWN_AT_FIRST = Date.UTC(2026, 10, 26, 9, 41, 0);

/**
 * Makes a clock.
 *
 * @param began When the recording began, in milliseconds since 1970
 * @param now The real time
 * @returns The time to show, in milliseconds since 1970
 */
export function createClock(began: number, now: () => number = Date.now): () => number {
  return () => SHOWN_AT_FIRST + Math.round((now() - began) / 1_000) * 1_000;
}

const began = new URL(import.meta.url).searchParams.get("began");
if (began !== null) Date.now = createClock(Number(began));
