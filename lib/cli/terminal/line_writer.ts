/**
 * Lines of output, many in one write when they come fast.
 *
 * @module
 */

import { write } from "./output.ts";

/** Most characters that wait to be written before adding more has to wait. */
const MAX_WAITING = 65_536;

/** Writes lines in order. While some are being written the next ones gather, in a bounded space. */
export class LineWriter {
  readonly #write: (text: string) => Promise<void>;
  readonly #maxWaiting: number;
  #lines: string[] = [];
  #waiting = 0;
  #writing: Promise<void> | null = null;
  #error: unknown = null;

  /**
   * @param target Takes text; standard output unless given
   * @param maxWaiting Most characters that wait before {@linkcode add} asks to wait as well
   */
  constructor(target: (text: string) => Promise<void> = write, maxWaiting: number = MAX_WAITING) {
    this.#write = target;
    this.#maxWaiting = maxWaiting;
  }

  /** How many characters wait to be written, besides those being written. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Adds a line.
   *
   * @param line The line, without its end
   * @returns A promise to wait for when too much is waiting already; `null` otherwise
   * @throws {OutputClosed} when the reader of the output is gone; likewise any other failure of an earlier line
   */
  add(line: string): Promise<void> | null {
    if (this.#error !== null) throw this.#error;
    this.#lines.push(`${line}\n`);
    this.#waiting += line.length;
    this.#writing ??= this.#writeAll();
    return this.#waiting < this.#maxWaiting ? null : this.flush();
  }

  /**
   * Puts a space before the next line, and waits until it is written.
   *
   * @throws {OutputClosed} as {@linkcode add}
   */
  async indent(): Promise<void> {
    if (this.#writing === null) this.#lines.push(" ");
    this.#writing ??= this.#writeAll();
    await this.flush();
  }

  /**
   * Waits until everything is written.
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
        // One turn later the lines of an event or two have become more, and go out together.
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
