/**
 * A watch as a table that follows the map, on a terminal.
 *
 * @module
 */

import type { MapEvent } from "../../client/watch.ts";
import type { TrackerError } from "../../errors.ts";

import { describe } from "../failure.ts";
import { escapeControls } from "../text/escape.ts";
import { HEAD, layOutScreen, Rows } from "./client_table.ts";
import type { WatchDisplay } from "./event_lines.ts";
import { bold } from "./output.ts";
import { Screen, terminalSize } from "./screen.ts";

/** Least time from one drawing to the next, in milliseconds: faster ones could not be read. */
const PACE = 100;

/** Displays a watch as a table on the screen. */
export class LiveTable implements WatchDisplay {
  readonly #title: string;
  readonly #server: string;
  readonly #onFailure: (error: unknown) => void;
  readonly #rows = new Rows();
  readonly #screen: Screen;
  #footer: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDrawing = false;
  #isStale = false;
  #isClosed = false;

  /**
   * Takes the screen.
   *
   * @param title The first line
   * @param server The server's address
   * @param onFailure Called when the screen cannot be drawn
   */
  constructor(title: string, server: string, onFailure: (error: unknown) => void) {
    this.#title = title;
    this.#server = server;
    this.#onFailure = onFailure;
    this.#footer = `waiting for ${server}`;
    this.#screen = new Screen(() => this.#drawSoon(0));
    this.#drawSoon(0);
  }

  /** Shows the state of the connection in the last line. */
  connection(error: TrackerError | null): void {
    this.#footer = error === null ? "Ctrl-C ends" : `waiting for ${this.#server}: ${escapeControls(describe(error))}`;
    this.#drawSoon();
  }

  /** Applies the event, and shows it in the next drawing. */
  event(event: MapEvent): null {
    this.#rows.apply(event, event.time);
    this.#drawSoon();
    return null;
  }

  /** Restores the screen. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#screen.close();
  }

  #drawSoon(wait = PACE): void {
    this.#isStale = true;
    if (this.#isClosed || this.#isDrawing || (this.#timer !== undefined && wait !== 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#draw(), wait);
  }

  async #draw(): Promise<void> {
    this.#timer = undefined;
    this.#isDrawing = true;
    this.#isStale = false;
    try {
      const view = { title: this.#title, footer: this.#footer, ...terminalSize(), now: Date.now() };
      const lines = layOutScreen(this.#rows, view);
      await this.#screen.draw(lines.map((line, at) => at === HEAD ? bold(line) : line));
    } catch (error) {
      this.#onFailure(error);
    }
    this.#isDrawing = false;
    if (this.#isStale) this.#drawSoon();
  }
}
