/**
 * A watch as lines, for programs and for whoever reads along.
 *
 * @module
 */

import type { TrackerError } from "../../errors.ts";
import type { MapEvent } from "../../client/watch.ts";
import { safeJson } from "./escape.ts";
import { newsForm, newsLine, type WatchNews } from "./forms.ts";
import type { LineWriter } from "./line_writer.ts";

/** Shows a watch. */
export interface WatchDisplay {
  /** Shows how the connection is: `null` when it is there, otherwise why it is not. */
  connection(error: TrackerError | null): void;
  /** Shows an event. Returns what to wait for before the next one, if anything. */
  event(event: MapEvent): Promise<void> | null;
  /** Shows the rest, and gives back what it has taken. */
  close(): Promise<void>;
}

/** Writes a line for each event. */
export class EventLines implements WatchDisplay {
  readonly #writer: LineWriter;
  readonly #format: (news: WatchNews, time: Date) => string;
  /** What was said of the connection last: each attempt fails for the same reason as the one before. */
  #said = "";

  /**
   * @param writer Where to write to
   * @param json Whether a line is an object, and not text
   */
  constructor(writer: LineWriter, json: boolean) {
    this.#writer = writer;
    this.#format = json ? (news, time) => safeJson(newsForm(news, time)) : newsLine;
  }

  /** Writes a line if it is another one than the last. */
  connection(error: TrackerError | null): void {
    const said = error?.code ?? "connected";
    if (said === this.#said) return;
    this.#said = said;
    const news: WatchNews = error === null
      ? { kind: "connected" }
      : { kind: "lost", code: error.code, message: error.message };
    try {
      void this.#write(news)?.catch(() => {});
    } catch {
      // The next event, or the end, meets the same error where it can be told.
    }
  }

  /** Writes a line. */
  event(event: MapEvent): Promise<void> | null {
    return this.#write(event);
  }

  /** Waits for the last line. */
  async close(): Promise<void> {
    await this.#writer.flush();
  }

  #write(news: WatchNews): Promise<void> | null {
    return this.#writer.add(this.#format(news, new Date()));
  }
}
