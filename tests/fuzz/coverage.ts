/**
 * Which places of the code have been reached: the engine's own coverage, asked for while the program runs.
 *
 * @module
 */

import { type Profiler, Session } from "node:inspector";

/** Watches which blocks of some files run. */
export class Coverage {
  readonly #session = new Session();
  readonly #files: readonly string[];
  readonly #reached = new Set<string>();

  /** @param files How the addresses of the files end */
  constructor(files: readonly string[]) {
    this.#files = files;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many blocks have been reached in all. */
  get size(): number {
    return this.#reached.size;
  }

  /**
   * Looks at what has run since the last time.
   *
   * @returns The blocks that have been reached and had not been before
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
   * Looks at what has run since the last time.
   *
   * @param blocks Some blocks
   * @returns Whether any of them has
   */
  async reaches(blocks: ReadonlySet<string>): Promise<boolean> {
    return (await this.#takeBlocks()).some((block) => blocks.has(block));
  }

  /** Stops watching. */
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
