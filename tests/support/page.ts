/** Reads the documentation, to compare it with the code. */

import { assert, assertGreater } from "@std/assert";
import { bytesOf } from "./bytes.ts";

/** The checkout. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** The text of a page. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** Directories at the top that hold nothing of the project's own. */
const FOREIGN = new Set([".git", "node_modules", "coverage", "dist"]);

/**
 * Lists the files of a directory and of those below it.
 *
 * @param directory Relative to the checkout; `""` for all of it
 * @param ending How their names end
 * @returns Their paths, relative to the checkout
 */
export async function filesUnder(directory: string, ending: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${directory}/`.replace(/^\/$/, "./"), ROOT))) {
    const path = directory === "" ? name : `${directory}/${name}`;
    if (FOREIGN.has(path)) continue;
    if (isDirectory) paths.push(...await filesUnder(path, ending));
    else if (name.endsWith(ending)) paths.push(path);
  }
  return paths.sort();
}

/** The targets of all links and pictures of a text. */
export function linksOf(text: string): string[] {
  return Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
}

/** The path, relative to the checkout, of what a page links to. */
export function resolveLink(page: string, link: string): string {
  return new URL(link, new URL(page, ROOT)).pathname.slice(ROOT.pathname.length);
}

/** The text under a heading, up to the next one of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const lines = withoutCode(page).split("\n");
  const from = lines.findIndex((line) => line.replace(/^#+ /, "") === heading && line.startsWith("#"));
  assert(from !== -1, `there is no heading "${heading}"`);
  const level = lines[from]!.indexOf(" ");
  const length = lines.slice(from + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(" ") <= level);
  return lines.slice(from + 1, length === -1 ? undefined : from + 1 + length).join("\n");
}

/** A page without its examples, where a line that begins with `#` is not a heading. */
export function withoutCode(page: string): string {
  return page.replace(/^```[^]*?^```$/gm, "");
}

/** The rows of every table in a text, cell by cell, without heads and rules. */
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

/** The texts in backticks. */
export function codeOf(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = ""]) => code);
}

/** The bytes that a cell shows: decimal numbers, and JSON strings for text. */
export function bytesOfCell(cell: string): Uint8Array<ArrayBuffer> {
  return bytesOf(
    ...codeOf(cell).flatMap((code): (number | string)[] => {
      if (code.startsWith('"')) return [JSON.parse(code) as string];
      return code.split(" ").map((word) => {
        const byte = Number(word);
        assert(/^\d+$/.test(word) && byte < 256, `${word} is not a byte`);
        return byte;
      });
    }),
  );
}

/** The bytes that the worked example of a dialect sends, and those that come back. */
export async function workedExample(dialect: string): Promise<Record<"sent" | "reply", Uint8Array<ArrayBuffer>>> {
  const rows = tableOf(await read("PROTOCOL.md"), dialect);
  const inDirection = (arrow: string) =>
    bytesOf(...rows.filter(([direction]) => direction === arrow).map(([, bytes = ""]) => bytesOfCell(bytes)));
  const reply = inDirection("←");
  assertGreater(reply.length, 10);
  return { sent: inDirection("→"), reply };
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  connections: 1,
  characters: 1,
  lines: 1,
  names: 1,
  clients: 1,
  leaves: 1,
  headers: 1,
  tickets: 1,
  prefixes: 1,
  events: 1,
};

/** Parses `16 MiB`, `10 s` or `16,384 connections` into bytes, milliseconds or a count. */
export function quantity(text: string): number {
  const [, amount = "", unit = ""] = /^([\d,]+) (\w+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  assert(factor !== undefined, `"${text}" is not a number and a unit`);
  return Number(amount.replaceAll(",", "")) * factor;
}

/** The value of a constant that is not exported, read from its source. */
export async function constantIn(path: string, name: string): Promise<number> {
  const [, base, exponent = "1"] =
    new RegExp(`^(?:export )?const ${name} = ([\\d_]+)(?: \\*\\* (\\d+))?;$`, "m").exec(await read(path)) ?? [];
  assert(base !== undefined, `${path} has no number ${name}`);
  return Number(base.replaceAll("_", "")) ** Number(exponent);
}
