/** The documentation, read for what can be compared with the code. */

import { assert, assertGreater } from "@std/assert";
import { bytesOf } from "./bytes.ts";

/** The checkout. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** The text of a page. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** What stands under a heading, up to the next one of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const lines = withoutCode(page).split("\n");
  const from = lines.findIndex((line) => line.replace(/^#+ /, "") === heading && line.startsWith("#"));
  assert(from !== -1, `there is no heading "${heading}"`);
  const level = lines[from]!.indexOf(" ");
  const length = lines.slice(from + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return lines.slice(from + 1, length === -1 ? undefined : from + 1 + length).join("\n");
}

/** A line in an example that begins with `#` is no heading. */
export function withoutCode(page: string): string {
  return page.replace(/^```[^]*?^```$/gm, "");
}

/** The rows of every table in a text: one cell a column, heads and rules left out. */
export function tablesOf(text: string): string[][][] {
  const tables = text.match(/(?:^\|.*\|$\n?)+/gm) ?? [];
  return tables.map((table) => table.trim().split("\n").slice(2).map(cellsOf));
}

function cellsOf(row: string): string[] {
  return row.slice(1, -1).split("|").map((cell) => cell.trim());
}

/** The first table of a section. */
export function tableOf(page: string, heading: string): string[][] {
  const [table] = tablesOf(sectionOf(page, heading));
  assert(table !== undefined, `there is no table under "${heading}"`);
  return table;
}

/** What stands in backticks. */
export function codeOf(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = ""]) => code);
}

/** Decimal bytes, and JSON strings for text. */
export function bytesOfCell(cell: string): Uint8Array<ArrayBuffer> {
  return bytesOf(
    ...codeOf(cell).flatMap((code): (number | string)[] => {
      if (code.startsWith('"')) return [JSON.parse(code) as string];
      return code.split(" ").map((word) => {
        const byte = Number(word);
        assert(/^\d+$/.test(word) && byte < 256, `${word} is no byte`);
        return byte;
      });
    }),
  );
}

/** What the worked example of a dialect sends, and what comes back. */
export async function workedExample(dialect: string): Promise<Record<"sent" | "reply", Uint8Array<ArrayBuffer>>> {
  const rows = tableOf(await read("PROTOCOL.md"), dialect);
  const inDirection = (arrow: string) =>
    bytesOf(...rows.filter(([direction]) => direction === arrow).map(([, bytes = ""]) => bytesOfCell(bytes)));
  const reply = inDirection("←");
  assertGreater(reply.length, 10);
  return { sent: inDirection("→"), reply };
}
