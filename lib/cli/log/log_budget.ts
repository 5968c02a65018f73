/**
 * How many lines of a log each source may fill.
 *
 * @module
 */

/** Most lines about the clients of one address, and most about errors, in a {@linkcode WINDOW}. */
const MAX_LINES = 100;

/** A second, in milliseconds. */
const WINDOW = 1_000;

/** What lines are counted by. */
interface Source {
  /** How people know it. */
  readonly name: string;
  logged: number;
  dropped: number;
}

/**
 * Counts the lines of each source in windows of a second. What is beyond the limit is left out, and summed up when the
 * window ends: whoever comes and goes thousands of times a second must not fill a disk.
 */
export class LogBudget {
  readonly #report: (lines: number, message: string) => void;
  readonly #sources = new Map<string, Source>();
  /** Runs from the first line of a window to its end. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param report Called at the end of a window for each source that was cut, with how many lines and why */
  constructor(report: (lines: number, message: string) => void) {
    this.#report = report;
  }

  /**
   * Takes a line out of the budget of its source.
   *
   * @param name The source, as it completes "more than 100 …"
   * @returns `false` if the line is to be left out
   */
  spend(name: string): boolean {
    this.#timer ??= setTimeout(() => this.endWindow(), WINDOW);
    let source = this.#sources.get(name);
    if (source === undefined) this.#sources.set(name, source = { name, logged: 0, dropped: 0 });
    if (source.logged++ < MAX_LINES) return true;
    source.dropped++;
    return false;
  }

  /** Ends the window, and reports what was left out. */
  endWindow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { name, dropped } of this.#sources.values()) {
      if (dropped !== 0) this.#report(dropped, `more than ${MAX_LINES} ${name} in a second`);
    }
    this.#sources.clear();
  }
}
