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
import { type Omitting, previewOf } from "../text/forms.ts";
import { layOutTable } from "../text/table.ts";
import { shortTime } from "../text/times.ts";
import { cutTo } from "../text/width.ts";

/** Lines besides the clients: the title, the table's head, and the footer. */
const FRAME_LINES = 3;

/** The index of the head among the lines of the screen. */
export const HEAD = 1;

/** Least widths of the columns of id, status and times, so that the table does not jump. */
const LEAST = [10, 8, 10, 10];

/** A client as shown in a row. */
export interface Row {
  readonly id: string;
  readonly status: Status;
  readonly state: Uint8Array;
  /** When it opened, in milliseconds since 1970. */
  readonly since: number;
  /** When it last changed, likewise. */
  readonly changed: number;
  /** When it leaves unless something happens before, likewise; 0 if it is connected, or that is not known. */
  readonly until: number;
}

/** An event of one client. */
type ClientEvent = Omitting<Exclude<MapEvent, { kind: "snapshot" | "synced" }>, "time">;

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
  apply(event: Omitting<MapEvent, "time">, now: number): void {
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
      const after = rowAfter(event, before, now);
      if (after === null) rows.delete(event.id);
      else rows.set(event.id, after);
      size.replace(before, after ?? undefined);
    }
  }
}

/** The row of a client after an event; `null` for none. */
function rowAfter(event: ClientEvent, before: Row | undefined, now: number): Row | null {
  const { id } = event;
  const since = before?.since ?? now;
  switch (event.kind) {
    case "present": {
      const { status, state, openedAt, updatedAt, until } = event;
      return { id, status, state, since: openedAt, changed: updatedAt, until };
    }
    case "join":
      return { id, status: "live", state: event.state, since: now, changed: now, until: 0 };
    case "update": {
      const { status = "live", until = 0 } = before ?? {};
      return { id, status, state: event.state, since, changed: now, until };
    }
    case "set":
      return { id, status: "detached", state: event.state, since, changed: now, until: event.until };
    case "suspect":
    case "resume":
      if (before === undefined) return null;
      return { ...before, status: event.kind === "suspect" ? "suspect" : "live", changed: now, until: 0 };
    case "leave":
      return null;
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
  const expires = shown.some(({ until }) => until !== 0);
  const heads = ["ID", "STATUS", "SINCE", "CHANGED", ...expires ? ["EXPIRES"] : [], "STATE"];
  const cells = shown.map((row) => cellsOf(row, { columns, now, expires }));
  const table = layOutTable([heads, ...cells], { width: columns, least: LEAST });
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

/** What the cells of all rows have in common. */
interface CellLayout {
  readonly columns: number;
  readonly now: number;
  /** Whether there is a column of when clients leave. */
  readonly expires: boolean;
}

function cellsOf(row: Row, { columns, now, expires }: CellLayout): string[] {
  const { id, status, state, since, changed, until } = row;
  const timeOf = (time: number) => time === 0 ? "-" : shortTime(time, now);
  const end = expires ? [timeOf(until)] : [];
  return [escapeControls(id), status, timeOf(since), timeOf(changed), ...end, previewOf(state, columns)];
}
