/**
 * Noticing that the reader of the output has gone.
 *
 * @module
 */

import type { LineWriter } from "./line_writer.ts";

/** The first pause, and the longest, in milliseconds: a reader is likeliest to go right after a line. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5_000;

/**
 * Writes a space before the next line when nothing has been written for a while. A pipe tells that its reader has gone to
 * those who write, and to nobody else, so `watch | grep -m1 …` would never end on a quiet map. Programs that read words or
 * JSON take no notice of the space.
 */
export class ReaderProbe {
  readonly #lines: LineWriter;
  readonly #onGone: (error: unknown) => void;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins.
   *
   * @param lines Where lines are written
   * @param onGone Called with the failure when they cannot be written any more
   */
  constructor(lines: LineWriter, onGone: (error: unknown) => void) {
    this.#lines = lines;
    this.#onGone = onGone;
    this.#schedule();
  }

  /** Notes that a line was written. */
  reset(): void {
    this.#pause = FIRST_PAUSE;
    clearTimeout(this.#timer);
    this.#schedule();
  }

  /** Ends. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#probe(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }

  async #probe(): Promise<void> {
    try {
      await this.#lines.indent();
      this.#schedule();
    } catch (error) {
      this.#onGone(error);
    }
  }
}

/** Whether standard output is a pipe, or something else that may lose its reader. */
export async function hasReader(): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  const { fstatSync } = await import("node:fs");
  const output = fstatSync(1);
  return output.isFIFO() || output.isSocket();
}
