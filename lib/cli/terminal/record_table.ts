/**
 * A table of clients, however many there are.
 *
 * @module
 */

import type { ListRecord } from "../../wire/list.ts";
import { layOutTable } from "../text/table.ts";
import { type ColumnName, COLUMNS } from "./columns.ts";
import { bold, write } from "./output.ts";
import { terminalSize } from "./screen.ts";

/** About how many characters are written at once. */
const BATCH = 65_536;

/**
 * Writes a table to standard output. On a terminal its lines are cut to its width; output for another program is not cut.
 *
 * @param records The clients
 * @param columns The names of the columns
 */
export async function writeTable(records: readonly ListRecord[], columns: readonly ColumnName[]): Promise<void> {
  const width = Deno.stdout.isTerminal() ? terminalSize().columns : undefined;
  const view = { now: Date.now(), width };
  const heads = columns.map((name) => COLUMNS[name].head);
  const rows = records.map((record) => columns.map((name) => COLUMNS[name].cell(record, view)));
  let batch = "";
  for (const [at, line] of layOutTable([heads, ...rows], { width }).entries()) {
    batch += `${at === 0 ? bold(line) : line}\n`;
    if (batch.length < BATCH) continue;
    await write(batch);
    batch = "";
  }
  await write(batch);
}
