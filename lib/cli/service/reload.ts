/**
 * Reloading: on SIGHUP a server reads its files again, without losing a connection.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";

/** The result of reading something again. */
export type ReloadEvent =
  | { kind: "reload"; what: string }
  | { kind: "reload-error"; what: string; error: Error };

/** Something that can be read again. */
interface Source {
  /** Its name in the log. */
  readonly what: string;
  /** Reads it, and puts it in place only if all of it is valid. */
  readonly reload: () => Promise<void>;
}

/**
 * Reads things again whenever the process receives SIGHUP. While there is nothing to read, the signal keeps its usual
 * effect and ends the program: that is what a terminal sends it for when it is closed. Windows has no such signal.
 */
export class Reloader {
  readonly #report: (event: ReloadEvent) => void;
  readonly #sources: Source[] = [];
  /** Whether to start over at the end: a signal came while things were being read. */
  #again = false;
  #running: Promise<void> | null = null;

  /** @param report Called with the result for each thing that is read */
  constructor(report: (event: ReloadEvent) => void) {
    this.#report = report;
  }

  /**
   * Adds something to read.
   *
   * @param what Its name in the log
   * @param reload Reads it; if that fails, what was read before must stay in use
   */
  add(what: string, reload: () => Promise<void>): void {
    if (this.#sources.push({ what, reload }) > 1 || Deno.build.os === "windows") return;
    Deno.addSignalListener("SIGHUP", this.#onSignal);
  }

  /** Stops listening, and waits for what is being read. */
  async close(): Promise<void> {
    if (this.#sources.length !== 0 && Deno.build.os !== "windows") {
      Deno.removeSignalListener("SIGHUP", this.#onSignal);
    }
    this.#sources.length = 0;
    await this.#running;
  }

  readonly #onSignal = (): void => {
    this.#again = true;
    this.#running ??= this.#run();
  };

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      for (const source of [...this.#sources]) this.#report(await read(source));
    }
    this.#running = null;
  }
}

async function read({ what, reload }: Source): Promise<ReloadEvent> {
  try {
    await reload();
    return { kind: "reload", what };
  } catch (error) {
    return { kind: "reload-error", what, error: error instanceof Error ? error : new Error(messageOf(error)) };
  }
}
