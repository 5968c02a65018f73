/**
 * Standard input, a line at a time.
 *
 * @module
 */

import { TextLineStream } from "../std.ts";

/** Bytes that `String.fromCharCode` is given at once: each is an argument, and the stack holds them all. */
const PIECE = 8_192;

/**
 * Splits bytes into lines and leaves them bytes: a state need not be text. On their way through the splitter, which
 * knows only text, they are characters of the same number.
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
