/**
 * Standard input, line by line.
 *
 * @module
 */

import { concat, TextLineStream } from "../std.ts";
import { CommandError } from "../command_error.ts";

/** Most bytes given to `String.fromCharCode` at once: each is an argument, and all of them lie on the stack. */
const PIECE = 8_192;

const NEWLINE = 10;

/** A line may end with a carriage return besides, which is not part of it. */
const CARRIAGE_RETURN = 1;

/**
 * Reads everything there is.
 *
 * @param input The bytes
 * @param most Most bytes that are accepted
 * @returns All of them
 * @throws {CommandError} when there are more
 */
export async function readAll(input: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of input) {
    length += piece.length;
    if (length > most) throw tooLongError("it", most);
    pieces.push(piece);
  }
  return concat(pieces);
}

function tooLongError(what: string, most: number): CommandError {
  return new CommandError("read standard input", `${what} has more than ${most} bytes, which is the limit for a state`);
}

/**
 * Makes sure that no line is longer than a state may be: nobody else would stop it from filling the memory.
 *
 * @param mostOf Tells how many bytes a line may have
 */
function boundLines(mostOf: () => number): TransformStream<Uint8Array, Uint8Array> {
  let length = 0;
  return new TransformStream({
    transform(bytes, controller) {
      const most = mostOf();
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        if (length + end - start > most + CARRIAGE_RETURN) throw tooLongError("a line", most);
        length = 0;
        start = end + 1;
      }
      length += bytes.length - start;
      if (length > most + CARRIAGE_RETURN) throw tooLongError("a line", most);
      controller.enqueue(bytes);
    },
  });
}

/**
 * Splits bytes into lines, which stay bytes: a state need not be text. The splitter knows only text, so each byte passes
 * through it as the character of the same number.
 *
 * @param input The bytes
 * @param mostOf Tells how many bytes a line may have
 * @returns The lines, without their ends
 * @throws {CommandError} when a line is longer
 */
export async function* readLines(
  input: ReadableStream<Uint8Array>,
  mostOf: () => number = () => Infinity,
): AsyncGenerator<Uint8Array> {
  const characters = new TransformStream<Uint8Array, string>({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        controller.enqueue(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
      }
    },
  });
  for await (
    const line of input.pipeThrough(boundLines(mostOf)).pipeThrough(characters).pipeThrough(new TextLineStream())
  ) {
    yield Uint8Array.from(line, (character) => character.charCodeAt(0));
  }
}
