/**
 * What is used of Deno's standard library, by specifiers that need no import map: `main.ts` has to run from a
 * URL, where deno.json is not read. The package comes without types; those of what is used here are in std.d.ts.
 *
 * @module
 */

// @ts-types="./std.d.ts"
export { concat, equals } from "npm:deno-std@1.4.0/bytes/mod.js";
// @ts-types="./std.d.ts"
export { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
// @ts-types="./std.d.ts"
export { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
// @ts-types="./std.d.ts"
export { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";
// @ts-types="./std.d.ts"
export { levenshteinDistance } from "npm:deno-std@1.4.0/text/levenshtein_distance.js";
