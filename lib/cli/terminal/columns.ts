/**
 * The columns of a table of clients.
 *
 * @module
 */

import type { ListRecord } from "../../wire/list.ts";
import { escapeControls } from "../text/escape.ts";
import { previewOf } from "../text/forms.ts";
import { shortTime } from "../text/times.ts";

/** What a cell is made for. */
export interface CellView {
  /** The present, in milliseconds since 1970. */
  readonly now: number;
  /** How wide a line is; `undefined` where that does not matter. */
  readonly width: number | undefined;
}

/** A column. */
export interface Column {
  /** Its head. */
  readonly head: string;
  /** Writes a cell, safe to show. */
  readonly cell: (record: ListRecord, view: CellView) => string;
  /** Compares two clients by it. */
  readonly compare: (one: ListRecord, other: ListRecord) => number;
}

/** Written where there is nothing to say. */
const NOTHING = "-";

function textColumn(head: string, textOf: (record: ListRecord) => string | null | undefined): Column {
  return {
    head,
    cell: (record) => escapeControls(textOf(record) ?? NOTHING),
    compare: (one, other) => compareTexts(textOf(one) ?? "", textOf(other) ?? ""),
  };
}

function timeColumn(head: string, timeOf: (record: ListRecord) => number): Column {
  return {
    head,
    cell: (record, { now }) => timeOf(record) === 0 ? NOTHING : shortTime(timeOf(record), now),
    compare: (one, other) => timeOf(one) - timeOf(other),
  };
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one === other ? 0 : 1;
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, at) => byte !== other[at]);
  return at === -1 ? one.length - other.length : (one[at] ?? 0) - (other[at] ?? -1);
}

/** Every column, by the name that people write. */
export const COLUMNS = {
  id: textColumn("ID", ({ id }) => id),
  status: textColumn("STATUS", ({ status }) => status),
  since: timeColumn("SINCE", ({ openedAt }) => openedAt),
  updated: timeColumn("UPDATED", ({ updatedAt }) => updatedAt),
  expires: timeColumn("EXPIRES", ({ details }) => details?.until ?? 0),
  address: textColumn("ADDRESS", ({ details }) => details?.address),
  dialect: textColumn("DIALECT", ({ details }) => details?.dialect),
  token: textColumn("TOKEN", ({ details }) => details?.token),
  state: {
    head: "STATE",
    cell: ({ state }: ListRecord, { width }: CellView) => previewOf(state, width),
    compare: (one: ListRecord, other: ListRecord) => compareBytes(one.state, other.state),
  },
} as const satisfies Record<string, Column>;

/** The name of a column. */
export type ColumnName = keyof typeof COLUMNS;

/** The names of all columns. */
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];

/** The columns that are printed unless others are named. */
export const DEFAULT_COLUMNS: readonly ColumnName[] = ["id", "status", "since", "updated", "state"];
