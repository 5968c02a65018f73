/**
 * A table of the clients in the map, as events change it.
 *
 * @module
 */

import { MapSize } from "../../client/map_size.ts";
import { inOpeningOrder } from "../../client/opening_order.ts";
import type { MapEvent } from "../../client/watch.ts";
import type { Status } from "../../protocol.ts";
import { DEFAULT_MAX_MAP } from "../../wire/replies.ts";

import { escapeControls } from "../text/escape.ts";
import { previewOf } from "../text/forms.ts";
import { layOutTable } from "../text/table.ts";
import { shortTime } from "../text/times.ts";
import { cutTo } from "../text/width.ts";

/** Lines besides the clients: the title, the table's head, and the footer. */
const FRAME_LINES = 3;

/** The index of the head among the lines of the screen. */
export const HEAD = 1;

/** Least widths of the columns of id, status and times, so that the table does not jump. */
const LEAST = [10, 7, 10, 10];

/** A client as shown in a row. */
export interface Row {
  readonly id: string;
  readonly status: Status;
  readonly state: Uint8Array;
  /** When it opened, in milliseconds since 1970. */
  readonly since: number;
  /** When it last changed, likewise. */
  readonly changed: number;
}

/** The clients in the map, in the order in which they opened. */
export class Rows {
  #rows = new Map<string, Row>();
  #fresh: Map<string, Row> | null = null;
  /** What the rows take, and those of the snapshot. */
  #size = new MapSize(DEFAULT_MAX_MAP);
  #freshSize = new MapSize(DEFAULT_MAX_MAP);

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
   * @throws {TrackerError} REPLY_TOO_LARGE when the table would take too much memory
   */
  apply(event: MapEvent, now: number): void {
    if (event.kind === "snapshot") {
      this.#fresh = new Map();
      this.#freshSize.clear();
    } else if (event.kind === "synced") {
      // An incomplete snapshot is never shown.
      const fresh = this.#fresh;
      if (fresh !== null) this.#rows = inOpeningOrder(fresh, (id) => fresh.get(id)?.since ?? 0);
      if (fresh !== null) [this.#size, this.#freshSize] = [this.#freshSize, this.#size];
      this.#freshSize.clear();
      this.#fresh = null;
    } else {
      const [rows, size] = this.#fresh === null ? [this.#rows, this.#size] : [this.#fresh, this.#freshSize];
      const before = rows.get(event.id);
      this.#applyTo(rows, event, now);
      size.replace(before, rows.get(event.id));
    }
  }

  #applyTo(rows: Map<string, Row>, event: Exclude<MapEvent, { kind: "snapshot" | "synced" }>, now: number): void {
    const { id, kind } = event;
    const before = rows.get(id);
    switch (kind) {
      case "present": {
        const { status, state, openedAt, updatedAt } = event;
        return void rows.set(id, { id, status, state, since: openedAt, changed: updatedAt });
      }
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
