/**
 * A watch as a table that follows the map, on a terminal.
 *
 * @module
 */

import type { MapEvent } from "../../client/watch.ts";
import type { TrackerError } from "../../errors.ts";
import type { Status } from "../../protocol.ts";
import type { ListRecord } from "../../wire/event_writer.ts";
import { describe } from "../failure.ts";
import { escapeControls } from "../text/escape.ts";
import { previewOf } from "../text/forms.ts";
import { layOutTable } from "../text/table.ts";
import { shortTime } from "../text/times.ts";
import { cutTo } from "../text/width.ts";
import type { WatchDisplay } from "./event_lines.ts";
import { bold } from "./output.ts";
import { Screen, terminalSize } from "./screen.ts";

/** Least time from one drawing to the next, in milliseconds: faster ones could not be read. */
const PACE = 100;

/** Lines besides the clients: the title, the table's head, and the footer. */
const FRAME_LINES = 3;

/** Which of them is the head. */
const HEAD = 1;

/** Least widths of the columns of id, status and times, so that the table does not jump. */
const LEAST = [10, 7, 10, 10];

/** A client as shown in a row. */
export interface Row {
  readonly id: string;
  readonly status: Status;
  readonly state: Uint8Array;
  /** When it opened, in milliseconds since 1970; `null` while unknown. */
  readonly since: number | null;
  /** When it last changed, likewise. */
  readonly changed: number | null;
}

/** The clients in the map, in the order in which they opened. */
export class Rows {
  #rows = new Map<string, Row>();
  #fresh: Map<string, Row> | null = null;

  /** The number of clients. */
  get size(): number {
    return this.#rows.size;
  }

  /** Returns the first clients. */
  first(count: number): Row[] {
    return [...this.#rows.values().take(Math.max(0, count))];
  }

  /**
   * Applies an event.
   *
   * @param event The event
   * @param now When it arrived, in milliseconds since 1970
   */
  apply(event: MapEvent, now: number): void {
    if (event.kind === "snapshot") {
      this.#fresh = new Map();
    } else if (event.kind === "synced") {
      // An incomplete snapshot is never shown.
      this.#rows = this.#fresh ?? this.#rows;
      this.#fresh = null;
    } else {
      this.#applyTo(this.#fresh ?? this.#rows, event, now);
    }
  }

  /**
   * Fills in the times of clients that opened before the watch.
   *
   * @param records The records of a List
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

/** The surroundings and the size of the table. */
export interface View {
  /** The first line, such as the server's address. */
  readonly title: string;
  /** The last line: the state of the connection. */
  readonly footer: string;
  /** The width of the terminal. */
  readonly columns: number;
  /** The height of the terminal. */
  readonly rows: number;
  /** The present, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * Lays out as much as fits on the screen.
 *
 * @param clients The clients
 * @param view The surroundings and the size
 * @returns At most one line for each row of the terminal, none wider than it is
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

/** Displays a watch as a table on the screen. */
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
   * @param title The first line
   * @param server The server's address
   * @param list Asks for the times, which a watch does not report
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

  /** Shows the state of the connection in the last line. */
  connection(error: TrackerError | null): void {
    const why = error === null ? "" : escapeControls(describe(error));
    this.#footer = error === null ? "Ctrl-C ends" : `waiting for ${this.#server}: ${why}`;
    this.#drawSoon();
  }

  /** Applies the event, and shows it in the next drawing. */
  event(event: MapEvent): null {
    this.#rows.apply(event, Date.now());
    if (event.kind === "synced") void this.#complete();
    this.#drawSoon();
    return null;
  }

  /** Restores the screen. */
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
      // The connection has been lost; the missing times stay empty until the next snapshot.
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
