/**
 * The parts of Deno's standard library in use. This is the only file with inline specifiers: `main.ts` has to run from a
 * URL, where no import map is read. deno.json maps the same packages for everything else.
 *
 * They come from npm because JSR is not reachable from every network; `deno-std` republishes the same code in one
 * package, without types. The types in use are in std.d.ts.
 *
 * @module
 */

// @std/bytes: two modules, because the whole package would load 8 more when the program starts.
// @ts-types="./std.d.ts"
export { concat } from "npm:deno-std@1.4.0/bytes/concat.js";
// @ts-types="./std.d.ts"
export { equals } from "npm:deno-std@1.4.0/bytes/equals.js";

// @std/cli
// @ts-types="./std.d.ts"
export { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";

// @std/streams: the one module, because the whole package would load 14 more when the program starts.
// @ts-types="./std.d.ts"
export { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";

// @std/text, for "did you mean": two modules of it, for the same reason.
// @ts-types="./std.d.ts"
export { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";
// @ts-types="./std.d.ts"
export { levenshteinDistance } from "npm:deno-std@1.4.0/text/levenshtein_distance.js";
