/**
 * The whole screen of a terminal, which is drawn repeatedly and restored in the end.
 *
 * @module
 */

import { ignore } from "../../base/async.ts";
import { toBytes } from "../../base/bytes.ts";
import { write } from "./output.ts";
import { atMost } from "./patience.ts";

/** Switches to the alternate screen, hides the cursor, and cuts long lines instead of wrapping them. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/** Undoes {@linkcode ENTER}. */
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** How long the last drawing may take when the screen is restored, in milliseconds. */
const LAST_DRAWING = 500;

/** The size of a terminal that does not report one. */
const STANDARD: Readonly<{ columns: number; rows: number }> = { columns: 80, rows: 24 };

/**
 * Measures the terminal.
 *
 * @returns Its columns and rows
 */
export function terminalSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : STANDARD;
  } catch {
    return STANDARD;
  }
}

/** The screen, taken until it is closed. */
export class Screen {
  readonly #onResize: () => void;
  #drawing: Promise<void> | null = null;
  #isOpen = true;

  /**
   * Takes the screen.
   *
   * @param onResize Called when its size changes
   */
  constructor(onResize: () => void) {
    this.#onResize = onResize;
    // Windows does not report it: there the next drawing finds out.
    if (Deno.build.os !== "windows") {
      Deno.addSignalListener("SIGWINCH", onResize);
      Deno.addSignalListener("SIGTSTP", this.#pause);
      Deno.addSignalListener("SIGCONT", this.#resume);
    }
    // However the process ends, the terminal must be as it was.
    addEventListener("unload", this.#restore);
    writeNow(ENTER);
  }

  /**
   * Draws. Must not be called before the last drawing is done.
   *
   * @param lines The lines, safe to show, at most one for each row
   * @throws {OutputClosed} when the terminal is gone
   */
  async draw(lines: readonly string[]): Promise<void> {
    if (!this.#isOpen) return;
    // Drawn over the old screen and cleared behind each line: clearing everything first would flicker.
    this.#drawing = write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
    try {
      await this.#drawing;
    } finally {
      this.#drawing = null;
    }
  }

  /** Restores the screen. Calling it again is safe. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (Deno.build.os !== "windows") {
      Deno.removeSignalListener("SIGWINCH", this.#onResize);
      Deno.removeSignalListener("SIGTSTP", this.#pause);
      Deno.removeSignalListener("SIGCONT", this.#resume);
    }
    if (this.#drawing !== null) await atMost(LAST_DRAWING, this.#drawing.catch(ignore));
    this.#restore();
  }

  /** Ctrl-Z: the terminal goes back to the shell, until the program is resumed. */
  readonly #pause = (): void => {
    writeNow(LEAVE);
    try {
      Deno.kill(Deno.pid, "SIGSTOP");
    } catch (error) {
      // Before Deno 2.9, a program without the permission to run others may not stop even itself: it goes on instead.
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      this.#resume();
    }
  };

  readonly #resume = (): void => {
    writeNow(ENTER);
    this.#onResize();
  };

  readonly #restore = (): void => {
    removeEventListener("unload", this.#restore);
    writeNow(LEAVE);
  };
}

function writeNow(text: string): void {
  try {
    Deno.stdout.writeSync(toBytes(text));
  } catch {
    // A terminal that is gone needs nothing.
  }
}
