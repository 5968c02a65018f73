/**
 * Standard output and standard error.
 *
 * @module
 */

import { concat } from "../std.ts";
import { CommandError } from "../command_error.ts";
import { escapeBytes, escapeControls } from "../text/escape.ts";

const NEWLINE = Uint8Array.of(10);

const encoder = new TextEncoder();

/** Whoever read the output has stopped reading, as `head` does: an end, not a failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * Writes to standard output, however little each write takes.
 *
 * @param content Text or bytes
 * @throws {OutputClosed} when nobody reads it any more
 */
export async function write(content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw new OutputClosed("Cannot write output", { cause });
    throw new CommandError("write output", cause);
  }
}

/**
 * Writes a map and a newline: verbatim for a program, but harmless on a terminal, since anybody can put anything
 * into a state.
 *
 * @param map The flattened map
 */
export async function writeMap(map: Uint8Array): Promise<void> {
  await write(Deno.stdout.isTerminal() ? `${escapeBytes(map)}\n` : concat([map, NEWLINE]));
}

/**
 * Writes a line of text to standard error. That nobody reads it is no reason to fail.
 *
 * @param line Any text: what a terminal could act on is escaped
 */
export function complain(line: string): void {
  writeError(`${escapeControls(line)}\n`);
}

/**
 * Writes text of our own to standard error as it is.
 *
 * @param text The text, newlines included
 */
export function writeError(text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // There is nowhere left to say so.
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
 * Makes text stand out on a terminal that shows it.
 *
 * @param text Text of our own
 * @returns The text, bold if standard output is a terminal and NO_COLOR is not set
 */
export function bold(text: string): string {
  return Deno.stdout.isTerminal() && !Deno.noColor ? `\x1b[1m${text}\x1b[22m` : text;
}
