/**
 * Which blocks of code have run: the engine's own coverage, read while the program runs.
 *
 * @module
 */

import { type Profiler, Session } from "node:inspector";

/** Records which blocks of some files run. */
export class Coverage {
  readonly #session = new Session();
  readonly #files: readonly string[];
  readonly #reached = new Set<string>();

  /** @param files Ends of the files' URLs */
  constructor(files: readonly string[]) {
    this.#files = files;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Number of blocks that have run. */
  get size(): number {
    return this.#reached.size;
  }

  /**
   * Collects the blocks that have run since the last call.
   *
   * @returns The blocks that had not run before
   */
  async take(): Promise<Set<string>> {
    const fresh = new Set<string>();
    for (const block of await this.#takeBlocks()) {
      if (!this.#reached.has(block)) fresh.add(block);
      this.#reached.add(block);
    }
    return fresh;
  }

  /**
   * Tells whether some blocks have run since the last call.
   *
   * @param blocks The blocks
   * @returns `true` if any of them has
   */
  async reaches(blocks: ReadonlySet<string>): Promise<boolean> {
    return (await this.#takeBlocks()).some((block) => blocks.has(block));
  }

  /** Stops recording. */
  [Symbol.dispose](): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  async #takeBlocks(): Promise<string[]> {
    const scripts = await this.#takeScripts();
    return scripts.filter(({ url }) => this.#files.some((file) => url.endsWith(file))).flatMap(({ url, functions }) =>
      functions.flatMap(({ ranges }) => ranges).filter(({ count }) => count !== 0).map(({ startOffset, endOffset }) =>
        `${url} ${startOffset} ${endOffset}`
      )
    );
  }

  #takeScripts(): Promise<readonly Profiler.ScriptCoverage[]> {
    return new Promise((resolve, reject) => {
      this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  }
}
