/**
 * A watch as lines, for programs and for people.
 *
 * @module
 */

import { ignore } from "../../base/async.ts";
import type { MapEvent } from "../../client/watch.ts";
import type { TrackerError } from "../../errors.ts";
import { safeJson } from "../../base/text.ts";
import { newsForm, newsLine, type WatchNews } from "../text/forms.ts";
import type { LineWriter } from "./line_writer.ts";

/** Displays a watch. */
export interface WatchDisplay {
  /** Shows the state of the connection: `null` when it is established, otherwise why it is not. */
  connection(error: TrackerError | null): void;
  /** Shows an event. Returns a promise to wait for before the next one; `null` when there is no need. */
  event(event: MapEvent): Promise<void> | null;
  /** Shows the rest, and restores the terminal. */
  close(): Promise<void>;
}

/** Writes a line for each event. */
export class EventLines implements WatchDisplay {
  readonly #writer: LineWriter;
  readonly #format: (news: WatchNews, time: Date) => string;
  /** The state of the connection that was shown last: repeated attempts fail for the same reason. */
  #shown = "";

  /**
   * @param writer Where to write to
   * @param json Whether each line is a JSON object instead of text
   */
  constructor(writer: LineWriter, json: boolean) {
    this.#writer = writer;
    this.#format = json ? (news, time) => safeJson(newsForm(news, time)) : newsLine;
  }

  /** Writes a line, unless it says the same as the last one. */
  connection(error: TrackerError | null): void {
    const shown = error?.code ?? "connected";
    if (shown === this.#shown) return;
    this.#shown = shown;
    const news: WatchNews = error === null
      ? { kind: "connected" }
      : { kind: "lost", code: error.code, message: error.message };
    try {
      void this.#write(news)?.catch(ignore);
    } catch {
      // The next event, or the end, meets the same error where it can be reported.
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
