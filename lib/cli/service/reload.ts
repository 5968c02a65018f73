/**
 * What a server reads again when it is told to, by SIGHUP: its files, without losing a connection.
 *
 * @module
 */

import { toError } from "../command_error.ts";

/** What came of reading something again. */
export type ReloadEvent =
  | { kind: "reload"; what: string }
  | { kind: "reload-error"; what: string; error: Error };

/** Something that can be read again. */
interface Source {
  /** What it is, for the log. */
  readonly what: string;
  /** Reads it. What it reads it puts in place only when all of it is right. */
  readonly reload: () => Promise<void>;
}

/**
 * Reads things again whenever the process gets a SIGHUP. As long as there is nothing to read the signal does what it
 * always does, which is to end the program: that is what a terminal means by it that is closed. Windows has no such
 * signal.
 */
export class Reloader {
  readonly #report: (event: ReloadEvent) => void;
  readonly #sources: Source[] = [];
  /** Asked for while it was under way: then it begins anew when it is done. */
  #again = false;
  #running: Promise<void> | null = null;

  /** @param report Called with what came of it, once for each thing that is read */
  constructor(report: (event: ReloadEvent) => void) {
    this.#report = report;
  }

  /**
   * Adds something to read.
   *
   * @param what What it is, for the log
   * @param reload Reads it; if that fails, what was read before has to stay in use
   */
  add(what: string, reload: () => Promise<void>): void {
    if (this.#sources.push({ what, reload }) > 1 || Deno.build.os === "windows") return;
    Deno.addSignalListener("SIGHUP", this.#onSignal);
  }

  /** Listens no more, and waits for what is under way. */
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
    return { kind: "reload-error", what, error: toError(error) };
  }
}
