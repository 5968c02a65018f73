/**
 * A watch as a table on a terminal that follows the map.
 *
 * @module
 */

import type { TrackerError } from "../../errors.ts";
import type { ListRecord } from "../../wire/list.ts";
import type { Status } from "../../protocol.ts";
import type { MapEvent } from "../../client/watch.ts";
import { escapeControls } from "../text/escape.ts";
import type { WatchDisplay } from "../text/event_lines.ts";
import { describe } from "../failure.ts";
import { previewOf } from "../text/forms.ts";
import { bold } from "./output.ts";
import { Screen, terminalSize } from "./screen.ts";
import { layOutTable } from "../text/table.ts";
import { shortTime } from "../text/times.ts";
import { cutTo } from "../text/width.ts";

/** No two drawings follow each other faster than this, in milliseconds: nobody could read them. */
const PACE = 100;

/** Lines that are no clients: what is shown, the table's head, and how the connection is. */
const FRAME_LINES = 3;

/** Which of them is the head. */
const HEAD = 1;

/** Columns that id, status and times have at least, so that the table does not jump. */
const LEAST = [10, 7, 10, 10];

/** A client, as a row shows it. */
export interface Row {
  readonly id: string;
  readonly status: Status;
  readonly state: Uint8Array;
  /** When it opened, in milliseconds since 1970; `null` while that is not known. */
  readonly since: number | null;
  /** When something of it changed last; likewise. */
  readonly changed: number | null;
}

/** What the table follows: the clients there are, in the order of opening. */
export class Rows {
  #rows = new Map<string, Row>();
  #fresh: Map<string, Row> | null = null;

  /** How many there are. */
  get size(): number {
    return this.#rows.size;
  }

  /** The first of them. */
  first(count: number): Row[] {
    return [...this.#rows.values().take(Math.max(0, count))];
  }

  /**
   * Follows an event.
   *
   * @param event The event
   * @param now When it was heard of, in milliseconds since 1970
   */
  apply(event: MapEvent, now: number): void {
    if (event.kind === "snapshot") {
      this.#fresh = new Map();
    } else if (event.kind === "synced") {
      // Half a snapshot is never shown.
      this.#rows = this.#fresh ?? this.#rows;
      this.#fresh = null;
    } else {
      this.#applyTo(this.#fresh ?? this.#rows, event, now);
    }
  }

  /**
   * Fills in the times of clients that were there before the watch.
   *
   * @param records What a List says
   */
  complete(records: readonly ListRecord[]): void {
    for (const { id, openedAt, updatedAt } of records) {
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      this.#rows.set(id, { ...row, since: row.since ?? openedAt, changed: row.changed ?? updatedAt });
    }
  }

  #applyTo(rows: Map<string, Row>, event: Exclude<MapEvent, { kind: "snapshot" | "synced" }>, now: number): void {
    const { id, kind } = event;
    const before = rows.get(id);
    switch (kind) {
      case "present":
        return void rows.set(id, { id, status: event.status, state: event.state, since: null, changed: null });
      case "join":
        return void rows.set(id, { id, status: "live", state: event.state, since: now, changed: now });
      case "update":
        return void rows.set(id, {
          id,
          status: before?.status ?? "live",
          state: event.state,
          since: before === undefined ? now : before.since,
          changed: now,
        });
      case "suspect":
      case "resume":
        if (before === undefined) return;
        return void rows.set(id, { ...before, status: kind === "suspect" ? "suspect" : "live", changed: now });
      case "leave":
        rows.delete(id);
    }
  }
}

/** How a table is to look. */
export interface View {
  /** What is shown, such as the server's address. */
  readonly title: string;
  /** What there is to say of the connection. */
  readonly footer: string;
  /** The terminal's size. */
  readonly columns: number;
  readonly rows: number;
  /** The present, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * Lays out what fits a screen.
 *
 * @param clients The clients
 * @param view How it is to look
 * @returns A line for each row of the terminal at most, none of them wider than it is
 */
export function layOutScreen(clients: Rows, { title, footer, columns, rows, now }: View): string[] {
  const room = Math.max(0, rows - FRAME_LINES);
  const shown = clients.first(clients.size > room ? room - 1 : room);
  const table = layOutTable(
    [["ID", "STATUS", "SINCE", "CHANGED", "STATE"], ...shown.map((row) => cellsOf(row, columns, now))],
    { width: columns, least: LEAST },
  );
  const [head = "", ...lines] = table;
  const left = clients.size - shown.length;
  const count = `${clients.size} ${clients.size === 1 ? "client" : "clients"}`;
  return [
    cutTo(`${title}  ${count}`, columns),
    head,
    ...lines,
    ...left > 0 ? [cutTo(`… and ${left} more`, columns)] : [],
    cutTo(footer, columns),
  ].slice(0, rows);
}

function cellsOf({ id, status, state, since, changed }: Row, columns: number, now: number): string[] {
  const timeOf = (time: number | null) => time === null ? "" : shortTime(time, now);
  return [escapeControls(id), status, timeOf(since), timeOf(changed), previewOf(state, columns)];
}

/** The table on the screen. */
export class LiveTable implements WatchDisplay {
  readonly #title: string;
  readonly #server: string;
  readonly #list: () => Promise<readonly ListRecord[]>;
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
   * @param title What is shown
   * @param server Where it comes from
   * @param list Asks for the times that a watch does not tell
   * @param onFailure Called when the screen cannot be drawn
   */
  constructor(
    title: string,
    server: string,
    list: () => Promise<readonly ListRecord[]>,
    onFailure: (error: unknown) => void,
  ) {
    this.#title = title;
    this.#server = server;
    this.#list = list;
    this.#onFailure = onFailure;
    this.#footer = `waiting for ${server}`;
    this.#screen = new Screen(() => this.#drawSoon(0));
    this.#drawSoon(0);
  }

  /** Shows it in the last line. */
  connection(error: TrackerError | null): void {
    const why = error === null ? "" : escapeControls(describe(error));
    this.#footer = error === null ? "Ctrl-C ends" : `waiting for ${this.#server}: ${why}`;
    this.#drawSoon();
  }

  /** Shows it as soon as it is time for another drawing. */
  event(event: MapEvent): null {
    this.#rows.apply(event, Date.now());
    if (event.kind === "synced") void this.#complete();
    this.#drawSoon();
    return null;
  }

  /** Gives the screen back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#screen.close();
  }

  async #complete(): Promise<void> {
    try {
      this.#rows.complete(await this.#list());
      this.#drawSoon();
    } catch {
      // The connection has been lost; what it lacks stays empty until the next snapshot.
    }
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
