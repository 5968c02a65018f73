/**
 * The whole screen of a terminal, to be drawn again and again, and given back as it was.
 *
 * @module
 */

import { write } from "./output.ts";

/** The other screen that terminals have for this, no cursor, and lines that are cut where they are too wide. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";

const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** How long the last drawing may take when the screen is given back, in milliseconds. */
const LAST_DRAWING = 500;

/** What a terminal has that does not say how large it is. */
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

/** The screen, from when it is made until it is closed. */
export class Screen {
  readonly #onResize: () => void;
  #drawing: Promise<void> | null = null;
  #isOpen = true;

  /**
   * Takes the screen.
   *
   * @param onResize Called when its size has changed
   */
  constructor(onResize: () => void) {
    this.#onResize = onResize;
    // Windows does not tell: there the next drawing finds out.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", onResize);
    // Whatever ends the process, the terminal must be as it was.
    addEventListener("unload", this.#restore);
    writeNow(ENTER);
  }

  /**
   * Draws. To be called again only when the last drawing is done.
   *
   * @param lines The lines, safe to show, no more than there are rows
   * @throws {OutputClosed} when the terminal is gone
   */
  async draw(lines: readonly string[]): Promise<void> {
    if (!this.#isOpen) return;
    // Written over what is there, and cleared behind: a screen that is cleared first flickers.
    this.#drawing = write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
    try {
      await this.#drawing;
    } finally {
      this.#drawing = null;
    }
  }

  /** Gives the screen back. Doing it again is safe. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", this.#onResize);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_DRAWING);
    await Promise.race([this.#drawing?.catch(() => {}), promise]);
    clearTimeout(timer);
    this.#restore();
  }

  readonly #restore = (): void => {
    removeEventListener("unload", this.#restore);
    writeNow(LEAVE);
  };
}

function writeNow(text: string): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  } catch {
    // A terminal that is gone needs nothing.
  }
}
