/**
 * Lines to standard output, many in one write when they come fast.
 *
 * @module
 */

import { write } from "../terminal/output.ts";

/** Characters that may wait to be written before whoever adds more has to wait. */
const MAX_WAITING = 65_536;

/** Writes lines in order. While some are being written the next ones gather, in a bounded space. */
export class LineWriter {
  readonly #write: (text: string) => Promise<void>;
  #lines: string[] = [];
  #waiting = 0;
  #writing: Promise<void> | null = null;
  #error: unknown = null;

  /**
   * @param target Takes text; standard output unless given
   */
  constructor(target: (text: string) => Promise<void> = write) {
    this.#write = target;
  }

  /**
   * Adds a line.
   *
   * @param line The line, without its end
   * @returns A promise to wait for when too much waits already; `null` when there is no need
   * @throws {OutputClosed} when nobody reads the output any more, or what else went wrong with an earlier line
   */
  add(line: string): Promise<void> | null {
    if (this.#error !== null) throw this.#error;
    this.#lines.push(`${line}\n`);
    this.#waiting += line.length;
    this.#writing ??= this.#writeAll();
    return this.#waiting < MAX_WAITING ? null : this.flush();
  }

  /**
   * Waits until all is written.
   *
   * @throws {OutputClosed} as {@linkcode add}
   */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#error !== null) throw this.#error;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#lines.length !== 0) {
        // A turn later the lines of one event or two have become more, and go out together.
        await Promise.resolve();
        const text = this.#lines.join("");
        this.#lines = [];
        this.#waiting = 0;
        await this.#write(text);
      }
    } catch (error) {
      this.#error = error;
    } finally {
      this.#writing = null;
    }
  }
}
