/**
 * Standard input, line by line.
 *
 * @module
 */

import { TextLineStream } from "../std.ts";

/** Most bytes given to `String.fromCharCode` at once: each is an argument, and all of them lie on the stack. */
const PIECE = 8_192;

/**
 * Splits bytes into lines, which stay bytes: a state need not be text. The splitter knows only text, so each byte passes
 * through it as the character of the same number.
 *
 * @param input The bytes
 * @returns The lines, without their ends
 */
export async function* readLines(input: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const characters = new TransformStream<Uint8Array, string>({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += PIECE) {
        controller.enqueue(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
      }
    },
  });
  for await (const line of input.pipeThrough(characters).pipeThrough(new TextLineStream())) {
    yield Uint8Array.from(line, (character) => character.charCodeAt(0));
  }
}
