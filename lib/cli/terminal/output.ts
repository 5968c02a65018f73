/**
 * Standard output and standard error.
 *
 * @module
 */

import { toBytes } from "../../base/bytes.ts";
import { CommandError } from "../command_error.ts";
import { readEnvironment } from "../environment.ts";
import { concat } from "../std.ts";
import { safeJson } from "../../base/text.ts";
import { escapeBytes, escapeControls } from "../text/escape.ts";

const NEWLINE = Uint8Array.of(10);

/** About how many characters are written at once. */
const BATCH = 65_536;

/** The reader of the output has stopped reading, as `head` does: an end, not a failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Takes bytes, perhaps fewer than given, such as `Deno.stderr`. */
export interface Writer {
  /** Takes bytes, and resolves with how many it took. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes all of the bytes, however little each write takes.
 *
 * @param target Where to write to
 * @param bytes The bytes
 */
async function writeTo(target: Writer, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await target.write(bytes.subarray(at));
}

/**
 * Writes to standard output.
 *
 * @param content Text or bytes
 * @throws {OutputClosed} when its reader is gone
 * @throws {CommandError} when it cannot be written for another reason
 */
export async function write(content: string | Uint8Array): Promise<void> {
  try {
    await writeTo(Deno.stdout, toBytes(content));
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw new OutputClosed("Cannot write output", { cause });
    throw new CommandError("write output", cause);
  }
}

/**
 * Writes a value as one line of JSON that can be shown on a terminal.
 *
 * @param value The value
 * @throws {OutputClosed} as {@linkcode write}
 */
export async function writeJson(value: unknown): Promise<void> {
  await write(`${safeJson(value)}\n`);
}

/**
 * Writes a list as one line of JSON, a record at a time: all of it may be more than one string can hold.
 *
 * @param head What goes before the records
 * @param records The records
 * @param formOf Turns a record into a value
 * @param tail What goes behind them
 */
export async function writeJsonList<T>(
  head: string,
  records: Iterable<T>,
  formOf: (record: T) => unknown,
  tail: string,
): Promise<void> {
  let batch = head;
  let isFirst = true;
  for (const record of records) {
    batch += `${isFirst ? "" : ","}${safeJson(formOf(record))}`;
    isFirst = false;
    if (batch.length < BATCH) continue;
    await write(batch);
    batch = "";
  }
  await write(`${batch}${tail}\n`);
}

/**
 * Writes bytes of clients and a newline: verbatim for a program, but escaped for a terminal, since a state can hold
 * anything.
 *
 * @param bytes A state, or the flattened map
 */
export async function writeBytes(bytes: Uint8Array): Promise<void> {
  await write(Deno.stdout.isTerminal() ? `${escapeBytes(bytes)}\n` : concat([bytes, NEWLINE]));
}

/**
 * Writes a line of text to standard error. A missing reader is no reason to fail.
 *
 * @param line Any text; it is escaped for a terminal
 */
export function complain(line: string): void {
  writeError(`${escapeControls(line)}\n`);
}

/**
 * Writes trusted text to standard error, unescaped.
 *
 * @param text The text, newlines included
 */
export function writeError(text: string): void {
  const bytes = toBytes(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // There is nowhere left to report it.
  }
}

/**
 * Tells a person in front of a terminal what is going on; a program that reads standard error is spared.
 *
 * @param line What is going on
 */
export function remark(line: string): void {
  if (Deno.stderr.isTerminal()) complain(line);
}

/**
 * Makes text bold on a terminal.
 *
 * @param text Trusted text
 * @returns The text, bold if standard output is a terminal that knows how, and NO_COLOR is not set
 */
export function bold(text: string): string {
  return isCapable() && !Deno.noColor ? `\x1b[1m${text}\x1b[22m` : text;
}

/**
 * Tells whether standard output is a terminal that understands more than text.
 *
 * @returns `false` for a dumb one, and for anything else
 */
export function isCapable(): boolean {
  return Deno.stdout.isTerminal() && readEnvironment("TERM") !== "dumb";
}
